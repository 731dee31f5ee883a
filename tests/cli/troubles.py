"""A road between a client and a live server that breaks where a test says so: real sockets, real answers."""

from __future__ import annotations

import http.client
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Busy:
    """Answer with this status in the server's place."""

    status: int = 503
    retry_after: str = "0"


@dataclass(frozen=True)
class Lost:
    """Pass the call on, and lose its answer."""


@dataclass(frozen=True)
class Cut:
    """Pass the call on, and break off after so many bytes of the answer's body."""

    after: int


@dataclass
class Road:
    """What the next calls meet, and what came by: (method, path, headers)."""

    url: str = ""
    ahead: deque[Busy | Lost | Cut | None] = field(default_factory=deque)
    passed: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def road_to(url: str) -> Iterator[Road]:
    """A road to that server; without troubles ahead it is open."""
    road, there = Road(), urlsplit(url)

    class Traveller(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def travel(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            road.passed.append((self.command, self.path, dict(self.headers)))
            trouble = road.ahead.popleft() if road.ahead else None
            self.close_connection = True
            if isinstance(trouble, Busy):
                self.send_response(trouble.status)
                self.send_header("Retry-After", trouble.retry_after)
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()
                return
            onward = http.client.HTTPConnection(there.hostname or "", there.port or 80, timeout=30)
            headers = {name: text for name, text in self.headers.items() if name.lower() != "connection"}
            onward.request(self.command, self.path, body=sent or None, headers=headers)
            answer = onward.getresponse()
            body = answer.read()
            onward.close()
            if isinstance(trouble, Lost):
                return
            self.send_response(answer.status)
            for name, text in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                    self.send_header(name, text)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body[: trouble.after] if isinstance(trouble, Cut) else body)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = travel  # noqa: N815  # as http.server finds them

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Traveller)
    road.url = f"http://127.0.0.1:{server.server_address[1]}"
    walking = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    walking.start()
    try:
        yield road
    finally:
        server.shutdown()
        server.server_close()
        walking.join()
