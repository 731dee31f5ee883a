"""Whatever a client sends, it gets an answer in JSON that says what is wrong; never a 500."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from kernel.paging import encode_token, question_digest
from mlflow_api.routes import Route
from tests.factories import Everything
from tests.mlflow_api.speaking import SERVED, Mlflow, Request, good_request, name_of

ASKING = [route for route in SERVED if route.asks is not None]
WITH_BODIES = [route for route in ASKING if route.method != "GET"]

BAD_BODIES: dict[str, bytes] = {
    "no object": b"[1]",
    "a text": b'"run"',
    "null": b"null",
    "cut off": b'{"run_id": "x',
    "no JSON": b"run_id=5",
    "no UTF-8": b'{"run_id": "\xff\xfe"}',
    "a comma too many": b'{"run_id": "x",}',
    "bare NaN": b'{"value": NaN}',
    "nested deeply": b'{"x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "nested objects": b'{"x": ' * 50_000 + b"1" + b"}" * 50_000,
    "the same key twice": b'{"run_id": "x", "run_id": "y"}',
    "the same key twice, hidden": b'{"experiment_id": "0", "experiment\\u005fid" : "1", "a":"b:c"}',
    "the same key twice below": b'{"tags": [{"key": "a", "key": "b", "value": "c"}]}',
    "a lone surrogate": b'{"run_id": "\\ud800"}',
    "a NUL": b'{"run_id": "\\u0000", "experiment_id": "\\u0000", "key": "\\u0000"}',
}
STRANGE: list[Any] = [
    None, True, 5, -1, 1.5, 10**30, -(2**63) - 1, "", " ", "x" * 100_000, "a\x00b", "\u202e", "'; DROP TABLE x; --",
    "../..", "%00", [], [None], [[]], ["x"], [5], [{}], [{"key": "k"}] * 2000, {}, {"key": "k"},
]  # fmt: skip


def check(answer: Any, what: str) -> None:
    """An answer or a clear refusal."""
    assert answer.status_code < 500, f"{what}: {answer.status_code}"
    if answer.status_code >= 400:
        said = json.loads(answer.content)
        assert said["error_code"], what
        assert said["message"], what
        assert "Traceback" not in said["message"], what


@pytest.mark.parametrize("route", WITH_BODIES, ids=name_of)
def test_a_body_that_cannot_be_read_is_refused(route: Route, engineer: Mlflow, things: Everything) -> None:
    path = good_request(route, things).path
    for what, body in BAD_BODIES.items():
        answer = engineer.send(route.method, path, body=body)
        assert answer.status_code == 400, f"{what}: {answer.content!r}"
        check(answer, what)


@pytest.mark.parametrize("route", ASKING, ids=name_of)
def test_a_strange_value_in_any_field_is_no_accident(route: Route, engineer: Mlflow, things: Everything) -> None:
    for field, value, strange in strangely(good_request(route, things)):
        check(engineer.make(strange), f"{field}={value!r:.60}")


def strangely(good: Request) -> Iterator[tuple[str, Any, Request]]:
    """The good request with one field after the other replaced by each strange value, and without it."""
    assert good.route.asks is not None
    for field in msgspec.structs.fields(good.route.asks):
        name = field.encode_name
        rest = {key: value for key, value in good.asked.items() if key != name}
        yield name, "absent", Request(good.route, good.path, rest)
        for value in STRANGE:
            if good.route.method == "GET" and (value is None or isinstance(value, dict)):
                continue
            flat = [str(item) for item in value] if good.route.method == "GET" and isinstance(value, list) else value
            yield name, value, Request(good.route, good.path, {**rest, name: flat})


@pytest.mark.parametrize("route", WITH_BODIES, ids=name_of)
def test_a_missing_field_is_named(route: Route, engineer: Mlflow, things: Everything) -> None:
    required = {"run_id", "key", "value", "timestamp", "name", "experiment_id", "model_json", "status", "path"}
    good = good_request(route, things)
    answer = engineer.send(route.method, good.path, {})
    if answer.status_code == 400:
        said = answer.json()["message"]
        assert "Missing value for required parameter" in said
        assert any(f"'{field}" in said for field in required), said


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
def test_a_body_of_another_type_is_refused(kind: str, engineer: Mlflow) -> None:
    answer = engineer.send("POST", "2.0/mlflow/experiments/create", {"name": "x"}, content_type=kind)
    check(answer, kind)
    assert answer.status_code == 400


def test_a_compressed_body_is_refused(engineer: Mlflow) -> None:
    answer = engineer.send("POST", "2.0/mlflow/experiments/create", {"name": "x"}, headers={"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["field"]) == (400, "Content-Encoding")


@pytest.mark.parametrize(
    "path", ["..", "a/../b", "%2e%2e/a", "%252e%252e/a", "a//b", "a/./b", "", "x" * 1001, "file:/etc/passwd", "a%00b"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_path_that_leads_out_is_refused(method: str, path: str, engineer: Mlflow, things: Everything) -> None:
    root = f"{things.experiment.pk}/{things.run.uid.hex}/artifacts/"
    answer = engineer.send(method, f"2.0/mlflow-artifacts/artifacts/{root}{path}", body=b"x")
    check(answer, path)
    assert answer.status_code in ((400, 200) if method == "DELETE" and not path else (400, 404)), answer.content
    listed = engineer.send("GET", "2.0/mlflow/artifacts/list", {"run_id": things.run.uid.hex, "path": path})
    check(listed, path)


def test_an_absolute_path_is_refused(engineer: Mlflow) -> None:
    answer = engineer.send("GET", "2.0/mlflow-artifacts/artifacts//etc/passwd")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_nul_in_the_address_is_refused(method: str, engineer: Mlflow, things: Everything) -> None:
    for path in ("logged-models/m-%00", f"logged-models/{things.model.model_id}/tags/a%00b", "%00"):
        answer = engineer.send(method, f"2.0/mlflow/{path}", {"status": "LOGGED_MODEL_READY"})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), path


def test_a_nul_in_the_name_of_a_project_is_refused(engineer: Mlflow) -> None:
    assert Mlflow("", "/mlflow/a%00b").send("GET", "2.0/mlflow/runs/get").status_code == 400
    engineer.root = ""
    answer = engineer.send("GET", "2.0/mlflow/runs/get", headers={"x-mlflow-workspace": "a\x00b"})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["runs/search", "experiments/search", "logged-models/search"])
def test_a_page_token_that_is_nested_deeply_is_refused(path: str, engineer: Mlflow) -> None:
    token = base64.urlsafe_b64encode(b'["x", ' + b"[" * 100_000 + b"]" * 100_000 + b"]").decode()
    answer = engineer.send("POST", f"2.0/mlflow/{path}", {"experiment_ids": ["0"], "page_token": token})
    assert (answer.status_code, answer.json()["field"]) == (400, "page_token")


@pytest.mark.parametrize(
    "position", [["1", "2", "9" * 30], ["9" * 30, "2", "3"], [1e300, 2, 3], ["1", "2"], [None] * 3]
)
def test_a_forged_place_in_a_history_is_refused(position: list[Any], engineer: Mlflow, things: Everything) -> None:
    run = things.run.uid.hex
    token = encode_token(question_digest("history", run, "secret-loss"), position)
    asked = {"run_id": run, "metric_key": "secret-loss", "max_results": 1, "page_token": token}
    answer = engineer.send("GET", "2.0/mlflow/metrics/get-history", asked)
    assert (answer.status_code, answer.json()["field"]) == (400, "page_token")


MODEL = '{"artifact_path": "m", "flavors": {}, "utc_time_created": "2026"}'


@pytest.mark.parametrize("history", ["no JSON", "5", "{}", "null", '"x"'])
def test_a_model_is_not_added_to_a_tag_that_holds_no_list(history: str, engineer: Mlflow, things: Everything) -> None:
    run = things.run.uid.hex
    engineer.post("runs/set-tag", run_id=run, key="mlflow.log-model.history", value=history)
    answer = engineer.send("POST", "2.0/mlflow/runs/log-model", {"run_id": run, "model_json": MODEL})
    assert answer.status_code == 400
    assert "holds no list of models" in answer.json()["message"]


def test_a_model_nested_as_deeply_as_can_just_be_read_is_no_accident(engineer: Mlflow, things: Everything) -> None:
    for depth in range(900, 1000, 2):
        nested = MODEL.replace("{}", "[" * depth + "]" * depth)
        asked = {"run_id": things.run.uid.hex, "model_json": nested}
        check(engineer.send("POST", "2.0/mlflow/runs/log-model", asked), f"{depth} deep")
