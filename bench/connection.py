"""One keep-alive HTTP connection to a server that speaks MLflow's protocol.

Plain http.client, because MLflow's own client costs more per call than a fast server does.
"""

import http.client
import json
import socket
import time
import urllib.parse
from dataclasses import dataclass
from typing import Any

QUICK_ACKNOWLEDGEMENT = getattr(socket, "TCP_QUICKACK", socket.TCP_NODELAY)  # for one exchange; Linux has it
KEPT_ALIVE_SECONDS = 2  # servers keep an idle connection for 5 seconds and more
NOT_SERVED = {404, 405, 501}


class NotServed(Exception):
    """The server does not answer this route."""


@dataclass(frozen=True)
class Server:
    """Where a server is, and what it is called in the table."""

    name: str
    url: str
    token: str = ""

    def connect(self) -> "Connection":
        return Connection(self)


class Connection:
    """`post` and `get` speak JSON below api/2.0/mlflow; `request` speaks bytes anywhere below the tracking URI."""

    def __init__(self, server: Server) -> None:
        where = urllib.parse.urlsplit(server.url)
        self.prefix = where.path.rstrip("/")
        kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
        self.line = kind(where.hostname or "", where.port, timeout=120)
        self.used = time.monotonic()
        self.headers = {"Authorization": f"Bearer {server.token}"} if server.token else {}

    def request(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> bytes:
        """The answer's body. Raises NotServed, or RuntimeError with what the server said."""
        headers = {**self.headers, "Content-Type": kind} if body is not None else self.headers
        if time.monotonic() - self.used > KEPT_ALIVE_SECONDS:
            self.line.close()  # a server may have closed it meanwhile; http.client opens it again
        self.line.request(method, f"{self.prefix}/{path}", body=body, headers=headers)
        # A server that writes head and body apart without TCP_NODELAY waits 40 ms for a delayed acknowledgement
        # (MLflow's does). That is the kernel's time, not the server's: acknowledge at once.
        self.line.sock.setsockopt(socket.IPPROTO_TCP, QUICK_ACKNOWLEDGEMENT, 1)
        answer = self.line.getresponse()
        content = answer.read()
        self.used = time.monotonic()
        if answer.status in NOT_SERVED:
            raise NotServed(f"{method} {path}: {answer.status}")
        if answer.status != 200:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {content[:500]!r}")
        return content

    def post_raw(self, path: str, body: bytes) -> bytes:
        return self.request("POST", f"api/2.0/mlflow/{path}", body)

    def post(self, path: str, **body: Any) -> Any:
        return json.loads(self.post_raw(path, json.dumps(body).encode()))

    def get(self, path: str, **params: Any) -> Any:
        return json.loads(self.request("GET", f"api/2.0/mlflow/{path}?{urllib.parse.urlencode(params, doseq=True)}"))

    def close(self) -> None:
        self.line.close()


def new_run(connection: Connection, experiment_id: str, **fields: Any) -> str:
    run = connection.post("runs/create", experiment_id=experiment_id, start_time=1_700_000_000_000, **fields)
    return str(run["run"]["info"]["run_id"])
