"""log-batch: its limits, and that a batch is stored whole or not at all."""

from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from tests.client.wire import INVALID, Wire, mled_only


def metrics(count: int, *, key: str = "m", start: int = 0) -> list[dict[str, Any]]:
    return [{"key": key, "value": step, "step": step, "timestamp": 1000} for step in range(start, start + count)]


def pairs(count: int, *, key: str, value: str = "1") -> list[dict[str, str]]:
    return [{"key": f"{key}{n}", "value": value} for n in range(count)]


def everything(wire: Wire, run: str) -> Any:
    return wire.run(run)["data"]


@pytest.mark.parametrize(
    "batch",
    [
        {"metrics": metrics(1000)},
        {"params": pairs(100, key="p")},
        {"tags": pairs(100, key="t")},
        {"metrics": metrics(800), "params": pairs(100, key="p"), "tags": pairs(100, key="t")},
    ],
    ids=["1000 metrics", "100 params", "100 tags", "1000 items"],
)
def test_a_batch_of_full_size_is_stored(wire: Wire, run: str, batch: dict[str, Any]) -> None:
    before = len(wire.tags(run))
    wire.post("runs/log-batch", run_id=run, **batch)
    assert len(wire.history(run, "m")) == len(batch.get("metrics", []))
    assert len(wire.params(run)) == len(batch.get("params", []))
    assert len(wire.tags(run)) - before == len(batch.get("tags", []))


@pytest.mark.parametrize("letter", ["x", "漢", "🦉"])
def test_the_longest_texts_in_any_script_go_in_one_batch(
    client: MlflowClient, wire: Wire, run: str, letter: str
) -> None:
    """The client splits by number alone, and writes a letter outside of ASCII as six bytes or twelve."""
    params = [Param(f"p{n}", letter * 6000) for n in range(100)]
    tags = [RunTag(f"t{n}", letter * 8000) for n in range(100)]
    client.log_batch(run, params=params, tags=tags, metrics=[Metric("m", 1.0, 1, step) for step in range(800)])
    assert wire.params(run) == {param.key: param.value for param in params}
    stored = wire.tags(run)
    assert all(stored[tag.key] == tag.value for tag in tags)
    assert len(wire.history(run, "m")) == 800


@pytest.mark.parametrize(
    "batch",
    [
        {"metrics": metrics(1001)},
        {"params": pairs(101, key="p")},
        {"tags": pairs(101, key="t")},
        {"metrics": metrics(901), "params": pairs(100, key="p")},
        pytest.param(
            {"params": pairs(100, key="p", value="x" * 170_000), "tags": pairs(100, key="t", value="x" * 170_000)},
            marks=mled_only,
        ),
    ],
    ids=["1001 metrics", "101 params", "101 tags", "1001 items", "34 MB"],
)
def test_a_larger_batch_is_refused_whole(wire: Wire, run: str, batch: dict[str, Any]) -> None:
    before = everything(wire, run)
    assert wire.refused("runs/log-batch", run_id=run, **batch) == INVALID
    assert everything(wire, run) == before


def test_the_client_splits_what_is_too_much_for_one_batch(client: MlflowClient, run: str) -> None:
    client.log_batch(
        run,
        metrics=[Metric("m", step / 3, 1000, step) for step in range(2500)],
        params=[Param(f"p{n}", str(n)) for n in range(250)],
        tags=[RunTag(f"t{n}", str(n)) for n in range(150)],
    )
    data = client.get_run(run).data
    assert data.params == {f"p{n}": str(n) for n in range(250)}
    assert {f"t{n}" for n in range(150)} <= set(data.tags)
    assert [point.value for point in client.get_metric_history(run, "m")] == [step / 3 for step in range(2500)]


def test_an_empty_batch_is_fine(wire: Wire, run: str) -> None:
    before = everything(wire, run)
    assert wire.post("runs/log-batch", run_id=run) == {}
    assert wire.post("runs/log-batch", run_id=run, metrics=[], params=[], tags=[]) == {}
    assert everything(wire, run) == before


@pytest.mark.parametrize("second", ["1", "2"])
def test_one_param_twice_in_a_batch_is_refused(wire: Wire, run: str, second: str) -> None:
    params = [{"key": "p", "value": "1"}, {"key": "p", "value": second}]
    assert wire.refused("runs/log-batch", run_id=run, params=params) == INVALID
    assert wire.params(run) == {}


def test_of_one_tag_twice_in_a_batch_the_last_wins(wire: Wire, run: str) -> None:
    wire.post("runs/log-batch", run_id=run, tags=[{"key": "t", "value": "1"}, {"key": "t", "value": "2"}])
    assert wire.tags(run)["t"] == "2"


def test_a_changed_param_refuses_the_whole_batch(wire: Wire, run: str) -> None:
    wire.post("runs/log-parameter", run_id=run, key="old", value="1")
    before = everything(wire, run)
    refused = wire.refused(
        "runs/log-batch",
        run_id=run,
        params=[{"key": "new", "value": "1"}, {"key": "old", "value": "2"}],
        metrics=metrics(3),
        tags=[{"key": "t", "value": "1"}],
    )
    assert refused == INVALID
    assert everything(wire, run) == before
    assert wire.history(run, "m") == []


@pytest.mark.parametrize("kind", ["metrics", "params", "tags"])
def test_one_bad_key_refuses_the_whole_batch_and_is_pointed_at(wire: Wire, run: str, kind: str) -> None:
    good = {
        "metrics": metrics(2),
        "params": [{"key": "p", "value": "1"}, {"key": "q", "value": "1"}],
        "tags": [{"key": "t", "value": "1"}, {"key": "u", "value": "1"}],
    }
    good[kind][1] = {**good[kind][1], "key": "not,good"}
    before = everything(wire, run)
    refusal = wire.refused("runs/log-batch", run_id=run, **good)
    assert refusal == INVALID
    assert f"{kind}[1]" in refusal.message
    assert everything(wire, run) == before
    assert wire.history(run, "m") == []


@pytest.mark.parametrize("field", ["key", "value", "timestamp"])
def test_one_incomplete_metric_refuses_the_whole_batch(wire: Wire, run: str, field: str) -> None:
    points = metrics(3)
    del points[1][field]
    refusal = wire.refused("runs/log-batch", run_id=run, metrics=points, params=[{"key": "p", "value": "1"}])
    assert refusal == INVALID
    assert field in refusal.message or "name" in refusal.message
    assert (wire.params(run), wire.history(run, "m")) == ({}, [])


def test_a_repeated_batch_changes_nothing(wire: Wire, run: str) -> None:
    batch = {"metrics": metrics(50), "params": pairs(5, key="p"), "tags": pairs(5, key="t")}
    wire.post("runs/log-batch", run_id=run, **batch)
    before = everything(wire, run), wire.history(run, "m")
    wire.post("runs/log-batch", run_id=run, **batch)
    assert (everything(wire, run), wire.history(run, "m")) == before
    assert len(before[1]) == 50


def test_a_batch_may_hold_many_curves(wire: Wire, run: str) -> None:
    points = [point for n in range(40) for point in metrics(5, key=f"curve {n}")]
    wire.post("runs/log-batch", run_id=run, metrics=points[::-1])
    assert wire.latest(run) == {f"curve {n}": (4, 4, 1000) for n in range(40)}
    assert [step for _, step, _ in wire.history(run, "curve 7")] == [0, 1, 2, 3, 4]


def test_a_metric_of_a_model_counts_for_the_run_and_for_the_model(wire: Wire, experiment: str) -> None:
    run = wire.new_run(experiment)
    model = wire.post("logged-models", experiment_id=experiment, name="m", source_run_id=run)["model"]["info"][
        "model_id"
    ]
    wire.post(
        "runs/log-batch",
        run_id=run,
        metrics=[{"key": "acc", "value": 0.75, "timestamp": 5, "step": 2, "model_id": model}],
    )
    assert wire.latest(run) == {"acc": (0.75, 2, 5)}
    measured = wire.get(f"logged-models/{model}")["model"]["data"]["metrics"]
    assert [(one["key"], one["value"], one["run_id"], one["model_id"]) for one in measured] == [
        ("acc", 0.75, run, model)
    ]
