"""One MLED per data directory and per port; who comes second is told so."""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TextIO


class CannotStart(Exception):
    """Something that a person can put right; the message says how."""


def claim(data: Path, url: str) -> TextIO:
    """Hold the data directory as long as the file that this returns stays open."""
    path = data / "running"
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(
            f"MLED already runs on {data}: {path.read_text().strip() or 'just starting'}.\n"
            "Stop that one first, or give this one a directory of its own: MLED_DATA=other MLED_PORT=8001 make up"
        ) from None
    file.truncate(0)
    file.write(f"process {os.getpid()}, {url}\n")
    file.flush()
    return file


def check_port(host: str, port: int) -> None:
    """Refuse early and in words, where the web server would only log an errno."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            reason = f"Cannot listen on {host}, port {port}: {error.strerror}."
            raise CannotStart(f"{reason}\nChoose another port: MLED_PORT={port + 1} make up") from error


def web_address(host: str, port: int) -> str:
    """As a browser on this machine reaches it."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    if ":" in shown and not shown.startswith("["):
        shown = f"[{shown}]"
    return f"http://{shown}:{port}"


def remove_stale(socket_file: Path | None) -> None:
    if socket_file is not None:
        with suppress(FileNotFoundError):
            socket_file.unlink()
