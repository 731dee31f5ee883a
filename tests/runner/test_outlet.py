"""The way out for jobs that may use the network: to public addresses and what was opened, and to nothing else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from runner.executors.outlet import Outlet
from runner.executors.sandbox import Sandbox
from tests.runner.executing import Bench
from tests.services.receiver import Receiver

pytestmark = pytest.mark.once

GETS = """
import json, os, sys, urllib.request
for url in sys.argv[1:]:
    try:
        with urllib.request.urlopen(url) as answer: print(answer.status, answer.read().decode().strip())
    except OSError as error:
        print(getattr(error, "reason", error))
"""


class Said(BaseHTTPRequestHandler):
    """Says what it was asked. As a proxy it says so."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.path} of {self.headers['Host']}, {self.headers.get('Connection')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.send_error(407, f"for {self.path} by {self.headers.get('Proxy-Authorization')}")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Said)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def bench(sandbox, tmp_path) -> Bench:
    return Bench(Sandbox(), tmp_path, "outlet")


@pytest.fixture(autouse=True)
def no_proxy_of_ours(monkeypatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_what_was_opened_is_reached_by_programs_that_know_of_nothing(bench, port, settings, tmp_path):
    settings.MLED_JOB_NETWORKS = ["127.0.0.0/8"]
    with Receiver(tmp_path) as receiver:
        https = f"https://127.0.0.1:{receiver.port}/"
        url = f"http://127.0.0.1:{port}/simple/?x=1"
        # what is at 127.0.0.1 is asked without a proxy else
        order = bench.python(GETS.replace("for url", "os.environ['no_proxy'] = ''\nfor url", 1), url, https)
        done = bench.do(replace(order, has_network=True))
    assert done.err == ""
    lines = done.out.splitlines()
    assert lines[0] == f"200 /simple/?x=1 of 127.0.0.1:{port}, close"
    assert "certificate verify failed" in lines[1]


def test_the_machine_and_closed_networks_are_not_reached(bench, port):
    tried = [
        f"http://127.0.0.1.nip.invalid:{port}/",
        f"http://[::ffff:127.0.0.1]:{port}/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://192.168.1.1/",
        "https://10.0.0.1/",
        f"http://0.0.0.0:{port}/",
    ]
    order = bench.python(GETS, *tried)
    lines = bench.do(replace(order, has_network=True)).out.splitlines()
    assert "cannot be found" in lines[0]
    for line in (*lines[1:5], lines[6]):
        assert "which is not a public address" in line
    assert lines[5] == "Tunnel connection failed: 403 10.0.0.1 leads to 10.0.0.1, which is not a public address."


def asked(door: str, words: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.settimeout(20)
        opened.connect(door)
        opened.sendall(words)
        with opened.makefile("rb") as answer:
            return answer.readline()


@pytest.mark.parametrize(
    "words",
    [b"hello\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"CONNECT :99999 HTTP/1.1\r\n\r\n", b"x" * 200_000 + b"\r\n\r\n"],
)
def test_what_is_no_request_to_a_proxy_is_refused(words):
    outlet = Outlet([], 0)
    try:
        assert asked(str(outlet.door), words).startswith(b"HTTP/1.1 403 ")
    finally:
        outlet.close()
    assert not outlet.door.exists()


def test_where_the_worker_goes_by_a_proxy_so_do_its_jobs(port, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("https_proxy", f"http://ada:pass%202@127.0.0.1:{port}")
    outlet = Outlet([], 0)
    try:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.connect(str(outlet.door))
            opened.sendall(b"GET http://pypi.example.org/simple/ HTTP/1.1\r\nHost: pypi.example.org\r\n\r\n")
            assert b"http://pypi.example.org/simple/ of pypi.example.org" in opened.makefile("rb").read()
        refused = asked(str(outlet.door), b"CONNECT pypi.example.org:443 HTTP/1.1\r\n\r\n")
        assert b"407 for pypi.example.org:443 by Basic YWRhOnBhc3MgMg==" in refused
        for inner in (b"localhost", b"10.0.0.1", b"broker", b"metadata.google.internal"):
            assert b" 403 " in asked(str(outlet.door), b"CONNECT " + inner + b":6379 HTTP/1.1\r\n\r\n")
    finally:
        outlet.close()


def test_programs_of_the_worker_go_out_by_a_port(port, monkeypatch):
    with closing(Outlet([], 0, has_port=True)) as shut, closing(Outlet(["127.0.0.1"], 0, has_port=True)) as opened:
        for outlet, status in ((shut, 403), (opened, 200)):
            assert outlet.variables["no_proxy"] == ""
            place = urlsplit(outlet.variables["http_proxy"])
            client = HTTPConnection(str(place.hostname), place.port, timeout=20)
            client.request("GET", f"http://127.0.0.1:{port}/simple/")
            assert client.getresponse().status == status
            client.close()
