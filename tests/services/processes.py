"""Child processes that die with the test run, whatever kills it."""

from __future__ import annotations

import ctypes
import fcntl
import functools
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PR_SET_PDEATHSIG = 1
PORTS = range(12_000, 22_000)
_given: set[int] = set()


def die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(command: list[str], **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(command, preexec_fn=die_with_parent, text=True, cwd=ROOT, **options)


def stop(process: subprocess.Popen[str], *, within: float = 10, by: int = signal.SIGTERM) -> int:
    """The exit code; a process that does not stop in time is killed."""
    if process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def wait_until(is_true: Callable[[], bool], *, within: float, what: str, every: float = 0.05) -> None:
    end = time.monotonic() + within
    while not is_true():
        if time.monotonic() > end:
            raise TimeoutError(f"After {within:.0f} s still waiting until {what}.")
        time.sleep(every)


def free_port() -> int:
    """A port that nobody listens at, and that no other test of this machine is given while this process lives.

    It lies below those that the system gives to connections, and so do the 10,000 above it, which are given to nobody.
    """
    while True:
        port = PORTS[secrets.randbelow(len(PORTS))]
        if port not in _given and _is_ours(port) and not _is_taken(port):
            _given.add(port)
            return port


def _is_ours(port: int) -> bool:
    """Each port is a byte of one file, locked by the process that it was given to."""
    with suppress(BlockingIOError):
        fcntl.lockf(_lock_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        return True
    return False


@functools.cache
def _lock_file() -> int:
    return os.open(Path(tempfile.gettempdir()) / f"mled-test-ports-{os.getuid()}", os.O_RDWR | os.O_CREAT, 0o600)


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
