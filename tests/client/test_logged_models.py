"""Logged models: their life, tags, params, metrics and search."""

import re
import time
from typing import Any

import pytest
from mlflow import MlflowClient

from tests.client.wire import INVALID, MISSING, Wire, mled_only


@pytest.fixture
def model(wire: Wire, module_experiment: str) -> str:
    return create(wire, module_experiment, name="net")


def create(wire: Wire, experiment: str, **fields: Any) -> str:
    return str(wire.post("logged-models", experiment_id=experiment, **fields)["model"]["info"]["model_id"])


def model_of(wire: Wire, model: str) -> Any:
    return wire.get(f"logged-models/{model}")["model"]


def pairs(entries: list[dict[str, str]]) -> dict[str, str]:
    return {entry["key"]: entry["value"] for entry in entries}


def finalize(wire: Wire, model: str, status: str = "LOGGED_MODEL_READY") -> Any:
    return wire.patch(f"logged-models/{model}", model_id=model, status=status)["model"]["info"]


def test_a_new_model_is_pending_and_has_a_place_for_its_files(wire: Wire, experiment: str) -> None:
    run = wire.new_run(experiment)
    model = wire.post(
        "logged-models",
        experiment_id=experiment,
        name="net",
        model_type="classifier",
        source_run_id=run,
        params=[{"key": "depth", "value": "3"}],
        tags=[{"key": "team", "value": "vision"}],
    )["model"]
    info = model["info"]
    assert re.fullmatch("m-[0-9a-f]{32}", info["model_id"])
    assert (info["name"], info["model_type"], info["source_run_id"]) == ("net", "classifier", run)
    assert (info["status"], info["experiment_id"]) == ("LOGGED_MODEL_PENDING", experiment)
    assert abs(info["creation_timestamp_ms"] - time.time() * 1000) < 60_000
    location = wire.get("experiments/get", experiment_id=experiment)["experiment"]["artifact_location"]
    assert info["artifact_uri"] == f"{location}/models/{info['model_id']}/artifacts"
    assert pairs(info["tags"])["team"] == "vision"
    assert pairs(model["data"]["params"]) == {"depth": "3"}
    assert model_of(wire, info["model_id"]) == model


@pytest.mark.parametrize("status", ["LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"])
def test_a_model_becomes_ready_or_failed(wire: Wire, model: str, status: str) -> None:
    assert finalize(wire, model, status)["status"] == status
    assert model_of(wire, model)["info"]["status"] == status


@mled_only
def test_a_model_has_no_other_status(wire: Wire, model: str) -> None:
    assert wire.refused(f"logged-models/{model}", method="PATCH", model_id=model, status="GREAT") == INVALID
    assert model_of(wire, model)["info"]["status"] == "LOGGED_MODEL_PENDING"


@pytest.mark.parametrize("name", [None, ""])
def test_a_model_without_a_name_gets_one(wire: Wire, module_experiment: str, name: str | None) -> None:
    model = create(wire, module_experiment, name=name)
    assert model_of(wire, model)["info"]["name"]


def test_two_models_may_have_one_name(wire: Wire, module_experiment: str) -> None:
    assert create(wire, module_experiment, name="same") != create(wire, module_experiment, name="same")


@pytest.mark.parametrize("sign", ["/", ":", ".", "%", '"', "'"])
def test_a_name_that_would_break_a_uri_is_refused(wire: Wire, module_experiment: str, sign: str) -> None:
    assert wire.refused("logged-models", experiment_id=module_experiment, name=f"a{sign}b") == INVALID


def test_a_model_needs_an_experiment_that_exists(wire: Wire) -> None:
    assert wire.refused("logged-models", name="net") == INVALID
    assert wire.refused("logged-models", name="net", experiment_id="999999999") == MISSING


def test_a_deleted_model_is_gone(wire: Wire, experiment: str) -> None:
    kept, gone = create(wire, experiment, name="kept"), create(wire, experiment, name="gone")
    wire.delete(f"logged-models/{gone}")
    assert wire.refused(f"logged-models/{gone}", method="GET") == MISSING
    found = wire.post("logged-models/search", experiment_ids=[experiment])["models"]
    assert [one["info"]["model_id"] for one in found] == [kept]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_model_is_missing(wire: Wire, method: str) -> None:
    assert wire.refused(f"logged-models/m-{'0' * 32}", method=method) == MISSING


def test_tags_overwrite_and_can_be_deleted_once(wire: Wire, model: str) -> None:
    before = pairs(model_of(wire, model)["info"].get("tags", []))
    for value in ("1", "2"):
        wire.patch(f"logged-models/{model}/tags", tags=[{"key": "t", "value": value}, {"key": "u", "value": "x"}])
    assert pairs(model_of(wire, model)["info"]["tags"]) == {**before, "t": "2", "u": "x"}
    wire.delete(f"logged-models/{model}/tags/t")
    assert pairs(model_of(wire, model)["info"]["tags"]) == {**before, "u": "x"}
    assert wire.refused(f"logged-models/{model}/tags/t", method="DELETE") == MISSING


def test_params_are_added_and_never_changed(wire: Wire, model: str) -> None:
    path = f"logged-models/{model}/params"

    def adding(key: str, value: str) -> dict[str, Any]:
        return {"model_id": model, "params": [{"key": key, "value": value}]}

    wire.post(path, **adding("a", "1"))
    wire.post(path, **adding("b", "2"))
    assert wire.refused(path, **adding("a", "9")).status == 400
    assert pairs(model_of(wire, model)["data"]["params"]) == {"a": "1", "b": "2"}


@pytest.fixture(scope="module")
def shelf(wire: Wire) -> tuple[str, str, dict[str, str]]:
    """An experiment with three models: its id, their run, and their ids by name."""
    experiment = wire.new_experiment()
    run = wire.new_run(experiment)
    models = {}
    for number, name in enumerate(("ant", "bee", "cat")):
        models[name] = create(
            wire,
            experiment,
            name=name,
            model_type="tree" if number else "net",
            source_run_id=run if number else None,
            params=[{"key": "depth", "value": str(number)}],
            tags=[{"key": "team", "value": f"team {number}"}],
        )
        time.sleep(0.002)
    finalize(wire, models["bee"])
    for step, (name, value, digest) in enumerate([("ant", 0.5, "d1"), ("bee", 0.9, "d1"), ("bee", 0.1, "d2")]):
        wire.post(
            "runs/log-metric",
            run_id=run,
            key="acc",
            value=value,
            step=step,
            timestamp=1,
            model_id=models[name],
            dataset_name="iris",
            dataset_digest=digest,
        )
    return experiment, run, models


def search(wire: Wire, experiment: str, **asked: Any) -> list[str]:
    found = wire.post("logged-models/search", experiment_ids=[experiment], **asked).get("models", [])
    return [one["info"]["name"] for one in found]


MODEL_FILTERS = [
    ("name = 'ant'", {"ant"}),
    ("name LIKE '%a%'", {"ant", "cat"}),
    ("name != 'ant'", {"bee", "cat"}),
    ("model_type = 'tree'", {"bee", "cat"}),
    pytest.param("status = 'READY'", {"bee"}, marks=mled_only),
    pytest.param("status = 'PENDING'", {"ant", "cat"}, marks=mled_only),
    ("creation_timestamp > 0 AND last_updated_timestamp > 0", {"ant", "bee", "cat"}),
    ("params.depth = '2'", {"cat"}),
    ("tags.team = 'team 1'", {"bee"}),
    ("params.depth IN ('0', '2')", {"ant", "cat"}),
    ("params.depth NOT IN ('0', '2')", {"bee"}),
    ("params.absent NOT IN ('0')", set()),
    ("tags.team IN ('team 1')", {"bee"}),
    ("metrics.acc > 0.4", {"ant", "bee"}),
    ("metrics.acc < 0.3", {"bee"}),
    ("params.depth = '1' AND name = 'bee'", {"bee"}),
]


@pytest.mark.parametrize(("filter", "expected"), MODEL_FILTERS)
def test_a_filter_finds_exactly_these_models(
    wire: Wire, shelf: tuple[str, str, dict[str, str]], filter: str, expected: set[str]
) -> None:
    assert set(search(wire, shelf[0], filter=filter)) == expected


def test_models_are_found_by_id_and_run(wire: Wire, shelf: tuple[str, str, dict[str, str]]) -> None:
    experiment, run, models = shelf
    assert search(wire, experiment, filter=f"model_id = '{models['cat']}'") == ["cat"]
    assert set(search(wire, experiment, filter=f"source_run_id = '{run}'")) == {"bee", "cat"}


def test_a_dataset_narrows_which_metrics_count(wire: Wire, shelf: tuple[str, str, dict[str, str]]) -> None:
    def found(digest: str) -> set[str]:
        only = [{"dataset_name": "iris", "dataset_digest": digest}]
        return set(search(wire, shelf[0], filter="metrics.acc < 0.6", datasets=only))

    assert found("d1") == {"ant"}
    assert found("d2") == {"bee"}


def test_models_come_in_the_order_asked_for(wire: Wire, shelf: tuple[str, str, dict[str, str]]) -> None:
    assert search(wire, shelf[0]) == ["cat", "bee", "ant"]
    assert search(wire, shelf[0], order_by=[{"field_name": "name"}]) == ["ant", "bee", "cat"]
    assert search(wire, shelf[0], order_by=[{"field_name": "name", "ascending": False}]) == ["cat", "bee", "ant"]
    by_accuracy = {"field_name": "metrics.acc", "ascending": False, "dataset_name": "iris", "dataset_digest": "d1"}
    assert search(wire, shelf[0], order_by=[by_accuracy]) == ["bee", "ant", "cat"]


def test_models_come_in_pages(wire: Wire, shelf: tuple[str, str, dict[str, str]]) -> None:
    asked = {"experiment_ids": [shelf[0]], "max_results": 2, "order_by": [{"field_name": "name"}]}
    first = wire.post("logged-models/search", **asked)
    second = wire.post("logged-models/search", **asked, page_token=first["next_page_token"])
    assert [one["info"]["name"] for one in first["models"] + second["models"]] == ["ant", "bee", "cat"]
    assert not second.get("next_page_token")


@mled_only
def test_123_a_page_holds_a_hundred_models_unless_asked_otherwise(wire: Wire, experiment: str) -> None:
    for number in range(101):
        create(wire, experiment, name=f"m{number}")
    first = wire.post("logged-models/search", experiment_ids=[experiment])
    rest = wire.post("logged-models/search", experiment_ids=[experiment], page_token=first["next_page_token"])
    assert (len(first["models"]), len(rest["models"])) == (100, 1)
    assert not rest.get("next_page_token")


@pytest.mark.parametrize(
    "asked",
    [
        {"order_by": [{"field_name": "colour"}]},
        {"filter": "nonsense"},
        pytest.param({"filter": "colour = 'x'"}, marks=mled_only),
        pytest.param({"filter": "name = 5"}, marks=mled_only),
        pytest.param({"max_results": -1}, marks=mled_only),
    ],
)
def test_an_unknown_field_is_refused(wire: Wire, shelf: tuple[str, str, dict[str, str]], asked: dict[str, Any]) -> None:
    assert wire.refused("logged-models/search", experiment_ids=[shelf[0]], **asked) == INVALID


def test_a_search_needs_an_experiment(wire: Wire) -> None:
    assert wire.refused("logged-models/search") == INVALID
    assert not wire.post("logged-models/search", experiment_ids=[]).get("models")


def test_a_page_of_none_is_the_usual_one(wire: Wire, shelf: tuple[str, str, dict[str, str]]) -> None:
    """Zero is what a client sends that set nothing: protobuf cannot tell them apart."""
    assert len(wire.post("logged-models/search", experiment_ids=[shelf[0]], max_results=0)["models"]) == 3


def test_more_models_may_be_asked_for_than_a_page_holds(
    wire: Wire, client: MlflowClient, shelf: tuple[str, str, dict[str, str]]
) -> None:
    found = client.search_logged_models([shelf[0]], max_results=5000, order_by=[{"field_name": "name"}])
    assert [model.name for model in found] == ["ant", "bee", "cat"]


def test_a_models_metrics_say_on_which_data_they_were_measured(
    wire: Wire, shelf: tuple[str, str, dict[str, str]]
) -> None:
    _, run, models = shelf
    metrics = model_of(wire, models["bee"])["data"]["metrics"]
    measured = {
        (one["key"], one["value"], one["dataset_name"], one["dataset_digest"], one["run_id"]) for one in metrics
    }
    assert measured == {("acc", 0.9, "iris", "d1", run), ("acc", 0.1, "iris", "d2", run)}


def test_a_run_lists_its_models(wire: Wire, experiment: str) -> None:
    run = wire.new_run(experiment)
    models = [create(wire, experiment, name="a", source_run_id=run), create(wire, experiment, name="b")]
    wire.post("runs/outputs", run_id=run, models=[{"model_id": models[0], "step": 1}])
    wire.post("runs/outputs", run_id=run, models=[{"model_id": models[1], "step": 7}])
    listed = wire.run(run)["outputs"]["model_outputs"]
    assert sorted((one["model_id"], one["step"]) for one in listed) == sorted(zip(models, (1, 7), strict=True))


def test_a_models_files_live_in_its_own_folder(wire: Wire, experiment: str) -> None:
    info = model_of(wire, create(wire, experiment, name="net"))["info"]
    root = info["artifact_uri"].removeprefix("mlflow-artifacts:/").lstrip("/")
    for path in ("MLmodel", "data/weights.bin"):
        assert wire.call("PUT", f"api/2.0/mlflow-artifacts/artifacts/{root}/{path}", data=b"x").status_code == 200
    assert wire.call("GET", f"api/2.0/mlflow-artifacts/artifacts/{root}/MLmodel").content == b"x"
    listed = wire.get(f"logged-models/{info['model_id']}/artifacts/directories")
    assert sorted(one["path"] for one in listed["files"]) == ["MLmodel", "data"]
    assert listed["root_uri"] == info["artifact_uri"]


def test_the_client_goes_through_a_models_life(client: MlflowClient, experiment: str) -> None:
    model = client.create_logged_model(experiment, name="net", params={"depth": "3"}, tags={"team": "a"})
    client.set_logged_model_tags(model.model_id, {"note": "b"})
    client.finalize_logged_model(model.model_id, "READY")
    found = client.get_logged_model(model.model_id)
    assert (str(found.status), found.params) == ("READY", {"depth": "3"})
    assert {"team": "a", "note": "b"}.items() <= found.tags.items()
    assert [one.model_id for one in client.search_logged_models([experiment])] == [model.model_id]
    client.delete_logged_model_tag(model.model_id, "note")
    client.delete_logged_model(model.model_id)
    assert client.search_logged_models([experiment]) == []
