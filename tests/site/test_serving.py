"""How connections are served: a thread stays with its client for a moment, and nobody waits for that."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

THREADS = 8  # of the live server: two processes of four


@pytest.fixture(name="line")
def _line(live_mled) -> Iterator[http.client.HTTPConnection]:
    with closing(_connection(live_mled)) as line:
        yield line


def _connection(server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)


def _asked(line: http.client.HTTPConnection, path: str = "/health") -> bytes:
    line.request("GET", path)
    with line.getresponse() as answer:
        assert answer.status == 200
        return answer.read()


def test_one_connection_serves_requests_that_follow_at_once_and_those_that_come_later(line):
    for pause in (0, 0, 0, 0.05, 0, 0.3, 0):
        time.sleep(pause)
        assert _asked(line) == b"OK"
    assert line.sock is not None, "the connection was kept"


def test_a_client_is_served_while_more_connections_than_threads_talk_without_a_pause(live_mled):
    with ExitStack() as stack:
        lines = [stack.enter_context(closing(_connection(live_mled))) for _ in range(3 * THREADS)]
        for _ in range(5):
            for line in lines:
                line.request("GET", "/health")
            for line in lines:
                assert line.getresponse().read() == b"OK"


def test_connections_that_stay_silent_keep_nobody_from_being_served(live_mled, line):
    with ExitStack() as stack:
        for _ in range(2 * THREADS):
            assert _asked(stack.enter_context(closing(_connection(live_mled)))) == b"OK"
        assert _asked(line) == b"OK"


def test_requests_that_were_sent_ahead_are_answered_in_their_order(live_mled):
    one = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    last = b"GET /no/such/page HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", live_mled.port), timeout=20) as plain:
        plain.sendall(one * 3 + last)
        said = b"".join(iter(lambda: plain.recv(65_536), b""))
    assert [line.split()[1] for line in said.split(b"\r\n") if line.startswith(b"HTTP/1.1")] == [
        b"200", b"200", b"200", b"404",
    ]  # fmt: skip


def test_an_answer_of_the_protocol_says_its_length(live_mled, line):
    line.request("GET", "/mlflow/none/api/2.0/mlflow/runs/get?run_id=1")
    with line.getresponse() as refused:
        body = refused.read()
    assert refused.status == 401
    assert body.startswith(b"{")
    live_mled.create_project("lengths")
    live_mled.create_user("length@live.example.org")
    live_mled.add_member("lengths", "length@live.example.org", "data_scientist")
    token = live_mled.issue_token("length@live.example.org", project="lengths")
    line.request(
        "GET",
        "/mlflow/lengths/api/2.0/mlflow/experiments/search?max_results=10",
        headers={"Authorization": f"Bearer {token}"},
    )
    with line.getresponse() as answer:
        body = answer.read()
    assert answer.getheader("Content-Length") == str(len(body))
    assert answer.getheader("Transfer-Encoding") is None
