"""MLflow's own Python package and command line, as people use them."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.client.wire import Wire, mled_only, unique


@pytest.fixture
def fluent(wire: Wire, client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The module-level functions, pointed at the server and at a new experiment. Gives the experiment's name."""
    name = unique("fluent")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", wire.base)
    mlflow.set_tracking_uri(wire.base)
    mlflow.set_experiment(name)
    yield name
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)


def test_the_quickstart_of_every_tutorial(fluent: str) -> None:
    with mlflow.start_run(run_name="first", description="a first try") as run:
        mlflow.log_param("lr", 0.01)
        mlflow.log_params({"layers": 3, "optimizer": "adam"})
        for step in range(3):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"accuracy": 0.9, "auc": math.nan})
        mlflow.set_tag("team", "vision")
        mlflow.set_tags({"a": 1, "b": None})
        mlflow.log_text("hello", "notes/hello.txt")
    [found] = mlflow.search_runs(experiment_names=[fluent], output_format="list")
    assert found.info.run_id == run.info.run_id
    assert (found.info.run_name, found.info.status) == ("first", "FINISHED")
    assert found.data.params == {"lr": "0.01", "layers": "3", "optimizer": "adam"}
    assert found.data.metrics["loss"] == 1 / 3
    assert math.isnan(found.data.metrics["auc"])
    assert {
        "team": "vision",
        "a": "1",
        "b": "None",
        "mlflow.note.content": "a first try",
    }.items() <= found.data.tags.items()


def test_a_run_that_raises_is_failed(fluent: str) -> None:
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as run:
        mlflow.log_metric("m", 1 / 0)
    assert mlflow.get_run(run.info.run_id).info.status == "FAILED"


def test_a_finished_run_can_be_resumed(fluent: str) -> None:
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1, step=0)
    with mlflow.start_run(run_id=run.info.run_id):
        assert mlflow.get_run(run.info.run_id).info.status == "RUNNING"
        mlflow.log_metric("m", 2, step=1)
    assert mlflow.get_run(run.info.run_id).info.status == "FINISHED"
    assert mlflow.get_run(run.info.run_id).data.metrics == {"m": 2}


def test_nested_runs_know_their_parent(fluent: str) -> None:
    with mlflow.start_run(run_name="parent") as parent, mlflow.start_run(run_name="child", nested=True) as child:
        pass
    assert mlflow.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id


def test_points_that_are_logged_in_the_background_all_arrive(fluent: str) -> None:
    with mlflow.start_run() as run:
        for step in range(200):
            mlflow.log_metric("m", step / 7, step=step, synchronous=False)
        mlflow.log_params({f"p{n}": n for n in range(30)}, synchronous=False)
        mlflow.flush_async_logging()
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "m")
    assert sorted((point.step, point.value) for point in history) == [(step, step / 7) for step in range(200)]
    assert len(mlflow.get_run(run.info.run_id).data.params) == 30


def test_a_search_gives_a_table(fluent: str) -> None:
    for lr in ("0.1", "0.01"):
        with mlflow.start_run():
            mlflow.log_param("lr", lr)
            mlflow.log_metric("loss", float(lr))
    table = mlflow.search_runs(
        experiment_names=[fluent], filter_string="metrics.loss < 1", order_by=["metrics.loss DESC"]
    )
    assert list(table["params.lr"]) == ["0.1", "0.01"]
    assert list(table["metrics.loss"]) == [0.1, 0.01]


@pytest.mark.filterwarnings("ignore:For backward compatibility")  # of pandas, about the client
def test_a_table_artifact_can_be_appended_to(fluent: str) -> None:
    with mlflow.start_run() as run:
        mlflow.log_table({"a": [1], "b": ["x"]}, "table.json")
        mlflow.log_table({"a": [2], "b": ["y"]}, "table.json")
    table = mlflow.load_table("table.json", run_ids=[run.info.run_id])
    assert (list(table["a"]), list(table["b"])) == ([1, 2], ["x", "y"])


def test_artifacts_are_listed_and_loaded_by_their_uri(fluent: str, tmp_path: Path) -> None:
    with mlflow.start_run() as run:
        mlflow.log_dict({"a": [1, None, "ü"]}, "conf/settings.json")
    uri = f"runs:/{run.info.run_id}/conf"
    assert [entry.path for entry in mlflow.artifacts.list_artifacts(artifact_uri=uri)] == ["conf/settings.json"]
    assert mlflow.artifacts.load_dict(f"{uri}/settings.json") == {"a": [1, None, "ü"]}
    home = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(tmp_path)))
    assert json.loads((home / "settings.json").read_text()) == {"a": [1, None, "ü"]}


def test_a_missing_artifact_is_an_error_that_says_so(fluent: str) -> None:
    with mlflow.start_run() as run:
        pass
    with pytest.raises(MlflowException):
        mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/nothing.txt")


def mlflow_command(wire: Wire, directory: Path, *words: str) -> str:
    """What MLflow's command line prints."""
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", *words],
        env={**os.environ, "MLFLOW_TRACKING_URI": wire.base, "MLFLOW_TRACKING_TOKEN": wire.token},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_command_line_lists_describes_and_downloads(
    wire: Wire, client: MlflowClient, experiment: str, tmp_path: Path
) -> None:
    run = wire.new_run(experiment, run_name="from the shell", start_time=1)
    client.log_text(run, "hello", "notes/hello.txt")
    assert "from the shell" in mlflow_command(wire, tmp_path, "runs", "list", "--experiment-id", experiment)
    assert json.loads(mlflow_command(wire, tmp_path, "runs", "describe", "--run-id", run))["info"]["run_id"] == run
    mlflow_command(wire, tmp_path, "artifacts", "download", "--run-id", run, "-a", "notes", "-d", str(tmp_path))
    assert (tmp_path / "notes/hello.txt").read_text() == "hello"


@mled_only
def test_the_client_may_bring_its_token_as_a_password(wire: Wire, client: MlflowClient, monkeypatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "wire@example.org")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", wire.token)
    assert client.get_experiment("0").name == "Default"


@mled_only
def test_a_wrong_token_is_told_at_once(wire: Wire, client: MlflowClient, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "mled_wrong")
    with pytest.raises(MlflowException) as refused:
        client.get_experiment("0")
    assert refused.value.error_code in ("UNAUTHENTICATED", "PERMISSION_DENIED")


@mled_only
def test_a_bare_root_leads_to_the_tokens_own_project(wire: Wire, experiment: str) -> None:
    host = wire.base.removesuffix("/mlflow/wire")
    assert host != wire.base
    for root in (Wire(host, wire.token), Wire(f"{host}/mlflow/wire", wire.token)):
        assert root.get("experiments/get", experiment_id=experiment)["experiment"]["experiment_id"] == experiment
    run = Wire(host, wire.token).new_run(experiment)
    assert MlflowClient(tracking_uri=host).get_run(run).info.experiment_id == experiment
    client = MlflowClient(tracking_uri=host)
    client.log_text(run, "through the root", "a.txt")
    assert [entry.path for entry in client.list_artifacts(run)] == ["a.txt"]


@mled_only
def test_a_header_may_name_the_project(wire: Wire, experiment: str) -> None:
    host = Wire(wire.base.removesuffix("/mlflow/wire"), wire.token)
    for project, status in (("wire", 200), ("no-such-project", 404)):
        answer = host.call(
            "GET",
            "api/2.0/mlflow/experiments/get",
            params={"experiment_id": experiment},
            headers={"X-MLFLOW-WORKSPACE": project},
        )
        assert answer.status_code == status
