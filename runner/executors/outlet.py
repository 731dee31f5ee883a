"""The way out for jobs that may use the network: a proxy for HTTP, HTTPS and whatever else asks it to connect.

A job has no network of its own even then. It would share that of the worker's machine, and with it whatever trusts that
machine: the broker, the database, other services that listen on 127.0.0.1 or in closed networks. So it asks the worker,
who looks names up and connects to public addresses, and to networks that an administrator has opened.
"""

import logging
import os
import selectors
import shutil
import socket
import tempfile
import threading
from base64 import b64encode
from collections.abc import Collection, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from registry.webhooks.addresses import Place, Unreachable, address_of, is_opened

logger = logging.getLogger("mled.outlet")
PORT: Final = 3128
ADDRESS: Final = f"http://127.0.0.1:{PORT}"
# Every program that speaks HTTP looks for some of these.
PROXY: Final = {
    **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), ADDRESS),
    **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
}
HEAD_MAX: Final = 64 * 1024
PIECE: Final = 64 * 1024
CLIENTS_MAX: Final = 128
PATIENCE: Final = 30.0
IDLE: Final = 900.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client wants. rest: what it sent already, as the server shall have it."""

    host: str
    port: int
    is_tunnel: bool
    rest: bytes


class Outlet:
    """Serves until closed. networks: that are opened beside public addresses; user: who may enter, 0 for ourselves;
    has_port: whether it listens on a port of this machine, for programs of the worker's own, and not behind a door;
    servers: hosts with ports that are reached wherever they lie."""

    def __init__(
        self,
        networks: Sequence[str],
        user: int,
        *,
        has_port: bool = False,
        servers: Collection[tuple[str, int]] = (),
    ) -> None:
        self.networks = list(networks)
        self._servers = frozenset(servers)
        self._folder = Path(tempfile.mkdtemp(prefix="mled-out-"))
        self.door = self._folder / "out"
        if has_port:
            self._listener = socket.socket(socket.AF_INET)
            self._listener.bind(("127.0.0.1", 0))
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(self.door))
        if user:
            os.chown(self.door, user, user)
        self._listener.listen(CLIENTS_MAX)
        self._clients = threading.BoundedSemaphore(CLIENTS_MAX)
        self._opened: set[socket.socket] = set()
        threading.Thread(target=self._accept, name="outlet", daemon=True).start()

    @property
    def address(self) -> str:
        """Of the proxy, where it has a port."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def variables(self) -> dict[str, str]:
        """By which a program goes out by its port, to whatever it goes."""
        return {name: "" if name.lower() == "no_proxy" else self.address for name in PROXY}

    def close(self) -> None:
        """Nobody gets out any more."""
        for one in (self._listener, *list(self._opened)):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return  # closed
            if not self._clients.acquire(blocking=False):
                client.close()
                continue
            self._opened.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with closing(client):
                client.settimeout(PATIENCE)
                self._carry(client)
        except OSError:
            logger.debug("a client of the outlet was lost", exc_info=True)
        finally:
            self._opened.discard(client)
            self._clients.release()

    def _carry(self, client: socket.socket) -> None:
        try:
            asked = read(client)
            server = self._reached(asked)
        except Unreachable as error:
            _say(client, 403, str(error))
            return
        except (OSError, ValueError) as error:
            _say(client, 502, f"It cannot be reached: {error}")
            return
        self._opened.add(server)
        try:
            with closing(server):
                if asked.is_tunnel:
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                server.sendall(asked.rest)
                splice(client, server)
        finally:
            self._opened.discard(server)

    def _reached(self, asked: Asked) -> socket.socket:
        """A connection to where it wants to. Raises Unreachable, OSError."""
        beyond = parent(asked)
        is_known = (asked.host, asked.port) in self._servers
        if beyond is not None:
            if not is_known:
                self._check_name(asked.host)
            return through(beyond, asked)
        if is_known:
            return socket.create_connection((asked.host, asked.port), timeout=PATIENCE)
        place = Place(asked.host, asked.port, "")
        address = address_of(place, seconds=PATIENCE, opened=self.networks)
        server = socket.create_connection((address, asked.port), timeout=PATIENCE)
        here = server.getsockname()[0]
        if here == server.getpeername()[0] and not is_opened(ip_address(here), self.networks):
            server.close()
            raise Unreachable(f"{asked.host} is the worker's own machine.")
        return server

    def _check_name(self, host: str) -> None:
        """Who goes by another proxy has names looked up there; what is no name is checked here."""
        try:
            ip_address(host)
        except ValueError:
            if "." in host and not host.endswith((".localhost", ".local", ".internal")):
                return
            raise Unreachable(f"{host} is not a public name.") from None
        address_of(Place(host, 0, ""), seconds=PATIENCE, opened=self.networks)


def read(client: socket.socket) -> Asked:
    """The first request. Raises Unreachable for what is none, OSError."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(PIECE)
        if not piece or len(head) > HEAD_MAX:
            raise Unreachable("This is no request to a proxy.")
        head += piece
    line, _, rest = head.partition(b"\r\n")
    try:
        method, target, _version = line.decode("ascii").split(" ")
        is_tunnel = method == "CONNECT"
        parts = urlsplit(f"//{target}" if is_tunnel else target)
        host, port = parts.hostname or "", parts.port or (443 if is_tunnel else 80)
    except ValueError:
        raise Unreachable("This is no request to a proxy.") from None
    if not host or (not is_tunnel and parts.scheme != "http"):
        raise Unreachable("A proxy is asked to connect, or for an address that begins with http://.")
    if is_tunnel:
        return Asked(host, port, is_tunnel, head.partition(b"\r\n\r\n")[2])
    return Asked(host, port, is_tunnel, _for_server(method, target, parts, rest))


def _for_server(method: str, target: str, parts: SplitResult, rest: bytes) -> bytes:
    """The request as a server takes it, and one alone: the next one may be for another."""
    headers, _, body = rest.partition(b"\r\n\r\n")
    kept = [
        line
        for line in headers.split(b"\r\n")
        if line.partition(b":")[0].strip().lower()
        not in {b"connection", b"proxy-connection", b"proxy-authorization", b"keep-alive"}
    ]
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    shown = target if getproxies_environment().get("http") and not _is_direct(parts.hostname or "") else path
    return b"\r\n".join([f"{method} {shown} HTTP/1.1".encode(), *kept, b"Connection: close", b"", body])


def parent(asked: Asked) -> SplitResult | None:
    """The proxy that the worker itself goes by, for this host."""
    found = getproxies_environment().get("https" if asked.is_tunnel else "http")
    return urlsplit(found) if found and not _is_direct(asked.host) else None


def _is_direct(host: str) -> bool:
    return bool(proxy_bypass(host))


def through(proxy: SplitResult, asked: Asked) -> socket.socket:
    """A connection by the worker's proxy. Raises Unreachable in that proxy's words, OSError."""
    server = socket.create_connection((proxy.hostname or "", proxy.port or 80), timeout=PATIENCE)
    if not asked.is_tunnel:
        return server
    known = ""
    if proxy.username is not None:
        words = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        known = f"Proxy-Authorization: Basic {b64encode(words.encode()).decode()}\r\n"
    where = f"[{asked.host}]:{asked.port}" if ":" in asked.host else f"{asked.host}:{asked.port}"
    server.sendall(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n{known}\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < HEAD_MAX and (piece := server.recv(1)):
        answer += piece
    if answer.split(b" ", 2)[1:2] != [b"200"]:
        server.close()
        said = answer.splitlines()[0].decode("ascii", "replace") if answer else "nothing"
        raise Unreachable(f"The worker's proxy says: {said[:200]}")
    return server


def splice(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until both have ended, or nothing came for long."""
    with selectors.DefaultSelector() as ends:
        for source, target in ((one, other), (other, one)):
            source.settimeout(IDLE)
            ends.register(source, selectors.EVENT_READ, target)
        while ends.get_map() and (ready := ends.select(IDLE)):
            for key, _events in ready:
                piece = key.fileobj.recv(PIECE)  # type: ignore[union-attr]
                if piece:
                    key.data.sendall(piece)
                else:
                    ends.unregister(key.fileobj)
                    with suppress(OSError):
                        key.data.shutdown(socket.SHUT_WR)


def _say(client: socket.socket, status: int, words: str) -> None:
    """The words stand in the first line as well: of an answer to CONNECT most programs show nothing else."""
    body = (words + "\n").encode()
    reason = " ".join(words.encode("ascii", "replace").decode().split())[:300]
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    with suppress(OSError):
        client.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
