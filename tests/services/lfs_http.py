"""The door of Git LFS beside a git server, and a store of objects at another address: real HTTP on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KIND = "application/vnd.git-lfs+json"


@dataclass
class Lfs:
    """place: where objects are given out, the own server for ''; headers: that are wanted there; gives: by digest what
    is sent in the stead of the content; busy: so many times it is too busy first; tells_headers: as it says that,
    it shows what it was sent."""

    objects: dict[str, bytes] = field(default_factory=dict)
    place: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    gives: dict[str, bytes] = field(default_factory=dict)
    busy: int = 0
    tells_headers: bool = False
    batches: list[int] = field(default_factory=list)
    given: list[str] = field(default_factory=list)

    def keep(self, content: bytes) -> str:
        """Keep an object; its pointer."""
        digest = hashlib.sha256(content).hexdigest()
        self.objects[digest] = content
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes, own: str) -> bool:
        """Answer what concerns it, and say so."""
        name = handler.path.rpartition("/")[2]
        if handler.path.endswith("/info/lfs/objects/batch"):
            self._batch(handler, body, own)
        elif "/kept/" in handler.path:
            self._give(handler, name)
        elif "/moved/" in handler.path:
            handler.send_response(302)
            handler.send_header("Location", f"{self.headers['X-To']}/kept/{name}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        else:
            return False
        return True

    def _batch(self, handler: BaseHTTPRequestHandler, body: bytes, own: str) -> None:
        if self.busy:
            self.busy -= 1
            message = f"Later, {handler.headers['Authorization']}." if self.tells_headers else "Later."
            send(handler, 503, json.dumps({"message": message}).encode())
            return
        asked = json.loads(body)
        assert (handler.headers["Accept"], handler.headers["Content-Type"]) == (KIND, KIND)
        assert asked["operation"] == "download"
        self.batches.append(len(asked["objects"]))
        objects = [{**one, **self._said(one["oid"], self.place or f"{own}/kept")} for one in asked["objects"]]
        send(handler, 200, json.dumps({"transfer": "basic", "objects": objects}).encode(), KIND)

    def _said(self, digest: str, place: str) -> dict[str, Any]:
        if digest not in self.objects:
            return {"error": {"code": 404, "message": "Object does not exist"}}
        return {"actions": {"download": {"href": f"{place}/{digest}", "header": self.headers, "expires_in": 600}}}

    def _give(self, handler: BaseHTTPRequestHandler, digest: str) -> None:
        self.given.append(digest)
        send(handler, 200, self.gives.get(digest, self.objects[digest]), "application/octet-stream")


def send(handler: BaseHTTPRequestHandler, status: int, content: bytes, kind: str = "application/json") -> None:
    """A whole answer."""
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


@dataclass
class Store:
    """Objects at an address of their own. asked: path and headers of each request."""

    address: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def object_store(lfs: Lfs) -> Iterator[Store]:
    """Give out what an LFS server keeps, from another port."""
    told = Store("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            lfs.answer(self, b"", told.address)

        def log_message(self, format: str, *args: Any) -> None:
            """`asked` holds what a test looks at."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield told
        finally:
            server.shutdown()
