"""The example scripts, unchanged, with MLflow's real client against a live server.

The sweep runs on both databases; tests/client asks both for everything that the others send.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from mlflow import MlflowClient
from mlflow.entities import Run
from playwright.sync_api import Page, expect

from tests.services.processes import ROOT

EXAMPLES = ROOT / "examples"


@dataclass(frozen=True)
class Team:
    """A project with one member, and the member's ways in."""

    uri: str
    token: str
    email: str = ""
    password: str = ""

    def client(self) -> MlflowClient:
        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def get(self, path: str, **params: str) -> requests.Response:
        return requests.get(f"{self.uri}/api/2.0/{path}", params=params, headers=self._headers(), timeout=30)

    def post(self, path: str, **body: object) -> requests.Response:
        return requests.post(f"{self.uri}/api/2.0/{path}", json=body, headers=self._headers(), timeout=30)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def a_team(live_mled, name: str) -> Team:
    email = f"ada@{name}.example.org"
    password = live_mled.create_user(email)
    live_mled.create_project(name)
    live_mled.add_member(name, email, "data_scientist")
    return Team(live_mled.tracking_uri(name), live_mled.issue_token(email, project=name), email, password)


@pytest.fixture(scope="session")
def team(live_mled) -> Team:
    return a_team(live_mled, "examples")


@pytest.fixture(scope="session")
def other_team(live_mled) -> Team:
    return a_team(live_mled, "strangers")


@pytest.fixture
def client(team: Team, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", team.token)
    return team.client()


@pytest.fixture
def run_script(team: Team, client: MlflowClient, tmp_path: Path) -> Callable[[str], Run]:
    """Run a script as a user would: its own process, the two variables, an empty directory. Gives the run it made."""

    def run(script: str) -> Run:
        told = output_of(script, team, tmp_path)
        found = re.search(r"^run ([0-9a-f]{32}):", told, re.MULTILINE)
        assert found, told
        made = client.get_run(found[1])
        assert (made.info.status, made.info.lifecycle_stage) == ("FINISHED", "active")
        assert made.info.end_time >= made.info.start_time
        assert made.data.tags["mlflow.source.name"].endswith(f"{script}.py")
        return made

    return run


def output_of(script: str, team: Team, directory: Path) -> str:
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
    return done.stdout


def children(client: MlflowClient, run: Run) -> list[Run]:
    return list(client.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"))


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda script: script.stem)
def test_a_script_knows_nothing_but_mlflow(script: Path) -> None:
    source = script.read_text()
    assert "mled" not in source.lower()
    assert "import mlflow" in source


@pytest.mark.once
def test_a_grid_search_leaves_a_run_per_candidate_and_a_model(
    run_script: Callable[[str], Run], client: MlflowClient, team: Team, other_team: Team
) -> None:
    run = run_script("sklearn_grid_search")
    candidates = children(client, run)
    assert len(candidates) == 6
    assert {(child.data.params["max_depth"], child.data.params["n_estimators"]) for child in candidates} == {
        (depth, trees) for depth in ("2", "4") for trees in ("5", "20", "40")
    }
    assert run.data.metrics["best_cv_score"] == max(child.data.metrics["mean_test_score"] for child in candidates)
    models = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run.info.run_id}'")
    assert {str(model.status) for model in models} == {"READY"}
    assert {output.model_id for output in run.outputs.model_outputs} == {model.model_id for model in models}
    nothing_for(other_team, team, run, model_id=models[0].model_id)


@pytest.mark.once
def test_a_training_loop_leaves_ten_thousand_points(
    run_script: Callable[[str], Run], client: MlflowClient, team: Team, other_team: Team
) -> None:
    run = run_script("training_loop")
    keys = ("loss", "accuracy", "gradient_norm", "learning_rate")
    curves = [client.get_metric_history(run.info.run_id, key) for key in keys]
    assert sum(len(points) for points in curves) == 10_000
    assert all(sorted(point.step for point in points) == list(range(2_500)) for points in curves)
    assert run.data.metrics["final_accuracy"] > 0.9
    assert run.data.metrics["system/system_memory_usage_megabytes"] > 0
    nothing_for(other_team, team, run)


def test_a_sweep_leaves_three_generations_and_a_log_that_verifies(
    run_script: Callable[[str], Run], client: MlflowClient, team: Team, other_team: Team, live_mled
) -> None:
    run = run_script("nested_sweep")
    degrees = children(client, run)
    trials = [trial for degree in degrees for trial in children(client, degree)]
    assert (len(degrees), len(trials)) == (3, 9)
    assert run.data.metrics["best error"] == min(trial.data.metrics["test error"] for trial in trials)
    nothing_for(other_team, team, run)
    live_mled.manage("sequencer", "--once")
    live_mled.manage("verify_ledger")


@pytest.mark.once
def test_artifacts_of_every_kind_are_all_there(
    run_script: Callable[[str], Run], client: MlflowClient, team: Team, other_team: Team
) -> None:
    run = run_script("artifacts_of_every_kind")
    folders = {entry.path for entry in client.list_artifacts(run.info.run_id) if entry.is_dir}
    assert {"figures", "folder", "images", "notes", "tables", "weights"} <= folders
    [weights] = client.list_artifacts(run.info.run_id, "weights")
    assert (weights.path, weights.file_size) == ("weights/weights.bin", 2**20)
    nothing_for(other_team, team, run, file="weights/weights.bin")


@pytest.mark.once
def test_a_run_is_seen_in_the_browser_by_its_team_alone(
    run_script: Callable[[str], Run], team: Team, other_team: Team, page: Page
) -> None:
    run = run_script("nested_sweep")
    sign_in(page, team)
    page.goto("/p/examples/runs/?q=" + quote("metrics.`best error` > 0"))
    row = page.locator("table[data-rows] tbody tr", has_text="ridge sweep").first
    row.get_by_role("link", name="ridge sweep", exact=True).click()
    expect(page.get_by_role("heading", name="ridge sweep")).to_be_visible()
    page.goto(f"/r/{run.info.run_id}/curves/")
    expect(page.get_by_role("cell", name="best error")).to_be_visible()

    page.context.clear_cookies()
    sign_in(page, other_team)
    for path in (f"/r/{run.info.run_id}/", f"/r/{run.info.run_id}/curves/", "/p/examples/runs/"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 404, path
        assert "ridge" not in page.content()


def sign_in(page: Page, team: Team) -> None:
    page.goto("/login/")
    page.get_by_label("E-mail").fill(team.email)
    page.get_by_label("Password").fill(team.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login/" not in url)


def nothing_for(outsider: Team, owner: Team, run: Run, *, model_id: str = "", file: str = "any.txt") -> None:
    """Another team finds nothing of a run: not at its own door and not at its owner's, by id, name, history or path."""
    root = run.info.artifact_uri.removeprefix("mlflow-artifacts:/").lstrip("/")
    asked: list[tuple[str, dict[str, str]]] = [
        ("mlflow/runs/get", {"run_id": run.info.run_id}),
        ("mlflow/experiments/get", {"experiment_id": run.info.experiment_id}),
        ("mlflow/metrics/get-history", {"run_id": run.info.run_id, "metric_key": next(iter(run.data.metrics), "m")}),
        ("mlflow/artifacts/list", {"run_id": run.info.run_id}),
        (f"mlflow-artifacts/artifacts/{root}/{file}", {}),
    ]
    if model_id:
        asked.append((f"mlflow/logged-models/{model_id}", {}))
    for door in (outsider, Team(owner.uri, outsider.token)):
        for path, params in asked:
            answer = door.get(path, **params)
            assert answer.status_code == 404, path
            assert run.info.run_name not in answer.text
    found = outsider.post("mlflow/runs/search", experiment_ids=[run.info.experiment_id])
    assert (found.status_code, found.json().get("runs", [])) == (200, [])
    names = [one["name"] for one in outsider.post("mlflow/experiments/search", max_results=100).json()["experiments"]]
    assert names == ["Default"]
