"""Whatever goes wrong below /api/v1/ is told as problem JSON with a code and the request's id, and is never a 500."""

import json

import pytest
from django.db import OperationalError
from django.test import Client

from experiments.rest.experiments import Experiments
from mled_site.bodies import DEPTH_MAX
from mled_site.rest import NewestFirst
from tests.rest.conftest import token_of

EXPERIMENTS = "/api/v1/projects/vision/experiments/"


def told(answer, status: int, code: str) -> dict:
    """The problem, once it is sure that it is one."""
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), answer.content
    problem = answer.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, "about:blank")
    assert problem["title"]
    assert problem["request_id"] == answer["X-Request-ID"]
    return dict(problem)


@pytest.mark.parametrize(
    ("status", "code", "method", "path", "headers"),
    [
        (401, "UNAUTHENTICATED", "GET", "/api/v1/runs/", {"authorization": ""}),
        (401, "UNAUTHENTICATED", "GET", "/api/v1/runs/", {"authorization": "Bearer mled_no"}),
        (404, "NOT_FOUND", "GET", "/api/v1/projects/no%20slug/", {}),
        (404, "NOT_FOUND", "GET", "/api/v1/runs/%00/", {}),
        (404, "NOT_FOUND", "GET", "/api/v1/runs/VIS-1%00/files/a", {}),
        (404, "NOT_FOUND", "GET", "/api/v1/", {}),
        (404, "NOT_FOUND", "GET", "/api/v1/runs", {}),
        (405, "METHOD_NOT_ALLOWED", "DELETE", "/api/v1/runs/", {}),
        (406, "NOT_ACCEPTABLE", "GET", "/api/v1/runs/", {"accept": "text/html"}),
        (415, "UNSUPPORTED_MEDIA_TYPE", "POST", EXPERIMENTS, {"content-type": "text/csv"}),
        (400, "INVALID", "GET", "/api/v1/runs/?name=a%00b", {}),
        (400, "INVALID", "GET", "/api/v1/runs/?a%00b=1", {}),
        (400, "INVALID", "GET", "/api/v1/runs/?" + "&".join(f"a{n}=1" for n in range(1001)), {}),
        (400, "UNKNOWN_HOST", "GET", "/api/v1/runs/", {"host": "elsewhere.example.org"}),
        (400, "INVALID", "POST", EXPERIMENTS, {"content-length": "x"}),
    ],
)
def test_each_refusal_is_a_problem(people, status, code, method, path, headers):
    headers = {"authorization": f"Bearer {token_of(people['ada'])}", **headers}
    kind = headers.pop("content-type", "application/json")
    client = Client()
    answer = client.generic(method, path, b"{}", content_type=kind, headers=headers)
    problem = told(answer, status, code)
    assert problem.get("hint") or status == 400, problem


def test_common_slips_are_told_with_the_way_out(api, people, vision):
    ada = api("ada")
    assert ada.get("runs", 404)["hint"] == "Did you mean /api/v1/runs/ with a slash at its end?"
    assert ada.get("projects/vision/experiments", 404)["hint"].startswith("Did you mean /api/v1/projects/vision/exp")
    assert ada.get("rums", 404)["hint"].startswith("See /api/v1/docs/")
    assert ada.send("DELETE", "runs/", expecting=405)["title"] == "DELETE is nothing for this address."
    assert "GET" in ada.send("DELETE", "runs/", expecting=405)["hint"]
    assert "limit=100" in ada.get("runs/", 400, limit=0)["hint"]
    kind = ada.post("projects/vision/reports/", {"kind": "complianc"}, 400)
    assert (kind["field"], "'kind' is one of " in kind["hint"]) == ("kind", True)
    unknown = ada.post("projects/vision/reports/", {"runs": ["VIS-1"]}, 400)
    assert unknown["hint"].split("'runs' is nothing here: there are ")[1].startswith("kind")
    nobody = Client().get("/api/v1/runs/").json()
    assert (nobody["title"], "Bearer" in nobody["hint"]) == ("The API wants a token.", True)


@pytest.mark.parametrize(
    ("method", "sure"), [("GET", "nothing was changed"), ("POST", "look before you send it again")]
)
@pytest.mark.parametrize(
    ("error", "status", "code"), [(ZeroDivisionError, 500, "INTERNAL_ERROR"), (OperationalError, 503, "UNAVAILABLE")]
)
def test_a_failure_of_ours_is_told_without_its_words_and_promises_nothing(
    api, vision, monkeypatch, method, sure, error, status, code
):
    """A connection may be lost while it commits: nobody knows then whether what was sent is stored."""

    def broken(*args, **kwargs):
        raise error("password=hunter2")

    monkeypatch.setattr(Experiments, "get_queryset", broken)
    monkeypatch.setattr(Experiments, "project", broken)
    client = api("ada").client
    client.raise_request_exception = False
    answer = client.generic(method, EXPERIMENTS, b'{"name": "x"}', content_type="application/json")
    said = told(answer, status, code)
    assert "hunter2" not in json.dumps(said)
    assert sure in said["title"]
    assert ("Idempotency-Key" in said["hint"]) == (method == "POST")


@pytest.mark.parametrize(
    "body",
    [
        '{"name": "x", "tags": {"a\\u0000": "b"}}',
        '{"name": "x", "tags": {"\\udc00": "b"}}',
        '{"name": "x", "tags": {"a": "\\uD83D"}}',
        '{"name": "x", "extra": ' + "[" * DEPTH_MAX + "]" * DEPTH_MAX + "}",
        '{"name": "x", "extra": ' + '{"a":' * 900 + "1" + "}" * 900 + "}",
        '{"name": "x", "extra": ' + "9" * 5000 + "}",
    ],
)
def test_a_body_that_no_database_holds_is_told(api, vision, body):
    answer = api("ada").client.post(EXPERIMENTS, body, content_type="application/json")
    assert "not the JSON" in told(answer, 400, "PARSE_ERROR")["title"]
    assert vision.experiments.count() == 1


def test_whole_characters_of_two_halves_and_ordinary_depth_pass(api, vision):
    body = '{"name": "\\ud83d\\ude00", "tags": {"a": "b"}, "extra": ' + "[" * 50 + "]" * 50 + "}"
    assert api("ada").client.post(EXPERIMENTS, body, content_type="application/json").status_code == 201


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "", "1e3", "9" * 5000, "٣"])
def test_a_limit_that_is_none_is_told(api, vision, limit):
    answer = api("ada").client.get("/api/v1/runs/", {"limit": limit})
    assert told(answer, 400, "INVALID")["field"] == NewestFirst.page_size_query_param


def test_a_parameter_that_is_not_there_is_told_with_the_one_that_was_meant(api, vision, run):
    one = told(api("ada").client.get("/api/v1/runs/", {"experment": "0"}), 400, "INVALID")
    assert (one["field"], one["title"]) == ("experment", "There is no parameter 'experment' here.")
    assert one["hint"].startswith("Did you mean 'experiment'?")
    both = told(api("ada").client.get("/api/v1/runs/", {"foo": "1", "bar": "2"}), 400, "INVALID")
    assert [problem["field"] for problem in both["problems"]] == ["foo", "bar"]
    single = told(api("ada").client.get(f"/api/v1/runs/{run.uid.hex}/", {"x": "1"}), 400, "INVALID")
    assert single["hint"] == "It takes none."
    written = api("ada").client.post(f"{EXPERIMENTS}?dry=1", "{}", content_type="application/json")
    assert told(written, 400, "INVALID")["field"] == "dry"
    assert api("ada").client.get("/api/v1/runs/", {"format": "json"}).status_code == 200
