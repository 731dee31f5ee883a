"""The only way from a job to MLED: HTTP over a Unix socket, let through to this project's addresses and no others.

It lets pass and adds nothing: who may do what, the job's token says. What comes in is written by code of others, so
that a request which could be read in two ways is refused, and a client that misbehaves loses its own connection only.
"""

import http.client
import logging
import os
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Final, Self
from urllib.parse import unquote, urlsplit

import orjson

logger = logging.getLogger("mled.relay")
PIECE: Final = 64 * 1024
CLIENTS_MAX: Final = 128
PATIENCE: Final = 300.0  # seconds that either side may stay silent
IDLE: Final = 1.0  # seconds after which the server may have hung up, so that a new connection is surer
HOP_BY_HOP: Final = frozenset(
    (
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"),
        *("trailer", "transfer-encoding", "upgrade", "expect", "host", "content-length"),
    )
)
# Who speaks to MLED is for MLED to see, not for a job to say.
NOT_THEIRS: Final = frozenset({"cookie", "forwarded", "x-real-ip"})
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Wrong(Exception):
    """A request that is not let through, with what is answered."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Relay:
    """A context: serves at the door until left. base: MLED's own address; slug: the project that is reached."""

    def __init__(self, door: Path, *, base: str, slug: str) -> None:
        self.door = door
        self.base = urlsplit(base)
        self.allowed = (f"/mlflow/{slug}/", "/api/v1/")
        self._server: Server | None = None

    def __enter__(self) -> Self:
        self._server = Server(self)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="relay", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self.door.unlink(missing_ok=True)

    def upstream(self) -> http.client.HTTPConnection:
        """A new connection to MLED."""
        host = self.base.hostname or ""
        if self.base.scheme == "https":
            trusted = ssl.create_default_context()
            return http.client.HTTPSConnection(host, self.base.port, timeout=PATIENCE, context=trusted)
        return http.client.HTTPConnection(host, self.base.port, timeout=PATIENCE)

    def target(self, asked: str) -> str:
        """The path and query to ask MLED for. Raises Wrong."""
        if not asked.isascii():
            raise Wrong(400, "BAD_REQUEST", "The address is not percent-encoded.")
        path = asked.partition("?")[0]
        plain = unquote(path)
        if not path.startswith("/") or "\\" in plain or any(part in {".", ".."} for part in plain.split("/")):
            raise Wrong(400, "BAD_REQUEST", "The address is not a plain path.")
        if not path.startswith(self.allowed):
            where = " and ".join(f"{one}…" for one in self.allowed)
            raise Wrong(403, "PERMISSION_DENIED", f"A job reaches {where} of MLED, not {path[:200]}.")
        return self.base.path.rstrip("/") + asked


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """One thread for each client, up to as many as a job can need."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = CLIENTS_MAX

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.clients = threading.BoundedSemaphore(CLIENTS_MAX)
        self.opened: set[socket.socket] = set()
        super().__init__(str(relay.door), Client)

    def server_bind(self) -> None:
        """By its folder: the whole path may be longer than the system takes."""
        folder = os.open(self.relay.door.parent, os.O_PATH)
        try:
            self.socket.bind(f"/proc/self/fd/{folder}/{self.relay.door.name}")
        finally:
            os.close(folder)
        self.relay.door.chmod(0o600)

    def process_request(self, request: "socket.socket | tuple[bytes, socket.socket]", client_address: object) -> None:
        """Too many at once wait outside of the thread that lets them in: they are turned away."""
        if not self.clients.acquire(blocking=False):
            self.shutdown_request(request)
            return
        if isinstance(request, socket.socket):
            self.opened.add(request)
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def process_request_thread(
        self, request: "socket.socket | tuple[bytes, socket.socket]", client_address: object
    ) -> None:
        """A client, from its first request to its last."""
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            if isinstance(request, socket.socket):
                self.opened.discard(request)
            self.clients.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, or did what nobody does: its connection ends, and no other."""
        logger.debug("a client of the relay was lost", exc_info=True)

    def server_close(self) -> None:
        """Nobody is let in any more, and whoever is in is put out."""
        super().server_close()
        for one in list(self.opened):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class Client(BaseHTTPRequestHandler):
    """One connection from the job: its requests one after another, each carried to MLED and back by pieces."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    _mled: http.client.HTTPConnection | None = None
    _used_at = 0.0

    def log_message(self, format: str, *args: object) -> None:
        """MLED itself notes what it was asked."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no request at all gets words as well."""
        self._refuse(Wrong(code, "BAD_REQUEST", message or "This is no request."))

    def handle_expect_100(self) -> bool:
        """A body is asked for only where the request is let through."""
        return True

    def carry(self) -> None:
        try:
            target = self.server.relay.target(self.path)
            length, is_chunked = self._framing()
            if self.headers.get("Expect", "").lower() == "100-continue":
                self.send_response_only(100)
                self.end_headers()
            answer = self._ask(target, length, is_chunked)
        except Wrong as wrong:
            self._drop()
            self._refuse(wrong)
            return
        try:
            self._answer(answer)
        except (http.client.HTTPException, OSError):
            self._drop()  # the answer has begun: that it breaks off is all that can still be said
            self.close_connection = True

    def finish(self) -> None:
        """The last of this client."""
        self._drop()
        super().finish()

    def _framing(self) -> tuple[int, bool]:
        """How long the body is, and whether it comes in chunks. Raises Wrong where that can be read in two ways."""
        if self.request_version != self.protocol_version:
            raise Wrong(505, "BAD_REQUEST", "HTTP/1.1 is spoken here.")
        if any(set(value) & {"\r", "\n", "\0"} for value in self.headers.values()):
            raise Wrong(400, "BAD_REQUEST", "A header is not on one line.")
        lengths = self.headers.get_all("Content-Length") or []
        coded = self.headers.get_all("Transfer-Encoding") or []
        if len(lengths) > 1 or len(coded) > 1 or (lengths and coded):
            raise Wrong(400, "BAD_REQUEST", "It is not clear how long the body is.")
        if coded and coded[0].strip().lower() != "chunked":
            raise Wrong(501, "NOT_IMPLEMENTED", "A body is sent as it is or in chunks.")
        if lengths and not (lengths[0].isascii() and lengths[0].isdigit()):
            raise Wrong(400, "BAD_REQUEST", "Content-Length is not a number.")
        return int(lengths[0]) if lengths else 0, bool(coded)

    def _ask(self, target: str, length: int, is_chunked: bool) -> http.client.HTTPResponse:
        """MLED's answer. Raises Wrong where MLED cannot be reached."""
        reused = self._mled is not None and monotonic() - self._used_at < IDLE
        try:
            return self._sent(target, length, is_chunked)
        except (http.client.HTTPException, OSError) as error:
            self._drop()
            if not (reused and self.command in {"GET", "HEAD"} and not length and not is_chunked):
                raise _unreachable(error) from error
        try:
            return self._sent(target, 0, False)
        except (http.client.HTTPException, OSError) as error:
            self._drop()
            raise _unreachable(error) from error

    def _sent(self, target: str, length: int, is_chunked: bool) -> http.client.HTTPResponse:
        if self._mled is None or monotonic() - self._used_at >= IDLE:
            self._drop()
            self._mled = self.server.relay.upstream()
        mled = self._mled
        mled.putrequest(self.command, target, skip_host=True, skip_accept_encoding=True)
        mled.putheader("Host", self.server.relay.base.netloc.rpartition("@")[2])
        for name, value in self.headers.items():
            if _passes(name, self.headers.get("Connection", "")):
                mled.putheader(name, value)
        if is_chunked:
            mled.putheader("Transfer-Encoding", "chunked")
        elif length or self.command in {"POST", "PUT", "PATCH"}:
            mled.putheader("Content-Length", str(length))
        mled.endheaders()
        pieces = self._framed() if is_chunked else self._pieces(length)
        for piece in pieces:
            try:
                mled.send(piece)
            except OSError:
                self.close_connection = True  # MLED has answered before it had read all, and the rest is not wanted
                break
        return mled.getresponse()

    def _framed(self) -> Iterator[bytes]:
        for piece in self._chunks():
            yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        yield b"0\r\n\r\n"

    def _pieces(self, length: int) -> Iterator[bytes]:
        while length:
            piece = self.rfile.read(min(PIECE, length))
            if not piece:
                raise Wrong(400, "BAD_REQUEST", "The body ended early.")
            length -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while True:
            line = self.rfile.readline(1024).partition(b";")[0].strip()
            try:
                length = int(line, 16) if line.isalnum() else -1
            except ValueError:
                length = -1
            if length < 0:
                raise Wrong(400, "BAD_REQUEST", "The body is not in chunks.")
            if length == 0:
                self._trailers()
                return
            yield from self._pieces(length)
            self.rfile.readline(8)

    def _trailers(self) -> None:
        """Nothing that follows a body is passed on."""
        while self.rfile.readline(PIECE).strip():
            continue

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        has_body = self.command != "HEAD" and answer.status >= 200 and answer.status not in {204, 304}
        length = answer.getheader("Content-Length")
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if _passes(name, answer.getheader("Connection") or "", to_mled=False):
                self.send_header(name, self._inside(value) if name.lower() == "location" else value)
        is_chunked = has_body and length is None
        if is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif length is not None:
            self.send_header("Content-Length", length)
        self.end_headers()
        while has_body and (piece := answer.read1(PIECE)):
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if is_chunked else piece)
        if is_chunked:
            self.wfile.write(b"0\r\n\r\n")
        answer.read()
        self._used_at = monotonic()
        if answer.will_close:
            self._drop()

    def _inside(self, location: str) -> str:
        """Where MLED sends somebody elsewhere in itself, the job gets there by this same way."""
        base = self.server.relay.base
        own = f"{base.scheme}://{base.netloc}"
        return location.removeprefix(own) if location.startswith(own + "/") else location

    def _refuse(self, wrong: Wrong) -> None:
        """Answered as MLflow's clients understand it; whatever else was sent is not read."""
        self.close_connection = True
        self.request_version = self.protocol_version  # also to whoever spoke another
        body = orjson.dumps({"error_code": wrong.code, "code": wrong.code, "message": str(wrong), "detail": str(wrong)})
        with suppress(OSError):
            self.send_response_only(wrong.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    def _drop(self) -> None:
        if self._mled is not None:
            self._mled.close()
            self._mled = None


for _method in METHODS:
    setattr(Client, f"do_{_method}", Client.carry)


def _passes(name: str, connection: str, *, to_mled: bool = True) -> bool:
    """Whether a header goes on to the other side."""
    lower = name.lower()
    if lower in HOP_BY_HOP or lower in {one.strip().lower() for one in connection.split(",")}:
        return False
    return not (to_mled and (lower in NOT_THEIRS or lower.startswith("x-forwarded-")))


def _unreachable(error: Exception) -> Wrong:
    said = str(error) or type(error).__name__
    return Wrong(502, "TEMPORARILY_UNAVAILABLE", f"MLED could not be reached from the job's worker: {said}.")
