"""Datasets as inputs of runs."""

from typing import Any

import numpy as np
import pytest
import requests
from mlflow import MlflowClient
from mlflow.data import from_numpy
from mlflow.entities import DatasetInput, InputTag
from mlflow.exceptions import MlflowException

from tests.client.wire import INVALID, Wire, mled_only, unique


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


def test_118_a_tag_of_an_input_fits_up_to_its_limits(wire: Wire, run: str) -> None:
    tag = {"key": "k" * 255, "value": "v" * 500}
    wire.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset(digest="tagged"), "tags": [tag]}])
    assert inputs(wire, run)[0]["tags"] == [tag]


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


# --- The catalogue


class Catalogue:
    """The same project over MLED's own REST API."""

    def __init__(self, url: str, token: str) -> None:
        self.base = f"{url}/api/v1"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def send(self, method: str, path: str, **options: Any) -> Any:
        answer = self.session.request(method, f"{self.base}/{path}", timeout=60, **options)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:400]}"
        return answer.json()

    def new_version(self, dataset: str, content: bytes) -> dict[str, Any]:
        """The next version, of one file."""
        begun = self.send("POST", "projects/wire/uploads/", json={"size_bytes": len(content)})
        self.send("PATCH", f"uploads/{begun['id']}/", data=content,
                  headers={"Upload-Offset": "0", "Content-Type": "application/octet-stream"})  # fmt: skip
        self.send("POST", f"uploads/{begun['id']}/finish/", json={})
        files = [{"path": "train.csv", "upload": begun["id"]}]
        made: dict[str, Any] = self.send("POST", f"{dataset}versions/", json={"files": files})
        return made


@pytest.fixture(scope="module")
def catalogue(request: pytest.FixtureRequest, wire: Wire) -> Catalogue:
    mled = request.getfixturevalue("live_mled")
    token = mled.issue_token("wire@example.org", project="wire", scopes=("read", "log", "manage"))
    return Catalogue(mled.url, token)


@pytest.fixture
def kept(catalogue: Catalogue) -> tuple[str, str, str]:
    """A dataset with one version that MLED keeps: its name, its address, the version's digest."""
    name = unique("churn")
    made = catalogue.send("POST", "projects/wire/datasets/", json={"name": name})
    dataset = f"projects/wire/datasets/{made['id']}/"
    version = catalogue.new_version(dataset, f"ward,age\n{name},71\n".encode())
    return name, dataset, version["digest"]


def as_logged(name: str, digest: str) -> DatasetInput:
    """What mlflow.log_input sends of an array that has the digest of a version."""
    used = from_numpy(np.arange(3.0), name=name, digest=digest[:36])
    return DatasetInput(used._to_mlflow_entity(), [InputTag("mlflow.data.context", "training")])


@mled_only
def test_a_logged_dataset_is_the_version_of_the_catalogue(
    client: MlflowClient, wire: Wire, catalogue: Catalogue, kept: tuple[str, str, str], run: str
) -> None:
    name, dataset, digest = kept
    client.log_inputs(run, [as_logged(name, digest)])
    client.log_inputs(run, [as_logged(name, digest)])
    [found] = client.get_run(run).inputs.dataset_inputs
    assert (found.dataset.name, found.dataset.digest) == (name, digest)
    assert len(catalogue.send("GET", f"{dataset}versions/")["results"]) == 1
    uses = {one["kind"]: one for one in catalogue.send("GET", f"{dataset}versions/1/uses/")}
    assert (uses["runs"]["total"], uses["runs"]["newest"][0]["context"]) == (1, "training")
    experiment = wire.run(run)["info"]["experiment_id"]
    [hit] = wire.post("runs/search", experiment_ids=[experiment], filter=f"datasets.digest = '{digest}'")["runs"]
    assert hit["info"]["run_id"] == run


@mled_only
def test_a_digest_that_no_version_has_is_a_version_outside(
    client: MlflowClient, catalogue: Catalogue, kept: tuple[str, str, str], run: str
) -> None:
    name, dataset, _ = kept
    client.log_inputs(run, [as_logged(name, "of my own")])
    [newest, _first] = catalogue.send("GET", f"{dataset}versions/")["results"]
    assert (newest["number"], newest["digest"], newest["file_count"]) == (2, "of my own", None)


@mled_only
def test_a_recalled_version_is_refused_at_once_and_says_why(
    client: MlflowClient, wire: Wire, catalogue: Catalogue, kept: tuple[str, str, str], module_experiment: str
) -> None:
    """A clear 400, which the client does not try again for minutes; what was logged before stays and replays."""
    name, dataset, digest = kept
    before, after = wire.new_run(module_experiment), wire.new_run(module_experiment)
    client.log_inputs(before, [as_logged(name, digest)])
    catalogue.send("POST", f"{dataset}versions/1/withdraw/", json={"reason": "labels are wrong"})
    client.log_inputs(before, [as_logged(name, digest)])
    with pytest.raises(MlflowException, match=r"was recalled on .* labels are wrong") as refused:
        client.log_inputs(after, [as_logged(name, digest)])
    assert refused.value.error_code == INVALID.code
    named = {"name": name, "digest": digest[:36], "source_type": "local", "source": "{}"}
    assert wire.refused("runs/log-inputs", run_id=after, datasets=[{"dataset": named}]) == INVALID
    assert client.get_run(after).inputs.dataset_inputs == []
    catalogue.send("POST", f"{dataset}versions/1/reinstate/", json={"reason": "they are right"})
    client.log_inputs(after, [as_logged(name, digest)])
    assert len(client.get_run(after).inputs.dataset_inputs) == 1


@mled_only
def test_a_metric_on_a_version_is_kept_for_the_model_and_the_version(
    client: MlflowClient, wire: Wire, kept: tuple[str, str, str], module_experiment: str
) -> None:
    """log_metric(dataset=…) names the version by the same short digest as log_input does."""
    name, _, digest = kept
    run = wire.new_run(module_experiment)
    made = wire.post("logged-models", experiment_id=module_experiment, name="net", source_run_id=run)
    model = made["model"]["info"]["model_id"]
    client.log_inputs(run, [as_logged(name, digest)])
    client.log_metric(run, "auc", 0.9, model_id=model, dataset_name=name, dataset_digest=digest[:36])
    [metric] = wire.get(f"logged-models/{model}")["model"]["data"]["metrics"]
    assert (metric["dataset_name"], digest.startswith(metric["dataset_digest"])) == (name, True)
