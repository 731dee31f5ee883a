"""Running a command as if it had been called itself: its output, its signals, its exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from mled.capture.console import Tee, bytes_to
from mled.problems import Problem

STDOUT, STDERR = "console/stdout.log", "console/stderr.log"


@dataclass(frozen=True)
class Ended:
    """How a command ended. code: as a shell tells it, 128 + n for signal n. logs: names there with files here."""

    code: int
    was_stopped: bool
    logs: tuple[tuple[str, Path], ...]

    @property
    def status(self) -> str:
        """As a run's status."""
        if self.was_stopped:
            return "KILLED"
        return "FINISHED" if self.code == 0 else "FAILED"


def run_child(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    scratch: Path,
    *,
    begun: Callable[[int], None],
    aside: bool = False,
    hidden: Sequence[bytes] = (),
) -> Ended:
    """Run a command in a folder to its end. scratch: where its output is kept meanwhile; begun: told its process id;
    aside: what it prints goes to stderr, all of it; hidden: words that are not kept of what it prints.

    Raises Problem where it cannot be started.

    Ctrl+C reaches the command by itself, as it shares the terminal; SIGTERM is handed on.
    """
    try:
        child = subprocess.Popen(
            list(command),
            cwd=folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise Problem(
            f"'{command[0]}' cannot be started: {error.strerror}.", hint="Check the command after --.", field="command"
        ) from None
    assert child.stdout is not None and child.stderr is not None  # noqa: S101, PT018  # they are pipes
    out = Tee(child.stdout, bytes_to(sys.stderr if aside else sys.stdout), scratch / "stdout.log", hidden=hidden)
    err = Tee(child.stderr, bytes_to(sys.stderr), scratch / "stderr.log", hidden=hidden)
    stops: list[int] = []

    def hand_on(number: int, frame: FrameType | None) -> None:
        stops.append(number)
        if number != signal.SIGINT:
            child.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        out.start()
        err.start()
        begun(child.pid)
        code = child.wait()
        logs = tuple((name, tee.finish()) for name, tee in ((STDOUT, out), (STDERR, err)))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return Ended(128 - code if code < 0 else code, (bool(stops) and code != 0) or code < 0, logs)
