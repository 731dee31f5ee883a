"""Every call that writes, met by a run or experiment that takes no writes now."""

from experiments.actions.experiments import delete_experiment
from experiments.actions.runs import delete_run, lock_run
from mlflow_api.routes import Needs
from tests.factories import Everything, Team
from tests.mlflow_api.speaking import ANSWERED, SERVED, Mlflow, error_of, good_request, name_of

INVALID = (400, "INVALID_PARAMETER_VALUE")
DENIED = (403, "PERMISSION_DENIED")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")
FINE = 200
WRITING = [route for route in SERVED if route.needs is Needs.LOG]


def state_of(client: Mlflow, of: Everything) -> list[object]:
    """All that can be read of a run and its model."""
    run, model = of.run.uid.hex, of.model.model_id
    return [
        client.get("runs/get", run_id=run),
        client.get(f"logged-models/{model}"),
        client.get("artifacts/list", run_id=run, path="secret"),
        client.get("metrics/get-history", run_id=run, metric_key="k"),
    ]


def test_a_locked_run_refuses_every_write_of_it_and_its_model(engineer: Mlflow, team: Team, things: Everything) -> None:
    lock_run(team.engineer, things.run)
    before = state_of(engineer, things)
    for route in WRITING:
        good = good_request(route, things)
        beside = "experiments/" in route.path and not route.path.endswith("experiments/delete")
        # These write elsewhere: to the registry, or about parts that are not yet in the run.
        beside = beside or any(word in route.path for word in ("registered-models/", "model-versions/", "mpu/abort"))
        if beside or route.path.endswith(("runs/create", "runs/restore", "2.0/mlflow/logged-models")):
            continue
        answer = engineer.make(good)
        assert error_of(answer) == DENIED, name_of(route)
        assert "lock" in answer.json()["message"], name_of(route)
    assert state_of(engineer, things) == before


def test_a_deleted_run_can_be_read_and_refuses_writes(engineer: Mlflow, team: Team, things: Everything) -> None:
    delete_run(team.engineer, things.run)
    before = state_of(engineer, things)
    for route in WRITING:
        about_the_run = "run_id" in good_request(route, things).asked or route.path.endswith("artifacts/{path:any}")
        if not about_the_run or route.path.endswith(("runs/delete", "runs/restore")):
            continue
        assert error_of(engineer.make(good_request(route, things))) == INVALID, name_of(route)
    assert state_of(engineer, things) == before
    for route in ANSWERED:
        if route.needs is Needs.READ:
            assert engineer.make(good_request(route, things)).status_code == FINE, name_of(route)


def test_a_run_is_deleted_and_restored_as_often_as_one_likes(engineer: Mlflow, things: Everything) -> None:
    for call in ("delete", "delete", "restore", "restore"):
        assert engineer.post(f"runs/{call}", run_id=things.run.uid.hex) == {}


def test_a_deleted_experiment_takes_nothing(engineer: Mlflow, team: Team, things: Everything) -> None:
    delete_experiment(team.engineer, things.experiment)
    expected = {
        "experiments/update": INVALID,
        "experiments/delete": MISSING,
        "experiments/set-experiment-tag": INVALID,
        "experiments/delete-experiment-tag": INVALID,
        "runs/create": INVALID,
        "logged-models": INVALID,
        "runs/log-batch": INVALID,
    }
    routes = {route.path.removeprefix("2.0/mlflow/"): route for route in WRITING}
    for path, error in expected.items():
        assert error_of(engineer.make(good_request(routes[path], things))) == error, path
    found = engineer.get("experiments/get", experiment_id=str(things.experiment.pk))["experiment"]
    assert (found["lifecycle_stage"], found["name"]) == ("deleted", things.experiment.name)
    engineer.post("experiments/restore", experiment_id=str(things.experiment.pk))
    restore = {"experiment_id": str(things.experiment.pk)}
    assert error_of(engineer.send("POST", "2.0/mlflow/experiments/restore", restore)) == MISSING


def test_a_deleted_model_is_absent_for_every_call(engineer: Mlflow, things: Everything) -> None:
    engineer.ask("DELETE", f"logged-models/{things.model.model_id}")
    for route in SERVED:
        if "{model_id}" in route.path or route.path.endswith(("runs/outputs", "runs/log-inputs")):
            assert error_of(engineer.make(good_request(route, things))) == MISSING, name_of(route)
