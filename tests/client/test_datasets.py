"""Datasets as inputs of runs."""

from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.data import from_numpy
from mlflow.entities import DatasetInput, InputTag

from tests.client.wire import INVALID, Wire, mled_only


def dataset(**fields: str) -> dict[str, str]:
    return {"name": "iris", "digest": "d1", "source_type": "local", "source": "{}", **fields}


def use(wire: Wire, run: str, *datasets: dict[str, str], context: str = "training") -> None:
    tags = [{"key": "mlflow.data.context", "value": context}]
    wire.post("runs/log-inputs", run_id=run, datasets=[{"dataset": one, "tags": tags} for one in datasets])


def inputs(wire: Wire, run: str) -> list[Any]:
    return list(wire.run(run).get("inputs", {}).get("dataset_inputs", []))


def test_a_dataset_is_an_input_of_its_run(wire: Wire, run: str) -> None:
    used = dataset(schema='{"a": "double"}', profile='{"rows": 150}')
    use(wire, run, used)
    [found] = inputs(wire, run)
    assert found["dataset"] == used
    assert found["tags"] == [{"key": "mlflow.data.context", "value": "training"}]


def test_a_dataset_that_is_logged_twice_is_one_input(wire: Wire, run: str) -> None:
    use(wire, run, dataset())
    use(wire, run, dataset())
    use(wire, run, dataset(), dataset(digest="d2"))
    assert sorted(one["dataset"]["digest"] for one in inputs(wire, run)) == ["d1", "d2"]


def test_two_runs_may_use_one_dataset(wire: Wire, experiment: str) -> None:
    runs = [wire.new_run(experiment), wire.new_run(experiment)]
    shared = dataset(name="shared")
    for run in runs:
        use(wire, run, shared)
    assert [inputs(wire, run)[0]["dataset"] for run in runs] == [shared, shared]
    found = wire.post("runs/search", experiment_ids=[experiment], filter="datasets.name = 'shared'")["runs"]
    assert {one["info"]["run_id"] for one in found} == set(runs)


LIMITS = [("name", 500), ("digest", 36), ("source", 65_535)]


@pytest.mark.parametrize(("field", "limit"), [*LIMITS, ("schema", 1_048_575)])
def test_a_field_of_a_dataset_has_its_limit(wire: Wire, run: str, field: str, limit: int) -> None:
    use(wire, run, dataset(**{"digest": f"of {field}", field: "x" * limit}))
    assert inputs(wire, run)[0]["dataset"][field] == "x" * limit
    asked = [{"dataset": dataset(**{field: "x" * (limit + 1)})}]
    assert wire.refused("runs/log-inputs", run_id=run, datasets=asked) == INVALID
    assert len(inputs(wire, run)) == 1


def test_a_profile_beyond_its_limit_is_refused(wire: Wire, run: str) -> None:
    asked = [{"dataset": dataset(profile="x" * 16_777_216)}]
    assert wire.refused("runs/log-inputs", run_id=run, datasets=asked) == INVALID
    assert inputs(wire, run) == []


@pytest.mark.parametrize(("key", "value"), [("k" * 256, "v"), ("k", "v" * 501)])
def test_a_tag_of_an_input_has_its_limits(wire: Wire, run: str, key: str, value: str) -> None:
    asked = [{"dataset": dataset(), "tags": [{"key": key, "value": value}]}]
    assert wire.refused("runs/log-inputs", run_id=run, datasets=asked) == INVALID
    assert inputs(wire, run) == []


@mled_only
@pytest.mark.parametrize("field", ["name", "digest"])
def test_a_dataset_needs_a_name_and_a_digest(wire: Wire, run: str, field: str) -> None:
    broken = {key: value for key, value in dataset().items() if key != field}
    refusal = wire.refused("runs/log-inputs", run_id=run, datasets=[{"dataset": broken}])
    assert refusal == INVALID
    assert field in refusal.message


def test_the_client_logs_an_array_with_its_context(client: MlflowClient, run: str) -> None:
    used = from_numpy(np.arange(6.0).reshape(3, 2), name="six")
    client.log_inputs(run, [DatasetInput(used._to_mlflow_entity(), [InputTag("mlflow.data.context", "eval")])])
    [found] = client.get_run(run).inputs.dataset_inputs
    assert (found.dataset.name, found.dataset.digest) == ("six", used.digest)
    assert [(tag.key, tag.value) for tag in found.tags] == [("mlflow.data.context", "eval")]


def test_a_model_can_be_an_input(wire: Wire, experiment: str) -> None:
    run = wire.new_run(experiment)
    model = wire.post("logged-models", experiment_id=experiment, name="net")["model"]["info"]["model_id"]
    wire.post("runs/log-inputs", run_id=run, models=[{"model_id": model}])
    assert [one["model_id"] for one in wire.run(run)["inputs"]["model_inputs"]] == [model]
