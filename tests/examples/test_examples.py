"""The example scripts, unchanged, with MLflow's real client against a live server."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.services.processes import ROOT

# Each script runs once; the tests that look at what it left stay with it in one process.
pytestmark = pytest.mark.xdist_group("examples")

EXAMPLES = ROOT / "examples"
SCRIPTS = ["sklearn_grid_search", "training_loop", "nested_sweep", "artifacts_of_every_kind"]


@dataclass(frozen=True)
class Told:
    """What a script printed, and the run that it says it made."""

    output: str
    run_id: str


@dataclass(frozen=True)
class Team:
    """A project with one member, and the member's way in."""

    uri: str
    token: str

    def client(self) -> MlflowClient:
        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def status(self, path: str, **params: str) -> int:
        """How the server answers a plain read with this team's token."""
        answer = requests.get(
            f"{self.uri}/{path}", params=params, headers={"Authorization": f"Bearer {self.token}"}, timeout=30
        )
        return answer.status_code


def a_team(live_mled, name: str) -> Team:
    email = f"ada@{name}.example.org"
    live_mled.create_user(email)
    live_mled.create_project(name)
    live_mled.add_member(name, email, "data_scientist")
    return Team(live_mled.tracking_uri(name), live_mled.issue_token(email, project=name))


@pytest.fixture(scope="session")
def team(live_mled) -> Team:
    return a_team(live_mled, "examples")


@pytest.fixture(scope="session")
def other_team(live_mled) -> Team:
    return a_team(live_mled, "strangers")


@pytest.fixture(scope="session")
def run_script(team: Team, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Told]:
    """Run a script as a user would: its own process, the two variables, an empty directory. Once per session each."""
    told: dict[str, Told] = {}

    def run(script: str) -> Told:
        if script not in told:
            told[script] = _run(script, team, tmp_path_factory.mktemp(script))
        return told[script]

    return run


def _run(script: str, team: Team, directory: Path) -> Told:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "MLED_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{script}.py")],
        cwd=directory,
        env={**clean, "MLFLOW_TRACKING_URI": team.uri, "MLFLOW_TRACKING_TOKEN": team.token},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{script} ended with {done.returncode}:\n{done.stdout}\n{done.stderr[-6000:]}"
    assert list(directory.iterdir()) == [], "the script wrote to its own directory instead of the server"
    found = re.search(r"^run ([0-9a-f]{32}):", done.stdout, re.MULTILINE)
    assert found, done.stdout
    return Told(done.stdout, found[1])


@pytest.fixture
def client(team: Team, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", team.token)
    return team.client()


def children(client: MlflowClient, run: Run) -> list[Run]:
    return list(client.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_that_knows_only_mlflow_runs_unchanged(run_script: Callable[[str], Told], script: str) -> None:
    source = (EXAMPLES / f"{script}.py").read_text()
    assert "mled" not in source.lower()
    assert "MISMATCH" not in run_script(script).output


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_run_belongs_to_the_person_of_the_token(
    run_script: Callable[[str], Told], client: MlflowClient, script: str
) -> None:
    run = client.get_run(run_script(script).run_id)
    assert (run.info.status, run.info.lifecycle_stage) == ("FINISHED", "active")
    assert run.data.tags["mlflow.source.name"].endswith(f"{script}.py")
    assert run.info.end_time >= run.info.start_time


def test_the_grid_search_left_a_run_per_candidate_and_a_model(
    run_script: Callable[[str], Told], client: MlflowClient
) -> None:
    run = client.get_run(run_script("sklearn_grid_search").run_id)
    candidates = children(client, run)
    assert len(candidates) == 6
    assert {(child.data.params["max_depth"], child.data.params["n_estimators"]) for child in candidates} == {
        (depth, trees) for depth in ("2", "4") for trees in ("5", "20", "40")
    }
    best = max(child.data.metrics["mean_test_score"] for child in candidates)
    assert run.data.metrics["best_cv_score"] == best
    models = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run.info.run_id}'")
    assert {model.status for model in models} == {"READY"}
    assert {output.model_id for output in run.outputs.model_outputs} == {model.model_id for model in models}


def test_the_training_loop_left_ten_thousand_points(run_script: Callable[[str], Told], client: MlflowClient) -> None:
    run_id = run_script("training_loop").run_id
    curves = {
        key: client.get_metric_history(run_id, key) for key in ("loss", "accuracy", "gradient_norm", "learning_rate")
    }
    assert sum(len(points) for points in curves.values()) == 10_000
    assert all(sorted(point.step for point in points) == list(range(2_500)) for points in curves.values())
    metrics = client.get_run(run_id).data.metrics
    assert metrics["final_accuracy"] > 0.9
    assert metrics["system/system_memory_usage_megabytes"] > 0


def test_the_sweep_left_three_generations(run_script: Callable[[str], Told], client: MlflowClient) -> None:
    parent = client.get_run(run_script("nested_sweep").run_id)
    degrees = children(client, parent)
    trials = [trial for degree in degrees for trial in children(client, degree)]
    assert (len(degrees), len(trials)) == (3, 9)
    assert parent.data.metrics["best error"] == min(trial.data.metrics["test error"] for trial in trials)


def test_the_artifacts_are_all_there(run_script: Callable[[str], Told], client: MlflowClient) -> None:
    run_id = run_script("artifacts_of_every_kind").run_id
    folders = {entry.path for entry in client.list_artifacts(run_id) if entry.is_dir}
    assert {"figures", "folder", "images", "notes", "tables", "weights"} <= folders
    [weights] = client.list_artifacts(run_id, "weights")
    assert (weights.path, weights.file_size) == ("weights/weights.bin", 2**20)


@pytest.mark.parametrize("script", SCRIPTS)
def test_another_team_finds_nothing_of_it(
    run_script: Callable[[str], Told],
    client: MlflowClient,
    other_team: Team,
    team: Team,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
) -> None:
    run = client.get_run(run_script(script).run_id)
    name = client.get_experiment(run.info.experiment_id).name
    root = run.info.artifact_uri.removeprefix("mlflow-artifacts:/").lstrip("/")
    intruder = Team(team.uri, other_team.token)
    for there in (other_team, intruder):
        assert there.status("api/2.0/mlflow/runs/get", run_id=run.info.run_id) == 404
        assert there.status("api/2.0/mlflow/experiments/get-by-name", experiment_name=name) == 404
        assert there.status("api/2.0/mlflow/metrics/get-history", run_id=run.info.run_id, metric_key="loss") == 404
        assert there.status("api/2.0/mlflow/artifacts/list", run_id=run.info.run_id) == 404
        assert there.status(f"api/2.0/mlflow-artifacts/artifacts/{root}/model/MLmodel") == 404
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", other_team.token)
    assert list(other_team.client().search_runs([run.info.experiment_id])) == []
    assert [found.name for found in other_team.client().search_experiments()] == ["Default"]


def test_the_log_of_all_this_verifies(run_script: Callable[[str], Told], live_mled) -> None:
    for script in SCRIPTS:
        run_script(script)
    live_mled.manage("sequencer", "--once")
    live_mled.manage("verify_ledger")
