"""Metrics, params and tags in batches: all of it or nothing, the same again or not at all."""

import math

import pytest

from experiments.actions.batches import log_batch
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.runs import update_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import Param, RunInput
from experiments.queries.runs import inputs_of, metric_curves, metric_history, params_of, series_of, tags_of
from experiments.values import RunStatus
from kernel.errors import Invalid, NotFound, Refused
from tests.factories import STARTED_MS, a_batch, a_run, again, curve, events_since, points


def nothing_is_in(actor, run) -> bool:
    tags = set(tags_of(actor, run)) - {"mlflow.runName"}
    return not (params_of(actor, run) or tags or series_of(actor, run))


def values(actor, run, key: str = "loss") -> list[float]:
    return metric_history(actor, run, key).points.values.tolist()


# --- All of it


def test_a_batch_is_written_and_read_back(ada, run):
    log_batch(ada, run, batch=a_batch(loss=[0.9, 0.5], acc=[0.1], params={"lr": "0.1"}, tags={"stage": "draft"}))
    assert params_of(ada, run) == {"lr": "0.1"}
    assert tags_of(ada, run)["stage"] == "draft"
    assert [one.key for one in series_of(ada, run)] == ["acc", "loss"]
    assert values(ada, run) == [0.9, 0.5]


def test_the_first_points_that_a_colleague_adds_are_on_record(team, ada, run):
    batch = a_batch(loss=[1.0, 2.0])
    (kept,) = events_since(lambda: log_batch(team.engineer, run, batch=batch))
    assert (kept.event.actor_id, kept.event.verb) == (team.engineer.user_id, "experiments.log_batch")
    assert kept.subject == f"experiments.run {run.ledger_id}"
    assert events_since(lambda: log_batch(again(team.engineer), run, batch=a_batch(loss=[3.0]))) == []


def test_params_and_tags_of_a_batch_are_one_event_and_points_none(ada, run):
    assert events_since(lambda: log_batch(ada, run, batch=a_batch(loss=[1.0, 2.0]))) == []
    (kept,) = events_since(lambda: log_batch(ada, run, batch=a_batch(loss=[3.0], params={"a": "1"}, tags={"b": "2"})))
    assert kept.changed("experiments.param") == {"a": [None, "1"]}
    assert kept.changed("experiments.runtag") == {"b": [None, "2"]}
    assert kept.subject == f"experiments.run {run.uid.hex}"


def test_an_empty_batch_is_fine_and_leaves_nothing(ada, run):
    assert events_since(lambda: log_batch(ada, run, batch=Batch())) == []
    assert nothing_is_in(ada, run)


def test_a_finished_run_takes_more(ada, run):
    update_run(ada, run, status=RunStatus.FINISHED)
    log_batch(ada, run, batch=a_batch(loss=[1.0], params={"late": "yes"}))
    assert params_of(ada, run) == {"late": "yes"}


# --- Again


def test_repeating_a_batch_changes_nothing(ada, run):
    batch = a_batch(loss=[0.9, math.nan, math.inf], params={"lr": "0.1"}, tags={"stage": "draft"})
    log_batch(ada, run, batch=batch)
    before = [vars(one) for one in series_of(ada, run)]
    assert events_since(lambda: log_batch(ada, run, batch=batch)) == []
    assert len(values(ada, run)) == 3
    assert [{**vars(one), "_state": None} for one in series_of(ada, run)] == [{**one, "_state": None} for one in before]


def test_a_point_twice_in_one_batch_is_one_point(ada, run):
    log_batch(ada, run, batch=Batch(metrics=points("loss", [0.5]) * 3))
    assert values(ada, run) == [0.5]


def test_other_values_at_the_same_step_and_time_are_all_kept(ada, run):
    log_batch(ada, run, batch=Batch(metrics=[MetricPoint("loss", value, 5, 1) for value in (3.0, 1.0, 2.0)]))
    assert values(ada, run) == [1.0, 2.0, 3.0]


# --- Params are set once


def test_the_same_value_again_is_fine_another_is_refused(ada, run):
    log_batch(ada, run, batch=a_batch(params={"lr": "0.1"}))
    log_batch(ada, run, batch=a_batch(params={"lr": "0.1"}))
    with pytest.raises(Invalid, match=r"Param 'lr' is '0.1' already and cannot become '0.10'"):
        log_batch(ada, run, batch=a_batch(params={"lr": "0.10"}))
    assert params_of(ada, run) == {"lr": "0.1"}


def test_one_changed_param_keeps_the_whole_batch_out(ada, run):
    log_batch(ada, run, batch=a_batch(params={"lr": "0.1"}))

    def refused() -> None:
        with pytest.raises(Invalid):
            log_batch(ada, run, batch=a_batch(loss=[1.0], params={"new": "1", "lr": "0.2"}, tags={"t": "1"}))

    assert events_since(refused) == []
    assert params_of(ada, run) == {"lr": "0.1"}
    assert "t" not in tags_of(ada, run)
    assert series_of(ada, run) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.1", 0.1), ("1e-3", 1e-3), (" 5 ", 5.0), ("-0", 0.0), ("1_000", 1000.0), ("nan", None), ("inf", None),
     ("", None), ("1e999", None), ("auto", None), ("9" * 41, None), ("True", None), ("0x10", None), ("١٢", 12.0)],
)  # fmt: skip
def test_a_param_that_is_a_finite_number_can_be_searched_as_one(ada, run, text, number):
    log_batch(ada, run, batch=a_batch(params={"p": text}))
    stored = Param.objects.get(run=run)
    assert (stored.value, stored.number) == (text, number)


# --- Or nothing of it

GOOD = {"params": {"fine": "1"}, "tags": {"fine": "1"}, "loss": [1.0]}


@pytest.mark.parametrize(
    "key", ["", ".", "..", "../x", "/x", "a//b", "a/./b", "a/", "a\nb", "a#b", "a%b", "k" * 251, "a\x00"]
)
def test_one_bad_key_keeps_the_whole_batch_out_and_is_named(ada, run, key):
    good = a_batch(**GOOD)
    spoilt = {
        "metrics[1]": Batch([*good.metrics, MetricPoint(key, 1.0, 1)], good.params, good.tags),
        "params[1]": Batch(good.metrics, [*good.params, (key, "1")], good.tags),
        "tags[1]": Batch(good.metrics, good.params, [*good.tags, (key, "1")]),
    }
    for place, batch in spoilt.items():
        with pytest.raises(Invalid) as refused:
            log_batch(ada, run, batch=batch)
        assert refused.value.field.startswith(place)
    assert nothing_is_in(ada, run)


@pytest.mark.parametrize("key", ["a", "k" * 250, "val/loss", "a.b", "a-b_c:d", "Verlust größer", "损失", "a b", "a..b"])
def test_good_keys_are_letters_of_any_script_and_a_few_signs(ada, run, key):
    log_batch(ada, run, batch=Batch([MetricPoint(key, 1.0, 1)], [(key, "1")], [(key, "1")]))
    assert params_of(ada, run) == {key: "1"}
    assert [one.key for one in series_of(ada, run)] == [key]


@pytest.mark.parametrize(
    ("point", "field"),
    [
        (MetricPoint("loss", 1.0, -1), "timestamp"),
        (MetricPoint("loss", 1.0, 2**63), "timestamp"),
        (MetricPoint("loss", 1.0, 0, 2**63), "step"),
        (MetricPoint("loss", 1.0, 0, -(2**63) - 1), "step"),
    ],
)
def test_one_bad_point_keeps_the_whole_batch_out(ada, run, point, field):
    good = a_batch(**GOOD)
    with pytest.raises(Invalid) as refused:
        log_batch(ada, run, batch=Batch([*good.metrics, point], good.params, good.tags))
    assert refused.value.field == f"metrics[1].{field}"
    assert nothing_is_in(ada, run)


@pytest.mark.parametrize("text", ["x" * 65_537, "a\x00b", "\ud800"])
def test_a_value_that_cannot_be_kept_exactly_is_refused(ada, run, text):
    for batch in (a_batch(params={"p": text}), a_batch(tags={"t": text})):
        with pytest.raises(Invalid):
            log_batch(ada, run, batch=batch)
    assert nothing_is_in(ada, run)


@pytest.mark.parametrize("text", ["", " ", "a\nb\t'\"", "🌿" * 100, "x" * 65_536, "\\x00", "\u202e"])
def test_every_other_value_is_kept_exactly(ada, run, text):
    log_batch(ada, run, batch=a_batch(params={"p": text}, tags={"t": text}))
    assert params_of(ada, run)["p"] == tags_of(ada, run)["t"] == text


def test_a_param_twice_in_a_batch_is_refused_a_tag_twice_takes_the_last(ada, run):
    with pytest.raises(Invalid) as refused:
        log_batch(ada, run, batch=Batch(params=[("p", "1"), ("p", "1")]))
    assert refused.value.field == "params[1].key"
    log_batch(ada, run, batch=Batch(tags=[("t", "1"), ("t", "2")]))
    assert tags_of(ada, run)["t"] == "2"


@pytest.mark.parametrize(
    ("metrics", "params", "tags", "field"),
    [
        (1001, 0, 0, "metrics"),
        (0, 101, 0, "params"),
        (0, 0, 101, "tags"),
        (1000, 1, 0, "metrics"),
        (900, 50, 51, "metrics"),
    ],
)
def test_more_than_a_batch_holds_is_refused(ada, run, metrics, params, tags, field):
    batch = Batch(
        [MetricPoint("m", float(n), 1, n) for n in range(metrics)],
        [(f"p{n}", "1") for n in range(params)],
        [(f"t{n}", "1") for n in range(tags)],
    )
    with pytest.raises(Invalid) as refused:
        log_batch(ada, run, batch=batch)
    assert refused.value.field == field
    assert nothing_is_in(ada, run)


def test_a_full_batch_is_taken(ada, run):
    log_batch(ada, run, batch=Batch([MetricPoint("m", float(n), 1, n) for n in range(1000)]))
    assert len(values(ada, run, "m")) == 1000


# --- Who


def test_readers_write_nothing_and_strangers_find_nothing(team, run, outsider):
    for actor in (team.manager, team.auditor):
        with pytest.raises(Refused):
            log_batch(actor, run, batch=curve(1))
    for actor in (team.administrator, outsider):
        with pytest.raises(NotFound):
            log_batch(actor, run, batch=curve(1))
    assert nothing_is_in(team.scientist, run)


# --- Reading


def test_an_unknown_metric_has_no_history(ada, run):
    assert len(metric_history(ada, run, "loss").points) == 0


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_has_at_least_one_point(ada, run, limit):
    with pytest.raises(Invalid):
        metric_history(ada, run, "loss", limit=limit)


def test_a_page_token_of_another_question_is_refused(ada, run):
    log_batch(ada, run, batch=a_batch(loss=[1, 2, 3], acc=[1, 2, 3]))
    token = metric_history(ada, run, "loss", limit=2).next_token
    for asked in ("garbage", token + "x", token[:-4]):
        with pytest.raises(Invalid):
            metric_history(ada, run, "loss", limit=2, after=asked)
    with pytest.raises(Invalid, match="another query"):
        metric_history(ada, run, "acc", limit=2, after=token)


def test_curves_are_those_that_the_viewer_sees(ada, run, outsider):
    log_batch(ada, run, batch=curve(10))
    assert list(metric_curves(ada, run, ["loss", "missing"])) == ["loss"]
    assert metric_curves(outsider, run, ["loss"]) == {}


# --- Inputs


def test_the_same_dataset_twice_is_one_input(ada, run):
    given = DatasetInput("leaves", "d1", "s3", "s3://bucket/leaves", tags={"mlflow.data.context": "train"})
    (kept,) = events_since(lambda: log_inputs(ada, run, inputs=[given]))
    assert {change["type"] for change in kept.changes} == {
        "artifacts.dataset",
        "artifacts.datasetversion",
        "experiments.runinput",
    }
    assert events_since(lambda: log_inputs(ada, run, inputs=[given, given])) == []
    (found,) = inputs_of(ada, run)
    assert (found.context, found.dataset_version.dataset.name, found.dataset_version.number) == ("train", "leaves", 1)


def test_two_runs_share_a_dataset_and_a_new_digest_is_a_new_version(ada, run):
    other = a_run(ada)
    log_inputs(ada, run, inputs=[DatasetInput("leaves", "d1")])
    log_inputs(ada, other, inputs=[DatasetInput("leaves", "d1"), DatasetInput("leaves", "d2")])
    assert [found.dataset_version.number for found in inputs_of(ada, other)] == [1, 2]
    assert inputs_of(ada, run)[0].dataset_version == inputs_of(ada, other)[0].dataset_version


@pytest.mark.parametrize(
    "given",
    [
        DatasetInput("", "d"), DatasetInput("n", ""), DatasetInput("n" * 501, "d"), DatasetInput("n", "d" * 37),
        DatasetInput("n", "d", "t" * 201), DatasetInput("n", "d", source="s" * 65_536), DatasetInput("n\x00", "d"),
        DatasetInput("n", "d", tags={"k" * 256: ""}), DatasetInput("n", "d", tags={"k": "v" * 501}),
    ],
)  # fmt: skip
def test_one_bad_dataset_keeps_all_out(ada, run, given):
    with pytest.raises(Invalid):
        log_inputs(ada, run, inputs=[DatasetInput("good", "d"), given])
    assert not RunInput.objects.filter(run=run).exists()


def test_a_time_is_as_the_client_says(ada, run):
    log_batch(ada, run, batch=Batch(metrics=points("loss", [1.0], step=-5, at_ms=STARTED_MS)))
    history = metric_history(ada, run, "loss").points
    assert (history.steps.tolist(), history.times.tolist()) == ([-5], [STARTED_MS])
