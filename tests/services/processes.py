"""Child processes that die with the test run, whatever kills it."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PR_SET_PDEATHSIG = 1


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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
