"""The protocol's calls go past Django's frame, and are answered as they would be within it."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection
from django.urls import get_script_prefix, set_script_prefix

from experiments.actions.batches import log_batch
from experiments.queries.experiments import wire_id
from mled_site.kept_connections import kept
from mled_site.wsgi import application
from tests.factories import Team, a_batch, a_run, a_team, a_token, an_experiment

API = "api/2.0/mlflow/"


def environ_of(path: str, body: bytes, *, token: str = "", method: str = "POST", **more: Any) -> dict[str, Any]:
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "", "SCRIPT_NAME": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr, "wsgi.version": (1, 0),
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json",
    }  # fmt: skip
    if token:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return environ | more


def asked(app: Any, environ: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body of an answer."""
    begun: list[Any] = []
    pieces: Iterable[bytes] = app(environ, lambda status, headers: begun.append((status, dict(headers))))
    body = b"".join(pieces)
    if hasattr(pieces, "close"):
        pieces.close()
    return (*begun[0], body)


@pytest.fixture(name="team")
def _team(committed_db: None) -> Team:
    return a_team()


@pytest.fixture(name="calls")
def _calls(team: Team) -> dict[str, dict[str, Any]]:
    root, secret = f"/mlflow/{team.project.slug}/{API}", a_token(team.scientist)[1]
    own, place = a_run(team.scientist), wire_id(an_experiment(team.scientist))
    log_batch(team.scientist, own, batch=a_batch(loss=[0.5, 0.25]))
    run = own.uid.hex
    file = f"{root.removesuffix('mlflow/')}mlflow-artifacts/artifacts/{wire_id(own.experiment)}/{run}/artifacts/a.txt"
    sent = {"path": file, "token": secret, "CONTENT_TYPE": "text/plain"}
    search = json.dumps({"experiment_ids": [place], "max_results": 5}).encode()
    tag = json.dumps({"run_id": run, "key": "stage", "value": "é"}).encode()
    return {
        "a search": {"path": f"{root}runs/search", "body": search, "token": secret},
        "a write": {"path": f"{root}runs/set-tag", "body": tag, "token": secret},
        "no token": {"path": f"{root}runs/search", "body": search},
        "no JSON": {"path": f"{root}runs/search", "body": b"{", "token": secret},
        "no such call": {"path": f"{root}runs/no-such", "body": b"{}", "token": secret},
        "no such host": {"path": f"{root}runs/search", "body": search, "token": secret, "HTTP_HOST": "elsewhere"},
        "a NUL": {"path": f"{root}runs/search\x00", "body": search, "token": secret},
        "a broken body": {"path": f"{root}runs/search", "body": search[:9], "token": secret, "CONTENT_LENGTH": "99"},
        "a page": {"path": "/no/such/page", "body": b""},
        "a path that is no UTF-8": {"path": f"{root}\xff\xfe", "body": b"{}", "token": secret},
        "a read": {"path": f"{root}runs/get", "body": b"", "token": secret, "method": "GET",
                   "QUERY_STRING": f"run_id={run}"},
        "a history": {"path": f"{root}metrics/get-history", "body": b"", "token": secret, "method": "GET",
                      "QUERY_STRING": f"run_id={run}&metric_key=loss"},
        "a file up": {**sent, "method": "PUT", "body": b"weights"},
        "a file down": {**sent, "method": "GET", "body": b""},
        "a part of it": {**sent, "method": "GET", "body": b"", "HTTP_RANGE": "bytes=2-4"},
        "its head": {**sent, "method": "HEAD", "body": b""},
    }  # fmt: skip


def test_each_call_is_answered_as_within_django(calls: dict[str, dict[str, Any]]) -> None:
    statuses = {}
    for name, call in calls.items():
        said = []
        for app in (application, application.pages):
            status, headers, body = asked(app, environ_of(**call, HTTP_X_REQUEST_ID="one-and-the-same"))
            if headers["Content-Type"].startswith("text/html"):  # a page has a nonce of its own
                headers, body = dict.fromkeys(headers, ""), b""
            said.append((status, headers, body))
        assert said[0] == said[1], name
        statuses[name] = said[0][0].split()[0]
    assert statuses == {
        "a search": "200", "a write": "200", "no token": "401", "no JSON": "400", "no such call": "404",
        "no such host": "400", "a NUL": "400", "a broken body": "400", "a page": "404",
        "a path that is no UTF-8": "404", "a read": "200", "a history": "200", "a file up": "200",
        "a file down": "200", "a part of it": "206", "its head": "200",
    }  # fmt: skip


def test_a_refusal_is_in_the_log(calls: dict[str, dict[str, Any]], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "django.request"):
        asked(application, environ_of(**calls["no token"]))
    assert [record.getMessage() for record in caplog.records] == [f"Unauthorized: {calls['no token']['path']}"]


@pytest.mark.parametrize("name", ["a read", "a search"])
def test_what_a_refused_call_still_carries_is_read(calls: dict[str, dict[str, Any]], name: str) -> None:
    """A client that is sending yet would not see the answer; and a GET may have a body, too."""
    environ = environ_of(**{**calls[name], "token": "", "body": b'{"run_id": "x"}'})
    assert asked(application, environ)[0].startswith("401")
    assert environ["wsgi.input"].read() == b""


def test_a_connection_that_broke_is_another_for_the_next_call(calls: dict[str, dict[str, Any]]) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("A file does not hang up.")
    assert asked(application, environ_of(**calls["a write"]))[0] == "200 OK"
    connection.ensure_connection()
    connection.connection.close()
    statuses = [asked(application, environ_of(**calls["a write"]))[0] for _ in range(2)]
    assert statuses[1] == "200 OK"


def test_the_prefix_that_mled_runs_under_is_known_within_a_call(calls: dict[str, dict[str, Any]]) -> None:
    before = get_script_prefix()
    try:
        assert asked(application, environ_of(**calls["a search"], SCRIPT_NAME="/lab"))[0] == "200 OK"
        assert get_script_prefix() == "/lab/"
    finally:
        set_script_prefix(before)


@pytest.mark.parametrize("pool", [8, 2])
def test_a_thread_keeps_its_connection_between_calls_where_the_pool_has_one_for_each(
    calls: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, pool: int
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("A file is kept open in any case.")
    monkeypatch.setattr("mled_site.kept_connections._has_enough", lambda threads: pool >= threads)
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)  # as with a pool: each call gives it back
    connection.close()

    def held() -> Any:
        assert asked(application, environ_of(**calls["a search"]))[0] == "200 OK"
        return connection.connection

    assert held() is None
    with kept(threads=4):
        first, second = held(), held()
        assert first is second
        assert (first is not None) is (pool >= 4)
        connection.errors_occurred = True
        assert held() is None, "what went wrong once is given back"
    assert connection.connection is None
