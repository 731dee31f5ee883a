"""Metrics that a run logs for a model, and the models that go into a run and come out of it."""

import math

import pytest

from experiments.actions.batches import log_batch
from experiments.actions.inputs import DatasetInput
from experiments.actions.runs import delete_run, lock_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import MetricSeries, Run, RunInput
from kernel.actor import Actor
from kernel.errors import Conflict, Locked, NotFound
from registry.actions.links import log_outputs, log_run_inputs
from registry.actions.logged_models import create_logged_model, delete_logged_model
from registry.links import links_of_runs
from registry.models import LoggedModel, ModelMetric
from registry.queries.logged_models import MeasuredMetric, model_data
from tests.factories import a_run, events_since


def metrics_of(viewer: Actor, model: LoggedModel) -> list[MeasuredMetric]:
    return model_data(viewer, [model])[model.pk].metrics


def point(model: LoggedModel | str, value: float = 0.5, **more: object) -> MetricPoint:
    name = model if isinstance(model, str) else model.model_id
    return MetricPoint("auc", value, 1000, model_id=name)._replace(**more)


def test_a_metric_counts_for_the_run_and_for_the_model(ada: Actor, run: Run, model: LoggedModel) -> None:
    log_batch(ada, run, batch=Batch(metrics=[point(model, dataset_name="iris", dataset_digest="d1")]))
    assert metrics_of(ada, model) == [MeasuredMetric("auc", 0.5, 0, 1000, "iris", "d1", run.uid.hex)]
    assert MetricSeries.objects.get(run=run, key="auc").last_value == 0.5


def test_one_key_may_be_measured_on_several_datasets(ada: Actor, run: Run, model: LoggedModel) -> None:
    on = [point(model, value, dataset_name="iris", dataset_digest=digest) for value, digest in ((0.9, "a"), (0.1, "b"))]
    log_batch(ada, run, batch=Batch(metrics=on))
    assert [(one.value, one.dataset_digest) for one in metrics_of(ada, model)] == [(0.9, "a"), (0.1, "b")]


def test_a_replayed_batch_changes_nothing(ada: Actor, run: Run, model: LoggedModel) -> None:
    batch = Batch(metrics=[point(model), point(model, math.nan, step=1)])
    log_batch(ada, run, batch=batch)
    log_batch(ada, run, batch=batch)
    values = [one.value for one in metrics_of(ada, model)]
    assert values[0] == 0.5
    assert math.isnan(values[1])
    assert len(values) == 2


def test_a_point_for_an_unknown_model_stores_nothing_of_the_batch(ada: Actor, run: Run, model: LoggedModel) -> None:
    delete_logged_model(ada, model)
    for name in ("m-" + "0" * 32, "x", model.model_id):
        with pytest.raises(NotFound):
            log_batch(ada, run, batch=Batch(metrics=[MetricPoint("loss", 1, 1), point(name)], params=[("a", "1")]))
    assert not MetricSeries.objects.exists()
    assert not run.params.exists()


def test_a_model_of_another_team_is_unknown(outsider: Actor, model: LoggedModel) -> None:
    with pytest.raises(NotFound):
        log_batch(outsider, a_run(outsider), batch=Batch(metrics=[point(model)]))
    assert not ModelMetric.objects.exists()


def test_the_dataset_of_a_metric_is_found_where_the_project_knows_it(ada: Actor, run: Run, model: LoggedModel) -> None:
    log_run_inputs(ada, run, datasets=[DatasetInput("iris", "d1")])
    log_batch(ada, run, batch=Batch(metrics=[point(model, dataset_name="iris", dataset_digest="d1")]))
    assert ModelMetric.objects.get().dataset_version == RunInput.objects.get().dataset_version


def test_a_run_knows_its_models(ada: Actor, run: Run, model: LoggedModel) -> None:
    base = create_logged_model(ada, run.experiment, name="base")
    log_run_inputs(ada, run, datasets=[DatasetInput("iris", "d1")], models=[base])
    log_outputs(ada, run, outputs=[(model, 7)])
    links = links_of_runs([run.pk])[run.pk]
    assert (links.inputs, links.outputs) == ([base.model_id], [(model.model_id, 7)])
    assert RunInput.objects.filter(run=run).count() == 1


def test_the_same_output_twice_is_one_and_leaves_one_event(ada: Actor, run: Run, model: LoggedModel) -> None:
    (event,) = events_since(lambda: log_outputs(ada, run, outputs=[(model, 1)]))
    assert event.changed("registry.runmodel") == {f"output:{model.model_id}": [None, {"step": "1"}]}
    assert events_since(lambda: log_outputs(ada, run, outputs=[(model, 1)])) == []
    log_outputs(ada, run, outputs=[(model, 2)])
    assert links_of_runs([run.pk])[run.pk].outputs == [(model.model_id, 2)]


def test_a_deleted_model_is_no_output_any_more(ada: Actor, run: Run, model: LoggedModel) -> None:
    log_outputs(ada, run, outputs=[(model, 1)])
    delete_logged_model(ada, model)
    assert links_of_runs([run.pk]) == {}


def test_locked_and_deleted_runs_take_no_models(ada: Actor, model: LoggedModel) -> None:
    gone, held = a_run(ada), a_run(ada)
    delete_run(ada, gone)
    lock_run(ada, held)
    for run, error in ((gone, Conflict), (held, Locked)):
        with pytest.raises(error):
            log_outputs(ada, Run.objects.get(pk=run.pk), outputs=[(model, 1)])
        with pytest.raises(error):
            log_run_inputs(ada, Run.objects.get(pk=run.pk), models=[model])


def test_a_stranger_links_nothing(outsider: Actor, run: Run, model: LoggedModel) -> None:
    with pytest.raises(NotFound):
        log_outputs(outsider, run, outputs=[(model, 1)])
    with pytest.raises(NotFound):
        log_run_inputs(outsider, run, models=[model])
