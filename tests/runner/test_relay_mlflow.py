"""MLflow's own client in the sandbox, where the door is the only way out, against a real server."""

import secrets
import sys
from dataclasses import replace
from pathlib import Path

from mlflow import MlflowClient

from runner.executors import INSIDE
from runner.executors.sandbox import Sandbox
from runner.recipes import Resources
from runner.working.relay import Relay
from tests.runner.executing import Bench

SCRIPT = """
import hashlib, os, sys
import mlflow

assert os.environ["MLFLOW_TRACKING_URI"].startswith("http://127.0.0.1:5000/")
with mlflow.start_run() as run:
    mlflow.log_params({"lr": 0.1, "ward": "ICU ü"})
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({f"m{number}": float(number) for number in range(300)})
    mlflow.set_tag("seen", "inside")
    mlflow.log_text("a line\\n", "notes/é.txt")
    content = os.urandom(1 << 20) * 12
    with open("weights.bin", "wb") as weights:
        weights.write(content)
    mlflow.log_artifact("weights.bin", "model")
    got = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="model/weights.bin")
    print(hashlib.sha256(open(got, "rb").read()).hexdigest() == hashlib.sha256(content).hexdigest())
    print(run.info.run_id)
try:
    mlflow.MlflowClient(os.environ["MLFLOW_TRACKING_URI"].replace("inside-", "other-")).search_experiments()
except mlflow.exceptions.MlflowException as error:
    print(error.message)
"""


def test_a_script_logs_params_metrics_and_files_from_within(sandbox, live_mled, tmp_path: Path, monkeypatch):
    slug, person = "inside-the-box", "inside@example.org"
    live_mled.create_user(person)
    live_mled.create_project(slug)
    live_mled.add_member(slug, person, "data_scientist")
    token = live_mled.issue_token(person, project=slug)
    bench = Bench(Sandbox(), tmp_path, secrets.token_hex(8))
    order = bench.order(f"{sys.prefix}/bin/python", "-c", SCRIPT, readable=[Path(sys.prefix)], door=tmp_path / "door")
    variables = {
        **order.variables,
        "HOME": str(order.home),
        "MLFLOW_TRACKING_URI": f"{INSIDE}/mlflow/{slug}",
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    with Relay(tmp_path / "door", base=live_mled.url, slug=slug):
        done = bench.do(replace(order, variables=variables, limits=Resources(seconds=120)))
    lines = done.out.splitlines()
    assert done.ended.code == 0, done.err
    assert lines[0] == "True"
    assert "A job reaches /mlflow/inside-the-box/…" in done.out

    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token)
    client = MlflowClient(tracking_uri=live_mled.tracking_uri(slug))
    run = client.get_run(lines[1])
    assert run.info.status == "FINISHED"
    assert run.data.params == {"lr": "0.1", "ward": "ICU ü"}
    assert run.data.tags["seen"] == "inside"
    assert (run.data.metrics["loss"], run.data.metrics["m299"]) == (0.2, 299.0)
    assert [point.value for point in client.get_metric_history(lines[1], "loss")] == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    assert [one.path for one in client.list_artifacts(lines[1], "notes")] == ["notes/é.txt"]
    assert client.list_artifacts(lines[1], "model")[0].file_size == 12 << 20
