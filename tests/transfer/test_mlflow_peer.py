"""A real MLflow server, filled by its own client, imported over the wire, and then asked side by side with MLED.

    python3 -m venv /tmp/peer && /tmp/peer/bin/pip install mlflow==3.17.2
    MLED_PEER_PYTHON=/tmp/peer/bin/python .venv/bin/pytest tests/transfer/test_mlflow_peer.py -n0

With MLED_TEST_FULL=1 the longest series has 100,000 points.
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType

from tests.services.processes import free_port, start, stop, wait_until
from tests.services.scale import sized
from tests.transfer.specimen.filling import fill

PEER = os.environ.get("MLED_PEER_PYTHON", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.skipif(not PEER, reason="MLED_PEER_PYTHON names no python with the whole of mlflow: see this file."),
]


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[str]:
    """The address of an MLflow server with a store of its own."""
    place, port = tmp_path / "peer", free_port()
    place.mkdir()
    command = [PEER, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{place / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(place / "mlartifacts")]
    with (place / "log").open("w") as log:
        server = start(command, stdout=log, stderr=subprocess.STDOUT, env=dict(os.environ))
    try:
        wait_until(lambda: _answers(port), within=180, what=f"MLflow answers: {(place / 'log').read_text()[-2000:]}")
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(server)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_what_a_real_server_holds_is_the_same_to_its_own_client_here(peer, own_live_mled, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    fill(peer, long=sized(2_000, 100_000))
    live = own_live_mled
    live.create_user("ada@example.org")
    live.create_project("moved")
    live.add_member("moved", "ada@example.org", "ml_engineer")
    asked = ["--project", "moved", "--as", "ada@example.org"]
    counts = json.loads(live.manage("import_mlflow", peer, *asked).strip().splitlines()[-1])
    assert "problems" not in counts
    there = MlflowClient(tracking_uri=peer, registry_uri=peer)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", live.issue_token("ada@example.org", project="moved"))
    uri = live.tracking_uri("moved")
    here = MlflowClient(tracking_uri=uri, registry_uri=uri)
    assert everything(here, tmp_path / "here") == everything(there, tmp_path / "there")
    store = tmp_path / "peer" / "mlflow.db"
    again = json.loads(live.manage("import_mlflow", f"sqlite:///{store}", *asked).strip().splitlines()[-1])
    assert (again["runs"]["new"], again["runs"]["there"], again["files"]["new"]) == (0, 9, 0)


def everything(client: MlflowClient, folder: Path) -> dict[str, Any]:
    """What the client is told, without what is each server's own: ids of experiments, addresses of files."""
    experiments = {one.experiment_id: one for one in client.search_experiments(view_type=ViewType.ALL)}
    told: dict[str, Any] = {
        "experiments": {one.name: (one.lifecycle_stage, one.tags, one.creation_time) for one in experiments.values()
                        if one.name != "Default"},
    }  # fmt: skip
    for run in client.search_runs(list(experiments), run_view_type=ViewType.ALL, max_results=1000):
        told[run.info.run_id] = _run(client, run, experiments[run.info.experiment_id].name, folder)
    for model in client.search_logged_models(list(experiments)):
        metrics = [(one.key, one.value, one.step, one.timestamp, one.dataset_digest or "") for one in model.metrics]
        told[model.model_id] = (
            model.name, model.model_type, str(model.status), model.source_run_id, model.params, model.tags,
            model.creation_timestamp, sorted(metrics),
        )  # fmt: skip
    for registered in client.search_registered_models():
        versions = client.search_model_versions(f"name = '{registered.name}'")
        told[registered.name] = (
            registered.description, registered.tags, registered.aliases, registered.creation_timestamp,
            [(v.version, v.run_id or "", v.description or "", v.current_stage, v.tags, v.creation_timestamp)
             for v in versions],
        )  # fmt: skip
    prompt = client.load_prompt("greeting", version=1)
    told["prompt"] = (prompt.template, prompt.commit_message)
    return told


def _run(client: MlflowClient, run: Any, experiment: str, folder: Path) -> tuple[Any, ...]:
    whole = client.get_run(run.info.run_id)
    series = {
        key: [(repr(one.value), one.step, one.timestamp) for one in client.get_metric_history(run.info.run_id, key)]
        for key in run.data.metrics
    }
    datasets = sorted(
        (one.dataset.name, one.dataset.digest, one.dataset.source, one.dataset.profile or "",
         [(tag.key, tag.value) for tag in one.tags])
        for one in whole.inputs.dataset_inputs
    )  # fmt: skip
    info = run.info
    place = folder / info.run_id
    place.mkdir(parents=True)
    client.download_artifacts(info.run_id, "", str(place))
    files = {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    return (
        experiment, info.run_name, info.status, info.start_time, info.end_time, info.lifecycle_stage, run.data.params,
        run.data.tags, {key: repr(value) for key, value in run.data.metrics.items()},
        {key: sorted(points) for key, points in series.items()}, datasets,
        [one.model_id for one in whole.inputs.model_inputs],
        [(one.model_id, one.step) for one in whole.outputs.model_outputs] if whole.outputs else [], files,
    )  # fmt: skip
