"""What a version is said to be worth, where its run went on after the value that the model has."""

import pytest

from experiments.actions.batches import log_batch
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import Run
from kernel.actor import Actor
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import LoggedModel, ModelVersion
from registry.pages.measured import metric_lines
from registry.queries.measures import Record, records_of


@pytest.fixture
def version(ada: Actor, run: Run, model: LoggedModel) -> ModelVersion:
    named = create_registered_model(ada, run.experiment.project, name="vitals")
    source = f"models:/{model.model_id}"
    return create_version(ada, named, source=source, run=run, logged_model=model)


def notes_of(viewer: Actor, version: ModelVersion) -> list[str]:
    record = records_of(viewer, [version])[version.pk]
    return [note for line in metric_lines(Record(), record, {}, "") for note in line.notes]


def log(person: Actor, run: Run, *points: MetricPoint) -> None:
    log_batch(person, run, batch=Batch(metrics=list(points)))


def test_a_value_of_an_early_step_says_so_and_what_the_run_ended_at(
    ada: Actor, run: Run, model: LoggedModel, version: ModelVersion
) -> None:
    log(ada, run, MetricPoint("auc", 0.37, 1000), MetricPoint("auc", 0.87, 2000, step=20))
    log(ada, run, MetricPoint("auc", 0.37, 3000, model_id=model.model_id))
    measure = records_of(ada, [version])[version.pk].metrics["auc"]
    assert (measure.value, measure.step) == (0.37, 0)
    assert notes_of(ada, version) == ["value is of step 0; its run ended at 0.8700, step 20"]


def test_nothing_is_said_where_the_model_has_what_the_run_ended_at(
    ada: Actor, run: Run, model: LoggedModel, version: ModelVersion
) -> None:
    log(ada, run, MetricPoint("auc", 0.37, 1000), MetricPoint("auc", 0.87, 2000, step=20, model_id=model.model_id))
    assert notes_of(ada, version) == []


def test_nothing_is_said_of_a_value_measured_on_data_of_its_own(
    ada: Actor, run: Run, model: LoggedModel, version: ModelVersion
) -> None:
    log(ada, run, MetricPoint("auc", 0.87, 2000, step=20))
    on_test = MetricPoint("auc", 0.8, 3000, model_id=model.model_id, dataset_name="test", dataset_digest="d1")
    log(ada, run, on_test)
    assert notes_of(ada, version) == []
