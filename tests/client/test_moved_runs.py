"""A run that moves to another experiment while a client writes to it: every address that was handed out stays good."""

import uuid
from pathlib import Path

import mlflow.artifacts
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from tests.client.wire import Wire, mled_only

pytestmark = mled_only


@pytest.fixture
def move(request: pytest.FixtureRequest):
    """Move a run as its project's member would in the browser."""
    mled = request.getfixturevalue("live_mled")
    blocker = request.getfixturevalue("django_db_blocker")

    def move(run_id: str, experiment_id: str) -> None:
        from accounts.models import User
        from experiments.actions.moves import move_run
        from experiments.models import Experiment, Run
        from tests.factories import acting_as

        with blocker.unblock(), mled.in_database():
            member = acting_as(User.objects.get(email="wire@example.org"))
            target = Experiment.objects.get(pk=int(experiment_id))
            move_run(member, Run.objects.get(uid=uuid.UUID(run_id)), experiment=target)

    return move


def test_files_are_stored_listed_and_read_before_and_after(
    wire: Wire, client: MlflowClient, experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, move
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", wire.base)
    target = wire.new_experiment()
    run = client.create_run(experiment)
    old, run_id = run.info.artifact_uri, run.info.run_id
    client.log_text(run_id, "before", "a/before.txt")
    client.log_param(run_id, "lr", "0.1")
    model = wire.post("logged-models", experiment_id=experiment, name="m", source_run_id=run_id)["model"]["info"]
    move(run_id, target)

    now = client.get_run(run_id)
    assert now.info.experiment_id == target
    assert now.info.artifact_uri == old.replace(f"/{experiment}/", f"/{target}/")
    client.log_text(run_id, "after", "a/after.txt")
    (tmp_path / "late.txt").write_text("late")
    kept = get_artifact_repository(old, tracking_uri=wire.base)  # by a client that knows only the old address
    kept.log_artifact(str(tmp_path / "late.txt"), "a")
    for address in (old, now.info.artifact_uri):
        listed = mlflow.artifacts.list_artifacts(artifact_uri=f"{address}/a", tracking_uri=wire.base)
        assert sorted(Path(one.path).name for one in listed) == ["after.txt", "before.txt", "late.txt"]
        folder = mlflow.artifacts.download_artifacts(
            artifact_uri=f"{address}/a", dst_path=str(tmp_path / uuid.uuid4().hex), tracking_uri=wire.base
        )
        assert (Path(folder) / "before.txt").read_text() == "before"
        assert (Path(folder) / "late.txt").read_text() == "late"
    assert [one.info.run_id for one in client.search_runs([target], "params.lr = '0.1'")] == [run_id]
    assert client.search_runs([experiment]) == []
    moved = wire.get(f"logged-models/{model['model_id']}")["model"]["info"]
    assert moved["experiment_id"] == target
    client.log_metric(run_id, "loss", 0.5)
    client.set_terminated(run_id)
    assert client.get_run(run_id).data.metrics == {"loss": 0.5}


def test_an_address_that_was_never_handed_out_leads_nowhere(
    wire: Wire, client: MlflowClient, experiment: str, move
) -> None:
    target, never = wire.new_experiment(), wire.new_experiment()
    run_id = client.create_run(experiment).info.run_id
    client.log_text(run_id, "hello", "a.txt")
    move(run_id, target)
    for place, status in ((experiment, 200), (target, 200), (never, 404)):
        path = f"api/2.0/mlflow-artifacts/artifacts/{place}/{run_id}/artifacts/a.txt"
        assert wire.call("GET", path).status_code == status, place


def test_a_version_is_made_of_a_moved_runs_old_address(wire: Wire, client: MlflowClient, experiment: str, move) -> None:
    run = client.create_run(experiment)
    client.log_text(run.info.run_id, "weights", "model/weights.txt")
    move(run.info.run_id, wire.new_experiment())
    name = f"moved-{uuid.uuid4().hex[:8]}"
    client.create_registered_model(name)
    version = client.create_model_version(name, f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
    address = client.get_model_version_download_uri(name, version.version)
    (listed,) = mlflow.artifacts.list_artifacts(artifact_uri=address, tracking_uri=wire.base)
    assert Path(listed.path).name == "weights.txt"
    with pytest.raises(MlflowException):
        client.create_model_version(name, f"mlflow-artifacts:/987654/{run.info.run_id}/artifacts/model")
