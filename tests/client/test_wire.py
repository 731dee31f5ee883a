"""How requests and replies look on the wire, whatever they are about."""

import json
from typing import Any

import pytest

from tests.client.wire import INVALID, MISSING, TAKEN, Wire, mled_only, unique

NOWHERE = "0" * 32


def test_every_error_is_json_with_a_code_and_a_message(wire: Wire) -> None:
    answer = wire.call("GET", "api/2.0/mlflow/runs/get", params={"run_id": NOWHERE})
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert answer.json()["message"]


def test_a_name_that_is_taken_is_a_400(wire: Wire) -> None:
    name = unique("taken")
    wire.post("experiments/create", name=name)
    assert wire.refused("experiments/create", name=name) == TAKEN


def test_a_run_that_does_not_exist_is_a_404(wire: Wire) -> None:
    assert wire.refused("runs/get", method="GET", run_id=NOWHERE) == MISSING


VOID_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}),
    ("runs/log-parameter", {"key": "p", "value": "1"}),
    ("runs/set-tag", {"key": "t", "value": "1"}),
    ("runs/delete-tag", {"key": "t"}),
    ("runs/log-batch", {"params": [{"key": "q", "value": "1"}]}),
    ("runs/log-inputs", {"datasets": [{"dataset": {"name": "d", "digest": "1", "source_type": "s", "source": "x"}}]}),
    ("runs/delete", {}),
    ("runs/restore", {}),
]


def test_writes_to_a_run_answer_an_empty_object(wire: Wire, run: str) -> None:
    for path, body in VOID_CALLS:
        answer = wire.call("POST", f"api/2.0/mlflow/{path}", json={"run_id": run, **body})
        assert (answer.status_code, answer.json()) == (200, {}), path
        assert answer.headers["Content-Type"].startswith("application/json"), path


def test_writes_to_an_experiment_answer_an_empty_object(wire: Wire, experiment: str) -> None:
    for path, body in [
        ("update", {"new_name": unique("renamed")}),
        ("set-experiment-tag", {"key": "t", "value": "1"}),
        ("delete-experiment-tag", {"key": "t"}),
        ("delete", {}),
        ("restore", {}),
    ]:
        assert wire.post(f"experiments/{path}", experiment_id=experiment, **body) == {}, path


def test_unknown_fields_are_ignored(wire: Wire, experiment: str) -> None:
    run = wire.new_run(experiment, colour="blue", nested={"a": [1]})
    wire.post("runs/log-parameter", run_id=run, key="p", value="1", later_field=True)
    assert wire.params(run) == {"p": "1"}


def test_a_null_counts_as_absent(wire: Wire, experiment: str) -> None:
    run = wire.new_run(experiment, run_name=None, tags=None, start_time=5)
    assert wire.run(run)["info"]["run_name"]
    wire.post("runs/log-metric", run_id=run, key="m", value=1, timestamp=2, step=None)
    assert wire.latest(run) == {"m": (1, 0, 2)}


def test_integers_may_come_as_strings_and_leave_as_numbers(wire: Wire, experiment: str) -> None:
    run = wire.new_run(experiment, start_time="1700000000123")
    wire.post("runs/log-metric", run_id=run, key="m", value=1, timestamp="1700000000456", step="7")
    wire.post("runs/update", run_id=run, end_time="1700000000789")
    info = wire.run(run)["info"]
    assert (info["start_time"], info["end_time"]) == (1700000000123, 1700000000789)
    assert wire.latest(run) == {"m": (1, 7, 1700000000456)}


def test_names_may_be_written_in_camel_case_as_protobuf_does(wire: Wire, experiment: str) -> None:
    run = wire.post(
        "runs/create",
        experimentId=experiment,
        runName="humps",
        startTime="77",
        tags=[{"key": "experimentId", "value": "runId"}],
    )["run"]["info"]
    assert (run["experiment_id"], run["run_name"], run["start_time"]) == (experiment, "humps", 77)
    wire.post("runs/update", run_id=run["run_id"], endTime=99)
    dataset = {"name": unique("d"), "digest": "1", "sourceType": "s3", "source": "x"}
    wire.post("runs/log-inputs", run_id=run["run_id"], datasets=[{"dataset": dataset}])
    stored = wire.run(run["run_id"])
    assert stored["inputs"]["dataset_inputs"][0]["dataset"]["source_type"] == "s3"
    assert (wire.tags(run["run_id"])["experimentId"], stored["info"]["end_time"]) == ("runId", 99)
    found = wire.post("runs/search", experimentIds=[experiment], maxResults=1)["runs"]
    assert [one["info"]["run_id"] for one in found] == [run["run_id"]]


def test_both_ways_to_write_one_name_are_refused(wire: Wire, experiment: str) -> None:
    assert wire.refused("runs/create", experiment_id=experiment, experimentId="0") == INVALID


@mled_only
def test_required_names_may_be_in_camel_case_too(wire: Wire, run: str) -> None:
    """MLflow's server looks for these in one way alone."""
    wire.post("runs/log-batch", runId=run, params=[{"key": "runId", "value": "run_id"}])
    assert wire.params(run) == {"runId": "run_id"}


def test_a_get_without_a_query_may_ask_in_its_body(wire: Wire, experiment: str, run: str) -> None:
    told = wire.call("GET", "api/2.0/mlflow/runs/get", json={"run_id": run}).json()
    assert told["run"]["info"]["run_id"] == run
    assert wire.call("GET", "api/2.0/mlflow/experiments/get", json={"experiment_id": experiment}).status_code == 200
    refused = wire.call("GET", "api/2.0/mlflow/runs/get", data=b"{", headers={"Content-Type": "application/json"})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    ("number", "name"), [(1, "RUNNING"), (2, "SCHEDULED"), (3, "FINISHED"), (4, "FAILED"), (5, "KILLED")]
)
def test_a_status_is_taken_by_number_or_name_and_given_by_name(wire: Wire, run: str, number: int, name: str) -> None:
    assert wire.post("runs/update", run_id=run, status=number)["run_info"]["status"] == name
    assert wire.post("runs/update", run_id=run, status=name)["run_info"]["status"] == name
    assert wire.run(run)["info"]["status"] == name


@mled_only
def test_an_unknown_status_is_refused(wire: Wire, run: str) -> None:
    assert wire.refused("runs/update", run_id=run, status="SLEEPING").status == 400
    assert wire.run(run)["info"]["status"] == "RUNNING"


def test_a_view_type_is_taken_by_number(wire: Wire, experiment: str) -> None:
    kept, gone = wire.new_run(experiment), wire.new_run(experiment)
    wire.post("runs/delete", run_id=gone)
    seen = {
        view: {run["info"]["run_id"] for run in found.get("runs", [])}
        for view in (1, 2, 3)
        for found in [wire.post("runs/search", experiment_ids=[experiment], run_view_type=view)]
    }
    assert seen == {1: {kept}, 2: {gone}, 3: {kept, gone}}


REQUIRED: list[tuple[str, dict[str, Any], str]] = [
    ("experiments/create", {}, "name"),
    ("experiments/update", {"new_name": "x"}, "experiment_id"),
    ("experiments/update", {"experiment_id": "0"}, "new_name"),
    ("experiments/delete", {}, "experiment_id"),
    ("experiments/restore", {}, "experiment_id"),
    ("experiments/set-experiment-tag", {"key": "k", "value": "v"}, "experiment_id"),
    ("experiments/set-experiment-tag", {"experiment_id": "0", "value": "v"}, "key"),
    ("runs/update", {"status": "FINISHED"}, "run_id"),
    ("runs/delete", {}, "run_id"),
    ("runs/restore", {}, "run_id"),
    ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}, "run_id"),
    ("runs/log-metric", {"run_id": NOWHERE, "value": 1, "timestamp": 1}, "key"),
    ("runs/log-metric", {"run_id": NOWHERE, "key": "m", "timestamp": 1}, "value"),
    ("runs/log-metric", {"run_id": NOWHERE, "key": "m", "value": 1}, "timestamp"),
    ("runs/log-parameter", {"key": "p", "value": "1"}, "run_id"),
    ("runs/log-parameter", {"run_id": NOWHERE, "value": "1"}, "key"),
    ("runs/log-batch", {"params": []}, "run_id"),
    ("runs/set-tag", {"key": "t", "value": "1"}, "run_id"),
    ("runs/set-tag", {"run_id": NOWHERE, "value": "1"}, "key"),
    ("runs/delete-tag", {"run_id": NOWHERE}, "key"),
    ("runs/log-inputs", {"datasets": []}, "run_id"),
]


@pytest.mark.parametrize(("path", "body", "field"), REQUIRED, ids=[f"{path}-{field}" for path, _, field in REQUIRED])
def test_a_missing_field_is_named(wire: Wire, path: str, body: dict[str, Any], field: str) -> None:
    refusal = wire.refused(path, **body)
    assert refusal == INVALID
    assert field in refusal.message


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("experiments/get", {}, "experiment_id"),
        ("experiments/get-by-name", {}, "experiment_name"),
        ("runs/get", {}, "run_id"),
        ("metrics/get-history", {"metric_key": "m"}, "run_id"),
        ("metrics/get-history", {"run_id": NOWHERE}, "metric_key"),
    ],
)
def test_a_missing_query_parameter_is_named(wire: Wire, path: str, params: dict[str, str], field: str) -> None:
    refusal = wire.refused(path, method="GET", **params)
    assert refusal == INVALID
    assert field in refusal.message


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"\xff\xfe",
        b'{"name": NaN}',
        pytest.param(b"[1]", marks=mled_only),
        pytest.param(b'"text"', marks=mled_only),
    ],
)
def test_a_body_that_is_no_json_object_is_a_400_in_json(wire: Wire, body: bytes) -> None:
    answer = wire.call(
        "POST", "api/2.0/mlflow/experiments/create", data=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json()["error_code"]


def test_an_unknown_path_is_a_404(wire: Wire) -> None:
    assert wire.call("POST", "api/2.0/mlflow/runs/fly", json={}).status_code == 404


def test_a_wrong_method_is_a_404_or_405(wire: Wire) -> None:
    assert wire.call("GET", "api/2.0/mlflow/runs/create").status_code in (404, 405)
    assert wire.call("DELETE", "api/2.0/mlflow/experiments/get").status_code in (404, 405)


@mled_only
def test_an_unknown_path_and_a_wrong_method_answer_in_json(wire: Wire) -> None:
    assert wire.call("POST", "api/2.0/mlflow/runs/fly", json={}).json()["error_code"] == "ENDPOINT_NOT_FOUND"
    assert wire.call("GET", "api/2.0/mlflow/runs/create").json()["error_code"]


@mled_only
def test_a_call_of_the_protocol_that_is_not_served_says_so_by_name(wire: Wire) -> None:
    answer = wire.call("POST", "api/2.0/mlflow/webhooks", json={})
    assert answer.status_code in (404, 501)
    assert "webhooks" in answer.json()["message"]


def test_a_list_in_a_query_string_is_a_repeated_key(wire: Wire) -> None:
    mark = unique("listed")
    for name in ("a", "b"):
        wire.post("experiments/create", name=f"{mark} {name}")
    for order_by, expected in [
        (["name DESC", "creation_time ASC"], ["b", "a"]),
        (["name DESC"], ["b", "a"]),
        (["name ASC"], ["a", "b"]),
    ]:
        found = wire.get("experiments/search", filter=f"name LIKE '{mark}%'", max_results=10, order_by=order_by)
        assert [one["name"][-1] for one in found["experiments"]] == expected


def test_a_run_is_also_found_by_its_older_field_name(wire: Wire, run: str) -> None:
    info = wire.get("runs/get", run_uuid=run)["run"]["info"]
    assert info["run_id"] == info["run_uuid"] == run
    wire.post("runs/log-metric", run_uuid=run, key="m", value=1, timestamp=3)
    wire.post("runs/log-parameter", run_uuid=run, key="p", value="1")
    wire.post("runs/set-tag", run_uuid=run, key="t", value="1")
    wire.post("runs/update", run_uuid=run, status="FINISHED")
    assert wire.latest(run) == {"m": (1, 0, 3)}
    assert wire.params(run) == {"p": "1"}
    assert wire.tags(run)["t"] == "1"
    assert wire.run(run)["info"]["status"] == "FINISHED"
    assert wire.get("metrics/get-history", run_uuid=run, metric_key="m")["metrics"][0]["value"] == 1


@mled_only
def test_the_older_field_name_works_in_every_write(wire: Wire, run: str) -> None:
    wire.post("runs/log-batch", run_uuid=run, params=[{"key": "p", "value": "1"}])
    wire.post("runs/set-tag", run_uuid=run, key="t", value="1")
    wire.post("runs/delete-tag", run_uuid=run, key="t")
    wire.post("runs/delete", run_uuid=run)
    wire.post("runs/restore", run_uuid=run)
    assert wire.params(run) == {"p": "1"}


def test_raw_unicode_survives_with_a_charset_in_the_content_type(wire: Wire, run: str) -> None:
    text = "Grüße, 日本語, עברית, 🧪 \u0001 \t"
    answer = wire.call(
        "POST",
        "api/2.0/mlflow/runs/log-parameter",
        data=json.dumps({"run_id": run, "key": "p", "value": text}, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    assert answer.status_code == 200
    assert wire.params(run) == {"p": text}


def test_the_ajax_paths_answer_alike(wire: Wire, run: str) -> None:
    assert wire.call("GET", "ajax-api/2.0/mlflow/runs/get", params={"run_id": run}).json()["run"] == wire.run(run)
    asked = {"run_id": run, "key": "p", "value": "1"}
    assert wire.call("POST", "ajax-api/2.0/mlflow/runs/log-parameter", json=asked).json() == {}
    assert wire.params(run) == {"p": "1"}


WRONG_TYPES: list[tuple[str, dict[str, Any]]] = [
    ("experiments/create", {"name": 5}),
    ("experiments/create", {"name": {"a": 1}}),
    ("experiments/create", {"name": "x", "tags": "t"}),
    ("runs/create", {"experiment_id": [1]}),
    ("runs/create", {"experiment_id": "0", "start_time": "soon"}),
    ("runs/create", {"experiment_id": "0", "start_time": 1.5}),
    ("runs/create", {"experiment_id": "0", "start_time": 10**30}),
    ("runs/search", {"experiment_ids": "0"}),
    ("runs/search", {"experiment_ids": ["0"], "filter": 5}),
    ("runs/search", {"experiment_ids": ["0"], "max_results": "many"}),
    ("runs/search", {"experiment_ids": ["0"], "run_view_type": "SOME"}),
    ("runs/log-metric", {"run_id": NOWHERE, "key": "m", "value": [1], "timestamp": 1}),
    ("runs/log-metric", {"run_id": NOWHERE, "key": "m", "value": 1, "timestamp": 1, "step": 2**63}),
    ("runs/log-metric", {"run_id": NOWHERE, "key": "m", "value": 1, "timestamp": "x"}),
    ("runs/log-batch", {"run_id": NOWHERE, "metrics": {"m": 1}}),
    ("runs/log-batch", {"run_id": NOWHERE, "params": [["p", "1"]]}),
    ("runs/get", {"run_id": "../../etc/passwd"}),
    ("runs/get", {"run_id": "not\x00a run"}),
]


@mled_only
@pytest.mark.parametrize(("path", "body"), WRONG_TYPES, ids=[f"{path}-{n}" for n, (path, _) in enumerate(WRONG_TYPES)])
def test_a_value_of_the_wrong_kind_is_the_users_mistake(wire: Wire, path: str, body: dict[str, Any]) -> None:
    assert wire.refused(path, method="GET" if path == "runs/get" else "POST", **body).code in (
        "INVALID_PARAMETER_VALUE",
        "BAD_REQUEST",
        "RESOURCE_DOES_NOT_EXIST",
    )


@mled_only
@pytest.mark.parametrize(
    "authorization", [None, "Bearer mled_wrong", "Bearer ", "Basic bm9ib2R5Om5vdGhpbmc=", "Digest x"]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "api/2.0/mlflow/experiments/get?experiment_id=0"),
        ("POST", "api/2.0/mlflow/runs/create"),
        ("GET", "api/2.0/mlflow-artifacts/artifacts?path=x"),
        ("PUT", "api/2.0/mlflow-artifacts/artifacts/x/y"),
        ("GET", "ajax-api/2.0/mlflow/experiments/search?max_results=1"),
    ],
)
def test_without_a_good_token_nothing_is_answered(
    wire: Wire, method: str, path: str, authorization: str | None
) -> None:
    stranger = Wire(wire.base, token="")
    if authorization:
        stranger.session.headers["Authorization"] = authorization
    answer = stranger.call(method, path)
    assert answer.status_code in (401, 403)
    assert answer.json()["error_code"] in ("UNAUTHENTICATED", "PERMISSION_DENIED")


@mled_only
def test_the_token_also_works_as_the_password_of_basic(wire: Wire) -> None:
    basic = Wire(wire.base, token="")
    basic.session.auth = ("anyone", wire.token)
    assert basic.get("experiments/get", experiment_id="0")["experiment"]["name"] == "Default"


def test_writes_need_no_csrf_token_even_from_a_browser(wire: Wire, run: str) -> None:
    answer = wire.call(
        "POST",
        "api/2.0/mlflow/runs/set-tag",
        json={"run_id": run, "key": "t", "value": "1"},
        headers={"Cookie": "csrftoken=stale; sessionid=stale"},
    )
    assert answer.status_code == 200


def test_nothing_is_redirected(wire: Wire, run: str) -> None:
    assert wire.call("GET", "api/2.0/mlflow/runs/get", params={"run_id": run}).status_code == 200
    assert wire.call("GET", "api/2.0/mlflow/runs/get/", params={"run_id": run}).status_code in (200, 404)


def test_a_patch_body_is_read(wire: Wire, experiment: str) -> None:
    model = wire.post("logged-models", experiment_id=experiment, name="m")["model"]["info"]["model_id"]
    asked = {"model_id": model, "status": "LOGGED_MODEL_READY"}
    assert wire.patch(f"logged-models/{model}", **asked)["model"]["info"]["status"] == "LOGGED_MODEL_READY"


def test_the_server_says_that_it_is_well(wire: Wire) -> None:
    assert wire.call("GET", "health").text.strip() == "OK"
    assert wire.call("GET", "version").status_code == 200
