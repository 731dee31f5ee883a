"""A second team finds nothing of the first: not by id, name, search, path or history."""

import pytest

from mlflow_api.routes import Needs
from tests.factories import Everything
from tests.mlflow_api.speaking import SERVED, Mlflow, error_of, good_request, name_of

# What a stranger may ask at home about ids that are not hers, and gets an answer without anything in it.
EMPTY = {
    "2.0/mlflow/experiments/search": "experiments",
    "2.0/mlflow/runs/search": "runs",
    "2.0/mlflow/logged-models/search": "models",
    "2.0/mlflow/registered-models/search": "registered_models",
    "2.0/mlflow/model-versions/search": "model_versions",
}
MADE_AT_HOME = {"2.0/mlflow/experiments/create", "2.0/mlflow/registered-models/create"}
BY_ID = [
    route
    for route in SERVED
    if route.needs in (Needs.READ, Needs.LOG) and route.path not in EMPTY and route.path not in MADE_AT_HOME
]


def test_ids_names_and_paths_of_another_team_lead_nowhere(stranger: Mlflow, things: Everything) -> None:
    for route in BY_ID:
        good = good_request(route, things)
        answer = stranger.make(good)
        assert error_of(answer) == (404, "RESOURCE_DOES_NOT_EXIST"), name_of(route)
        told = answer.content.decode()
        for asked_for in (good.asked.get("experiment_name"), good.asked.get("name"), "secret/secret.txt"):
            told = told.replace(asked_for or "secret/secret.txt", "")
        assert "secret" not in told, name_of(route)


@pytest.mark.parametrize(("path", "field"), EMPTY.items())
def test_searches_find_nothing_of_another_team(path: str, field: str, stranger: Mlflow, things: Everything) -> None:
    asked = {"experiment_ids": [str(things.experiment.pk), "0"]} if field in ("runs", "models") else {}
    found = stranger.ask("GET" if field in ("registered_models", "model_versions") else "POST", path, **asked)
    assert "secret" not in str(found)
    assert [one["name"] for one in found["experiments"]] == ["Default"] if field == "experiments" else not found[field]


@pytest.mark.parametrize("folder", ["", "{experiment}", "{experiment}/{run}", "{experiment}/models"])
def test_no_folder_above_the_runs_can_be_listed(folder: str, engineer: Mlflow, things: Everything) -> None:
    path = folder.format(experiment=things.experiment.pk, run=things.run.uid.hex)
    assert engineer.get("2.0/mlflow-artifacts/artifacts", path=path) == {"files": []}


def test_the_default_experiments_of_two_teams_are_two(stranger: Mlflow, engineer: Mlflow) -> None:
    mine = engineer.post("runs/create", experiment_id="0", run_name="ours")["run"]["info"]
    assert mine["experiment_id"] == "0"
    assert stranger.post("runs/search", experiment_ids=["0"])["runs"] == []
    answer = stranger.send("GET", "2.0/mlflow/runs/get", {"run_id": mine["run_id"]})
    assert error_of(answer) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_a_run_of_another_experiment_is_not_reached_through_this_one(engineer: Mlflow, things: Everything) -> None:
    path = f"2.0/mlflow-artifacts/artifacts/0/{things.run.uid.hex}/artifacts/secret/secret.txt"
    assert error_of(engineer.send("GET", path)) == (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("call", ["runs/outputs", "runs/log-inputs"])
def test_a_model_of_another_team_cannot_be_linked(call: str, stranger: Mlflow, things: Everything) -> None:
    mine = stranger.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]
    answer = stranger.send(
        "POST", f"2.0/mlflow/{call}", {"run_id": mine, "models": [{"model_id": things.model.model_id}]}
    )
    assert error_of(answer) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_a_metric_cannot_be_logged_for_a_model_of_another_team(stranger: Mlflow, things: Everything) -> None:
    mine = stranger.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]
    point = {"key": "auc", "value": 1, "timestamp": 1, "model_id": things.model.model_id}
    answer = stranger.send("POST", "2.0/mlflow/runs/log-metric", {"run_id": mine, **point})
    assert error_of(answer) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert stranger.get("metrics/get-history", run_id=mine, metric_key="auc") == {"metrics": []}


def test_a_model_cannot_name_a_run_of_another_team_as_its_source(stranger: Mlflow, things: Everything) -> None:
    asked = {"experiment_id": "0", "source_run_id": things.run.uid.hex}
    answer = stranger.send("POST", "2.0/mlflow/logged-models", asked)
    assert error_of(answer) == (404, "RESOURCE_DOES_NOT_EXIST")
