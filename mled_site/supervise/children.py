"""A part of MLED as a forked child: started, watched, started again when it dies, stopped."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from django.core.management.base import CommandError

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
STEADY_AFTER = 10.0  # seconds: a child that lived that long counts as started well
GIVE_UP_AFTER = 5  # failures in a row


@dataclass
class Child:
    """name: as `ps` shows it. run: what the child does until it is told to stop; returning ends it with 0."""

    name: str
    run: Callable[[], object]
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    was_steady: bool = False
    start_at: float = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        self.pid = fork(self.name, self.run)

    def ended(self, now: float) -> None:
        """Plan the next start: at once after a long life, later and later after a short one."""
        self.pid = 0
        lived_long = now - self.started > STEADY_AFTER
        self.was_steady = self.was_steady or lived_long
        self.failures = 1 if lived_long else self.failures + 1
        self.start_at = now + min(0.5 * 2 ** (self.failures - 1), 15)

    @property
    def is_hopeless(self) -> bool:
        """It never ran: wrong settings, not an outage that will pass."""
        return self.failures >= GIVE_UP_AFTER and not self.was_steady

    def signal(self, number: int, *, with_descendants: bool = False) -> None:
        if not self.pid:
            return
        try:
            (os.killpg if with_descendants else os.kill)(self.pid, number)
        except ProcessLookupError:
            return


def fork(name: str, run: Callable[[], object]) -> int:
    """Run it in a child that leads a process group of its own, so that Ctrl+C reaches only the supervisor."""
    supervisor = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        gc.enable()
        os.setpgid(0, 0)
        die_with_parent(supervisor)
        rename(name)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except CommandError as error:
        print(f"{name}: {error}", file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def finish(name: str, run: Callable[[], object]) -> int:
    """Run it in a child and wait for the end. Returns the exit code."""
    _, status = os.waitpid(fork(name, run), 0)
    return os.waitstatus_to_exitcode(status)


def die_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when its parent ends, however that ends. Elsewhere a kill -9 leaves children."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def rename(name: str) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:15])
