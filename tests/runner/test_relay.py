"""The way from a job to MLED: what is let through, how it is carried, and what no client of it can do."""

import hashlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from runner.working import relay as relay_module
from runner.working.relay import Relay
from tests.services.processes import free_port
from tests.services.receiver import Receiver

pytestmark = pytest.mark.once
MB = 1 << 20


class Mled(BaseHTTPRequestHandler):
    """A server that tells what came, and answers as the path wants it."""

    protocol_version = "HTTP/1.1"
    half = threading.Event()
    connections = 0

    def setup(self) -> None:
        type(self).connections += 1
        super().setup()

    def answer(self) -> None:
        digest, size = self._read()
        what = self.path.partition("?")[0].rpartition("/")[2]
        if what in {"204", "304"}:
            self.send_response(int(what))
            self.end_headers()
        elif what == "elsewhere":
            self.send_response(303)
            self.send_header("Location", f"http://{self.headers['Host']}/api/v1/me/")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif what in {"chunked", "until-close", "long"}:
            self._long(what)
        else:
            told = {"path": self.path, "headers": dict(self.headers.items()), "digest": digest, "size": size}
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Said", "yes")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    def _read(self) -> tuple[str, int]:
        found, size = hashlib.sha256(), 0
        for piece in self._pieces():
            found.update(piece)
            size += len(piece)
            if size >= MB:
                self.half.set()
        return found.hexdigest(), size

    def _pieces(self) -> Iterator[bytes]:
        left = int(self.headers.get("Content-Length", 0))
        while left and (piece := self.rfile.read(min(left, 65536))):
            left -= len(piece)
            yield piece
        while self.headers.get("Transfer-Encoding") == "chunked":
            length = int(self.rfile.readline(), 16)
            piece = self.rfile.read(length)
            self.rfile.readline()
            if not length:
                return
            yield piece

    def _long(self, what: str) -> None:
        self.send_response(200)
        if what == "long":
            self.send_header("Content-Length", str(8 * MB))
        elif what == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        for number in range(8):
            piece = bytes([number]) * MB
            self.wfile.write(f"{MB:x}\r\n".encode() + piece + b"\r\n" if what == "chunked" else piece)
        if what == "chunked":
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Quiet."""


for _method in relay_module.METHODS:
    setattr(Mled, f"do_{_method}", Mled.answer)

LONG = hashlib.sha256(b"".join(bytes([number]) * MB for number in range(8))).hexdigest()


class Inside(http.client.HTTPConnection):
    """A client at the door."""

    def __init__(self, door: Path) -> None:
        super().__init__("localhost", timeout=20)
        self.door = door

    def connect(self) -> None:
        self.sock = at(self.door)

    def ask(self, method: str, path: str, **more: Any) -> tuple[http.client.HTTPResponse, bytes]:
        with suppress(BrokenPipeError):  # it may be answered before all of it is sent
            self.request(method, path, **more)
        answer = self.getresponse()
        return answer, answer.read()

    def told(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer, body = self.ask(method, path, **more)
        assert answer.status == 200, body
        return dict(json.loads(body))


def at(door: Path) -> socket.socket:
    opened = socket.socket(socket.AF_UNIX)
    opened.settimeout(20)
    opened.connect(str(door))
    return opened


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def mled() -> Iterator[str]:
    Mled.half.clear()
    Mled.connections = 0
    with served(Mled) as url:
        yield url


@pytest.fixture
def door(tmp_path: Path, mled: str) -> Iterator[Path]:
    with Relay(tmp_path / "door", base=mled, slug="vision"):
        yield tmp_path / "door"
    assert not (tmp_path / "door").exists()


@pytest.fixture
def inside(door: Path) -> Iterator[Inside]:
    client = Inside(door)
    yield client
    client.close()


def test_a_request_goes_through_as_it_is_under_mleds_own_name(inside, mled):
    sent = {
        "Authorization": "Bearer mled_secret",
        "Host": "evil.example.org",
        "X-Forwarded-For": "10.0.0.1",
        "Forwarded": "for=10.0.0.1",
        "Cookie": "mled_session=1",
        "Connection": "keep-alive, X-Hop",
        "X-Hop": "1",
        "X-Own": "1",
    }
    told = inside.told("GET", "/mlflow/vision/api/2.0/mlflow/runs/get?run_id=%2Fa&x=%20", headers=sent)
    assert told["path"] == "/mlflow/vision/api/2.0/mlflow/runs/get?run_id=%2Fa&x=%20"
    assert told["headers"] == {
        "Host": mled.removeprefix("http://"),
        "Accept-Encoding": "identity",
        "Authorization": "Bearer mled_secret",
        "X-Own": "1",
    }


def test_one_connection_carries_many_requests_of_every_method(inside):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        told = inside.told(method, "/api/v1/runs/", body=b"abc" if method != "GET" else None)
        assert told["size"] == (3 if method != "GET" else 0)
    answer, body = inside.ask("HEAD", "/api/v1/runs/")
    assert (answer.getheader("X-Said"), int(answer.getheader("Content-Length") or 0) > 0, body) == ("yes", True, b"")
    for status in (204, 304):
        answer, body = inside.ask("GET", f"/api/v1/{status}")
        assert (answer.status, body) == (status, b"")
    assert inside.told("GET", "/api/v1/me/")["path"] == "/api/v1/me/"
    assert Mled.connections == 1


@pytest.mark.parametrize("is_chunked", [False, True])
def test_large_uploads_are_carried_by_pieces(inside, is_chunked):
    """MLED has the first of it before the last is sent."""

    def body() -> Iterator[bytes]:
        for number in range(8):
            yield bytes([number]) * MB
            if number == 3:
                assert Mled.half.wait(20)

    headers = {} if is_chunked else {"Content-Length": str(8 * MB)}
    told = inside.told("PUT", "/api/v1/uploads/x", body=body(), headers=headers, encode_chunked=is_chunked)
    assert (told["size"], told["digest"]) == (8 * MB, LONG)
    assert ("Transfer-Encoding" in told["headers"]) == is_chunked


@pytest.mark.parametrize("how", ["long", "chunked", "until-close"])
def test_large_downloads_are_carried_by_pieces(inside, how):
    _, body = inside.ask("GET", f"/api/v1/{how}")
    assert hashlib.sha256(body).hexdigest() == LONG
    assert inside.told("GET", "/api/v1/me/")["path"] == "/api/v1/me/"


def test_where_mled_sends_somebody_elsewhere_in_itself_the_way_stays_the_same(inside):
    assert inside.ask("GET", "/api/v1/elsewhere")[0].getheader("Location") == "/api/v1/me/"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/admin/",
        "/login/",
        "/mlflow/other/api/2.0/mlflow/runs/get",
        "/mlflow/vision",
        "/mlflow/vision-2/api",
        "/api/v10/",
        "/api/v1/../../admin/",
        "/mlflow/vision/%2e%2E/other/",
        "/mlflow/vision/..%2Fother/",
        "/mlflow/vision/x\\..\\y",
        "http://evil.example.org/api/v1/",
        "*",
    ],
)
def test_no_other_address_is_reached(inside, path):
    answer, body = inside.ask("GET", path)
    assert answer.status in {400, 403}
    assert json.loads(body)["message"]
    assert Mled.connections == 0


BAD = {
    "two lengths": b"POST /api/v1/x HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\nabc",
    "length and chunks": b"POST /api/v1/x HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an older protocol": b"GET /api/v1/x HTTP/1.0\r\n\r\n",
    "the oldest protocol": b"GET /api/v1/x\r\n\r\n",
    "no number": b"POST /api/v1/x HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc",
    "another coding": b"POST /api/v1/x HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "no chunks": b"POST /api/v1/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
    "a negative chunk": b"POST /api/v1/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
    "a header on two lines": b"GET /api/v1/x HTTP/1.1\r\nX-A: 1\r\n X-B: 2\r\n\r\n",
    "too long an address": b"GET /api/v1/" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
    "too long a header": b"GET /api/v1/x HTTP/1.1\r\nX-A: " + b"x" * 70_000 + b"\r\n\r\n",
    "too many headers": b"GET /api/v1/x HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n",
    "an unknown method": b"CONNECT /api/v1/x HTTP/1.1\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n",
    "an address of other letters": "GET /api/v1/ü HTTP/1.1\r\n\r\n".encode(),
}


@pytest.mark.parametrize("what", BAD)
def test_what_could_be_read_in_two_ways_is_refused_and_ends_that_connection_alone(door, inside, what):
    with at(door) as opened:
        opened.sendall(BAD[what])
        with opened.makefile("rb") as answers:
            status = int(answers.readline().split()[1])
            assert 400 <= status <= 505
            answers.read()  # until the connection is closed
    assert inside.told("GET", "/api/v1/me/")["path"] == "/api/v1/me/"


def test_a_client_that_goes_away_in_the_middle_harms_nobody(door, inside):
    for begun in (b"", b"GET /api", b"PUT /api/v1/x HTTP/1.1\r\nContent-Length: 9999999\r\n\r\nabc"):
        with at(door) as opened:
            opened.sendall(begun)
    with at(door) as opened:
        opened.sendall(b"GET /api/v1/long HTTP/1.1\r\n\r\n")
        opened.recv(1000)
    assert inside.told("GET", "/api/v1/me/")["path"] == "/api/v1/me/"


def test_a_body_is_asked_for_only_where_it_is_let_through(door):
    for path, answer in (("/api/v1/x", b"HTTP/1.1 100 "), ("/admin/", b"HTTP/1.1 403 ")):
        with at(door) as opened:
            opened.sendall(f"POST {path} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n".encode())
            assert opened.recv(13) == answer


def test_mled_away_is_said_in_the_words_of_both_protocols(tmp_path):
    with Relay(tmp_path / "door", base=f"http://127.0.0.1:{free_port()}", slug="vision"):
        client = Inside(tmp_path / "door")
        answer, body = client.ask("POST", "/mlflow/vision/api/2.0/mlflow/runs/log-batch", body=b"{}")
        client.close()
    told = json.loads(body)
    assert answer.status == 502
    assert told["error_code"] == told["code"] == "TEMPORARILY_UNAVAILABLE"
    assert "Connection refused" in told["message"]


class Full(BaseHTTPRequestHandler):
    """Answers before it has read what is sent."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self.send_response(413)
        self.send_header("Content-Length", "4")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"full")
        self.rfile.read(MB)  # what is on its way already
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Quiet."""


def test_mled_may_answer_before_it_has_read_all(tmp_path):
    with served(Full) as url, Relay(tmp_path / "door", base=url, slug="vision"), at(tmp_path / "door") as opened:
        opened.sendall(b"PUT /api/v1/x HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n" + bytes(MB))
        with opened.makefile("rb") as answers:
            assert b" 413 " in answers.readline()


def test_too_many_clients_at_once_are_turned_away(tmp_path, mled, monkeypatch):
    monkeypatch.setattr(relay_module, "CLIENTS_MAX", 2)
    with Relay(tmp_path / "door", base=mled, slug="vision"):
        held = [Inside(tmp_path / "door") for _ in range(2)]
        for one in held:
            one.told("GET", "/api/v1/me/")
        with at(tmp_path / "door") as third:
            assert third.recv(1) == b""
        held[0].told("GET", "/api/v1/me/")
        for one in held:
            one.close()


def test_https_is_spoken_to_mled_with_its_certificate_checked(tmp_path, monkeypatch):
    with Receiver(tmp_path) as mled:
        base = f"https://localhost:{mled.port}"
        with Relay(tmp_path / "door", base=base, slug="vision"):
            client = Inside(tmp_path / "door")
            answer, body = client.ask("POST", "/api/v1/x", body=b"abc")
            assert (answer.status, b"certificate verify failed" in body) == (502, True)
            monkeypatch.setenv("SSL_CERT_FILE", mled.authority)
            assert client.ask("POST", "/api/v1/x", body=b"abc")[0].status == 204
            client.close()
    assert mled.got[0].headers["host"] == f"localhost:{mled.port}"
    assert mled.got[0].body == b"abc"


def test_a_long_path_is_no_hindrance(tmp_path, mled):
    deep = tmp_path / ("folder-" * 20)
    deep.mkdir()
    with Relay(deep / "door", base=mled, slug="vision"):
        assert (deep / "door").is_socket()
