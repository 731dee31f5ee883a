"""Experiments: names, deletion and restoration, tags, times, and where their artifacts live."""

import re
import time
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import RestException

from tests.client.wire import INVALID, MISSING, TAKEN, Wire, mled_only, unique


def experiment_of(wire: Wire, experiment_id: str) -> Any:
    return wire.get("experiments/get", experiment_id=experiment_id)["experiment"]


def tags_of(wire: Wire, experiment_id: str) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in experiment_of(wire, experiment_id).get("tags", [])}


def stage_of(wire: Wire, run_id: str) -> str:
    return str(wire.run(run_id)["info"]["lifecycle_stage"])


def test_an_id_is_a_plain_short_string(wire: Wire, experiment: str) -> None:
    found = experiment_of(wire, experiment)
    assert isinstance(found["experiment_id"], str)
    assert re.fullmatch(r"[A-Za-z0-9][\w-]{0,63}", found["experiment_id"])
    by_name = wire.get("experiments/get-by-name", experiment_name=found["name"])["experiment"]
    assert by_name == found


def test_a_default_experiment_is_there_from_the_start_and_accepts_runs(wire: Wire) -> None:
    default = experiment_of(wire, "0")
    assert (default["name"], default["experiment_id"], default["lifecycle_stage"]) == ("Default", "0", "active")
    assert wire.get("experiments/get-by-name", experiment_name="Default")["experiment"]["experiment_id"] == "0"
    run = wire.new_run("0")
    assert wire.run(run)["info"]["experiment_id"] == "0"
    found = wire.post("runs/search", experiment_ids=["0"], filter=f"run_id = '{run}'")["runs"]
    assert [one["info"]["experiment_id"] for one in found] == ["0"]


def test_a_name_that_is_taken_is_refused(wire: Wire) -> None:
    name = unique("twice")
    wire.new_experiment(name=name)
    assert wire.refused("experiments/create", name=name) == TAKEN


def test_names_differ_by_case(wire: Wire) -> None:
    name = unique("Case")
    assert wire.new_experiment(name=name) != wire.new_experiment(name=name.lower())


def test_a_deleted_experiment_keeps_its_name(wire: Wire) -> None:
    name = unique("kept")
    wire.post("experiments/delete", experiment_id=wire.new_experiment(name=name))
    assert wire.refused("experiments/create", name=name) == TAKEN


@pytest.mark.parametrize("name", ["", None, *(pytest.param(blank, marks=mled_only) for blank in (" ", "\t\n "))])
def test_an_empty_name_is_refused(wire: Wire, name: str | None) -> None:
    assert wire.refused("experiments/create", name=name) == INVALID


def test_a_name_may_be_500_characters_long_and_no_longer(wire: Wire) -> None:
    name = (unique("long") + " ü").ljust(500, "x")
    assert experiment_of(wire, wire.new_experiment(name=name))["name"] == name
    assert wire.refused("experiments/create", name=name + "x") == INVALID


@pytest.mark.parametrize(
    "name", ["team/vision/run 1", "日本語 🧪", 'quo\'te "double" `back`', "a%b_c\\d", "/", "..", "#?&="]
)
def test_a_name_may_hold_any_character(wire: Wire, name: str) -> None:
    name = unique(name)
    created = wire.new_experiment(name=name)
    found = wire.get("experiments/get-by-name", experiment_name=name)["experiment"]
    assert (found["experiment_id"], found["name"]) == (created, name)


def test_a_deleted_experiment_can_still_be_read(wire: Wire, experiment: str) -> None:
    name = experiment_of(wire, experiment)["name"]
    wire.post("experiments/delete", experiment_id=experiment)
    assert experiment_of(wire, experiment)["lifecycle_stage"] == "deleted"
    by_name = wire.get("experiments/get-by-name", experiment_name=name)["experiment"]
    assert by_name["lifecycle_stage"] == "deleted"


def test_an_unknown_name_is_missing_so_that_the_client_creates_it(wire: Wire, client: MlflowClient) -> None:
    name = unique("unknown")
    assert wire.refused("experiments/get-by-name", method="GET", experiment_name=name) == MISSING
    assert client.get_experiment_by_name(name) is None


def test_an_unknown_id_is_missing(wire: Wire) -> None:
    assert wire.refused("experiments/get", method="GET", experiment_id="999999999") == MISSING
    for call, more in [
        ("delete", {}),
        ("restore", {}),
        ("update", {"new_name": unique("x")}),
        ("set-experiment-tag", {"key": "k", "value": "v"}),
    ]:
        assert wire.refused(f"experiments/{call}", experiment_id="999999999", **more) == MISSING, call


def test_deleting_takes_the_runs_along_and_restoring_brings_them_back(wire: Wire, experiment: str) -> None:
    runs = [wire.new_run(experiment), wire.new_run(experiment)]
    wire.log(runs[0], "m", 1.5)
    wire.post("experiments/delete", experiment_id=experiment)
    assert {stage_of(wire, run) for run in runs} == {"deleted"}
    wire.post("experiments/restore", experiment_id=experiment)
    assert experiment_of(wire, experiment)["lifecycle_stage"] == "active"
    assert {stage_of(wire, run) for run in runs} == {"active"}
    assert wire.latest(runs[0]) == {"m": (1.5, 0, 1000)}


def test_deleting_twice_is_missing(wire: Wire, experiment: str) -> None:
    wire.post("experiments/delete", experiment_id=experiment)
    assert wire.refused("experiments/delete", experiment_id=experiment) == MISSING


def test_restoring_an_active_experiment_is_missing(wire: Wire, experiment: str) -> None:
    assert wire.refused("experiments/restore", experiment_id=experiment) == MISSING


def test_a_run_cannot_start_in_a_deleted_or_unknown_experiment(wire: Wire, experiment: str) -> None:
    wire.post("experiments/delete", experiment_id=experiment)
    assert wire.refused("runs/create", experiment_id=experiment) == INVALID
    assert wire.refused("runs/create", experiment_id="999999999") == MISSING


def test_a_deleted_experiment_takes_no_tag(wire: Wire, experiment: str) -> None:
    wire.post("experiments/delete", experiment_id=experiment)
    assert wire.refused("experiments/set-experiment-tag", experiment_id=experiment, key="k", value="v") == INVALID


@mled_only
def test_a_deleted_experiment_takes_no_new_name(wire: Wire, experiment: str) -> None:
    name = experiment_of(wire, experiment)["name"]
    wire.post("experiments/delete", experiment_id=experiment)
    assert wire.refused("experiments/update", experiment_id=experiment, new_name=unique("new")).status == 400
    assert experiment_of(wire, experiment)["name"] == name


def test_renaming_works(wire: Wire, experiment: str) -> None:
    name = unique("renamed")
    old = experiment_of(wire, experiment)["name"]
    wire.post("experiments/update", experiment_id=experiment, new_name=name)
    assert experiment_of(wire, experiment)["name"] == name
    assert wire.refused("experiments/get-by-name", method="GET", experiment_name=old) == MISSING


def test_renaming_to_a_taken_name_changes_nothing(wire: Wire, experiment: str) -> None:
    taken = unique("taken")
    wire.new_experiment(name=taken)
    before = experiment_of(wire, experiment)
    assert wire.refused("experiments/update", experiment_id=experiment, new_name=taken).status == 400
    assert experiment_of(wire, experiment) == before


def test_tags_overwrite_and_can_be_deleted_once(wire: Wire) -> None:
    experiment = wire.new_experiment(tags=[{"key": "team", "value": "a"}, {"key": "note", "value": "ü\n'\""}])
    wire.post("experiments/set-experiment-tag", experiment_id=experiment, key="team", value="b")
    assert tags_of(wire, experiment) == {"team": "b", "note": "ü\n'\""}
    wire.post("experiments/delete-experiment-tag", experiment_id=experiment, key="team")
    assert tags_of(wire, experiment) == {"note": "ü\n'\""}
    assert wire.refused("experiments/delete-experiment-tag", experiment_id=experiment, key="team") == MISSING


def test_a_tag_holds_20000_characters_and_a_longer_one_is_refused_whole(wire: Wire, experiment: str) -> None:
    text = "ü" * 20000
    wire.post("experiments/set-experiment-tag", experiment_id=experiment, key="note", value=text)
    assert tags_of(wire, experiment) == {"note": text}
    asked = {"experiment_id": experiment, "key": "note", "value": text + "x"}
    assert wire.refused("experiments/set-experiment-tag", **asked) == INVALID
    assert tags_of(wire, experiment) == {"note": text}


def test_times_are_in_milliseconds(wire: Wire, experiment: str) -> None:
    found = experiment_of(wire, experiment)
    now_ms = time.time() * 1000
    assert abs(found["creation_time"] - now_ms) < 60_000
    assert abs(found["last_update_time"] - now_ms) < 60_000


def test_the_update_time_moves_with_the_name_and_the_lifecycle_only(wire: Wire, experiment: str) -> None:
    first = experiment_of(wire, experiment)

    def moves_after(call: str, **body: Any) -> bool:
        before = experiment_of(wire, experiment)["last_update_time"]
        time.sleep(0.005)
        wire.post(call, experiment_id=experiment, **body)
        return bool(experiment_of(wire, experiment)["last_update_time"] > before)

    assert not moves_after("experiments/set-experiment-tag", key="k", value="v")
    assert not moves_after("runs/create")
    assert moves_after("experiments/update", new_name=unique("moved"))
    assert moves_after("experiments/delete")
    assert moves_after("experiments/restore")
    assert experiment_of(wire, experiment)["creation_time"] == first["creation_time"]


@pytest.mark.parametrize(
    "location", ["s3://bucket/some/path", "gs://bucket", pytest.param("https://example.org/a", marks=mled_only)]
)
def test_a_location_outside_is_returned_unchanged(wire: Wire, location: str) -> None:
    experiment = wire.new_experiment(artifact_location=location)
    assert experiment_of(wire, experiment)["artifact_location"] == location
    run = wire.run(wire.new_run(experiment))["info"]
    assert run["artifact_uri"].startswith(location)
    assert run["run_id"] in run["artifact_uri"]


@mled_only
@pytest.mark.parametrize("location", ["/etc", "relative/path", "file:///tmp/x", "FILE:/tmp", "./x", "C:\\data"])
def test_a_local_location_is_refused(wire: Wire, location: str) -> None:
    assert wire.refused("experiments/create", name=unique("local"), artifact_location=location) == INVALID


@pytest.mark.parametrize("location", ["runs:/abc/model", pytest.param("mlflow-artifacts:/x?y=1", marks=mled_only)])
def test_a_location_that_names_no_place_is_refused(wire: Wire, location: str) -> None:
    assert wire.refused("experiments/create", name=unique("nowhere"), artifact_location=location) == INVALID


def test_the_servers_own_location_can_be_reached_from_afar(wire: Wire, experiment: str) -> None:
    location = experiment_of(wire, experiment)["artifact_location"]
    assert location.startswith("mlflow-artifacts:/")
    run = wire.run(wire.new_run(experiment))["info"]
    assert run["artifact_uri"] == f"{location}/{run['run_id']}/artifacts"


def test_the_client_creates_finds_renames_and_deletes(client: MlflowClient) -> None:
    name = unique("by the client")
    created = client.create_experiment(name, tags={"team": "vision"})
    assert client.get_experiment_by_name(name).tags == {"team": "vision"}
    client.rename_experiment(created, name + " 2")
    client.delete_experiment(created)
    assert client.get_experiment(created).lifecycle_stage == "deleted"
    client.restore_experiment(created)
    assert client.get_experiment(created).name == name + " 2"
    with pytest.raises(RestException) as refused:
        client.create_experiment(name + " 2")
    assert refused.value.error_code == "RESOURCE_ALREADY_EXISTS"
