"""Runs: how they begin, what they are called, how they end, and what deletion keeps."""

import re
from typing import Any

import pytest
from mlflow import MlflowClient

from tests.client.wire import INVALID, MISSING, Wire, mled_only


def test_a_new_run_is_running_and_has_no_end(wire: Wire, experiment: str) -> None:
    run = wire.post("runs/create", experiment_id=experiment, start_time=1234, user_id="ada")["run"]
    info = run["info"]
    assert (info["status"], info["lifecycle_stage"], info["start_time"]) == ("RUNNING", "active", 1234)
    assert not info.get("end_time")
    assert info["experiment_id"] == experiment
    assert re.fullmatch("[0-9a-f]{32}", info["run_id"])
    assert wire.run(info["run_id"])["info"] == info


def test_a_run_may_start_at_zero(wire: Wire, experiment: str) -> None:
    assert wire.run(wire.new_run(experiment, start_time=0))["info"].get("start_time", 0) == 0


def test_a_run_without_a_name_gets_one(wire: Wire, run: str) -> None:
    name = wire.run(run)["info"]["run_name"]
    assert name
    assert wire.tags(run)["mlflow.runName"] == name


def test_the_name_and_its_tag_say_the_same(wire: Wire, experiment: str) -> None:
    def both(run_id: str) -> tuple[str, str]:
        return wire.run(run_id)["info"]["run_name"], wire.tags(run_id)["mlflow.runName"]

    run = wire.new_run(experiment, run_name="one")
    assert both(run) == ("one", "one")
    assert both(wire.new_run(experiment, tags=[{"key": "mlflow.runName", "value": "two"}])) == ("two", "two")
    wire.post("runs/update", run_id=run, run_name="three")
    assert both(run) == ("three", "three")
    wire.post("runs/set-tag", run_id=run, key="mlflow.runName", value="four")
    assert both(run) == ("four", "four")
    wire.post("runs/log-batch", run_id=run, tags=[{"key": "mlflow.runName", "value": "five"}])
    assert both(run) == ("five", "five")


def test_an_empty_name_changes_nothing_however_it_is_sent(wire: Wire, experiment: str) -> None:
    run = wire.new_run(experiment, run_name="kept")
    wire.post("runs/update", run_id=run, run_name="")
    wire.post("runs/set-tag", run_id=run, key="mlflow.runName", value="")
    wire.post("runs/log-batch", run_id=run, tags=[{"key": "mlflow.runName", "value": ""}, {"key": "t", "value": ""}])
    assert wire.run(run)["info"]["run_name"] == "kept"
    assert (wire.tags(run)["mlflow.runName"], wire.tags(run)["t"]) == ("kept", "")


def test_a_name_that_contradicts_its_tag_is_refused(wire: Wire, experiment: str) -> None:
    tag = [{"key": "mlflow.runName", "value": "b"}]
    assert wire.refused("runs/create", experiment_id=experiment, run_name="a", tags=tag) == INVALID
    assert wire.new_run(experiment, run_name="b", tags=tag)


def test_two_runs_may_have_one_name(wire: Wire, experiment: str) -> None:
    assert wire.new_run(experiment, run_name="same") != wire.new_run(experiment, run_name="same")


def test_an_update_changes_only_what_it_names(wire: Wire, experiment: str) -> None:
    run = wire.new_run(experiment, run_name="first")
    info = wire.post("runs/update", run_id=run, status="FAILED")["run_info"]
    assert (info["status"], info["run_name"]) == ("FAILED", "first")
    info = wire.post("runs/update", run_id=run, run_name="second")["run_info"]
    assert (info["status"], info["run_name"]) == ("FAILED", "second")
    assert info == wire.run(run)["info"]


@pytest.mark.parametrize("path", [["FINISHED", "RUNNING", "FAILED"], ["KILLED", "SCHEDULED", "FINISHED", "RUNNING"]])
def test_any_status_may_follow_any(wire: Wire, run: str, path: list[str]) -> None:
    for status in path:
        assert wire.post("runs/update", run_id=run, status=status)["run_info"]["status"] == status


def test_the_end_is_what_the_client_says(wire: Wire, run: str) -> None:
    wire.post("runs/update", run_id=run, status="FINISHED", end_time=4321)
    assert wire.run(run)["info"]["end_time"] == 4321


def test_a_finished_run_still_takes_data(wire: Wire, run: str) -> None:
    wire.post("runs/update", run_id=run, status="FINISHED", end_time=5)
    wire.log(run, "m", 1)
    wire.post("runs/log-parameter", run_id=run, key="p", value="1")
    wire.post("runs/set-tag", run_id=run, key="t", value="1")
    assert wire.latest(run)["m"][0] == 1
    assert wire.params(run) == {"p": "1"}
    assert wire.tags(run)["t"] == "1"
    assert wire.run(run)["info"]["status"] == "FINISHED"


WRITES: list[tuple[str, dict[str, Any]]] = [
    ("log-metric", {"key": "m", "value": 2, "timestamp": 9}),
    ("log-parameter", {"key": "q", "value": "1"}),
    ("set-tag", {"key": "t", "value": "2"}),
    ("delete-tag", {"key": "t"}),
    ("log-batch", {"metrics": [{"key": "m", "value": 2, "timestamp": 9}]}),
    ("update", {"status": "FINISHED"}),
    ("log-inputs", {"datasets": [{"dataset": {"name": "d", "digest": "1", "source_type": "s", "source": "x"}}]}),
]


@pytest.mark.parametrize(("call", "body"), WRITES, ids=[call for call, _ in WRITES])
def test_a_deleted_run_takes_nothing_and_can_be_read(wire: Wire, run: str, call: str, body: dict[str, Any]) -> None:
    wire.log(run, "m", 1)
    wire.post("runs/set-tag", run_id=run, key="t", value="1")
    wire.post("runs/delete", run_id=run)
    before = wire.run(run)
    assert before["info"]["lifecycle_stage"] == "deleted"
    assert wire.refused(f"runs/{call}", run_id=run, **body) == INVALID
    assert wire.run(run) == before
    assert wire.history(run, "m") == [(1, 0, 1000)]


@pytest.mark.parametrize(("call", "body"), WRITES, ids=[call for call, _ in WRITES])
def test_an_unknown_run_is_missing(wire: Wire, call: str, body: dict[str, Any]) -> None:
    assert wire.refused(f"runs/{call}", run_id="f" * 32, **body) == MISSING


@pytest.mark.parametrize("call", ["delete", "restore"])
def test_an_unknown_run_cannot_be_deleted_or_restored(wire: Wire, call: str) -> None:
    assert wire.refused(f"runs/{call}", run_id="f" * 32) == MISSING


def test_deleting_and_restoring_twice_is_fine(wire: Wire, run: str) -> None:
    wire.post("runs/restore", run_id=run)
    wire.post("runs/delete", run_id=run)
    wire.post("runs/delete", run_id=run)
    assert wire.run(run)["info"]["lifecycle_stage"] == "deleted"


def test_deletion_keeps_everything_for_the_restoration(wire: Wire, client: MlflowClient, experiment: str) -> None:
    run = wire.new_run(experiment, start_time=1, tags=[{"key": "t", "value": "1"}])
    wire.log(run, "m", 1.5, step=3)
    wire.post("runs/log-parameter", run_id=run, key="p", value="1")
    client.log_text(run, "kept", "notes/a.txt")
    before = wire.run(run)
    wire.post("runs/delete", run_id=run)
    wire.post("runs/restore", run_id=run)
    assert wire.run(run) == before
    assert [entry.path for entry in client.list_artifacts(run, "notes")] == ["notes/a.txt"]


def test_nesting_is_a_tag(wire: Wire, client: MlflowClient, experiment: str) -> None:
    parent = wire.new_run(experiment, run_name="parent")
    child = wire.new_run(experiment, tags=[{"key": "mlflow.parentRunId", "value": parent}])
    assert client.get_parent_run(child).info.run_id == parent
    assert client.get_parent_run(parent) is None
    found = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")
    assert [run.info.run_id for run in found] == [child]


def test_a_child_may_come_before_its_parent_or_name_a_stranger(wire: Wire, experiment: str) -> None:
    child = wire.new_run(experiment, tags=[{"key": "mlflow.parentRunId", "value": "e" * 32}])
    assert wire.tags(child)["mlflow.parentRunId"] == "e" * 32


def test_what_the_client_says_about_its_user_and_source_is_kept(wire: Wire, experiment: str) -> None:
    said = {
        "mlflow.user": "ada",
        "mlflow.source.name": "/home/ada/train.py",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": "9f" * 20,
    }
    tags = [{"key": key, "value": value} for key, value in said.items()]
    run = wire.new_run(experiment, user_id="ada", tags=tags)
    assert wire.run(run)["info"]["user_id"] == "ada"
    assert said.items() <= wire.tags(run).items()


@mled_only
def test_a_run_belongs_to_its_project_alone(wire: Wire, run: str) -> None:
    elsewhere = Wire(wire.base.rsplit("/", 1)[0] + "/no-such-project", wire.token)
    answer = elsewhere.call("GET", "api/2.0/mlflow/runs/get", params={"run_id": run})
    assert answer.status_code == 404
    assert run not in answer.text
