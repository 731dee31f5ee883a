"""How an execution starts: what the shim is told, through which pipes, and who its parent is."""

import hashlib
import json
import os
import random
import resource
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings

from kernel.errors import Unavailable
from runner.executors import shim as shim_module
from runner.executors.contract import Order
from runner.executors.groups import OURS, Groups
from runner.executors.words import MIB

SHIM: Final = Path(shim_module.__file__).resolve()
ENTERING: Final = SHIM.with_name("entering.py")
READY_SECONDS: Final = 30
FILES_OPEN: Final = 4096
_taken: Counter[int] = Counter()


def scope() -> str:
    """What tells the executions of this installation from those of another on the same machine."""
    return hashlib.sha256(str(settings.MLED_DATA).encode()).hexdigest()[:12]


def mark(name: str) -> str:
    """The word on a shim's command line by which it is found."""
    return f"mled-job={scope()}={quote(name, safe='')}"


def memory_file(content: bytes) -> int:
    """A descriptor to read this from, of a file that has no name anywhere."""
    made = os.memfd_create("mled", 0)
    os.write(made, content)
    os.lseek(made, 0, os.SEEK_SET)
    return made


def for_shim(order: Order, *, doors: Sequence[tuple[int, str]], limits_processes: bool) -> dict[str, Any]:
    """The order as the shim takes it. doors: ports where it listens, 0 for any that is free, and the Unix sockets that
    each leads to; the first of them is MLED's, where the order has a door."""
    return {
        "words": list(order.words),
        "folder": str(order.folder),
        "variables": dict(order.variables),
        "doors": list(doors),
        "limits": rlimits(order, limits_processes=limits_processes),
    }


def rlimits(order: Order, *, limits_processes: bool) -> dict[str, tuple[int, int]]:
    """What the system itself refuses to each of its processes: wider than what the watch lets pass.

    limits_processes: where its user is nobody else's, so that all of its processes count together.
    """
    disk = 2 * order.limits.disk_mb * MIB
    seconds = ceil(order.limits.seconds * max(1.0, order.limits.cpus)) + 60
    wanted = {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": disk,
        "RLIMIT_NOFILE": FILES_OPEN,
        "RLIMIT_CPU": seconds,
    }
    if limits_processes:
        wanted["RLIMIT_NPROC"] = order.limits.processes + OURS
    return {name: _within(name, value) for name, value in wanted.items()}


def _within(name: str, wanted: int) -> tuple[int, int]:
    """Nobody may raise what the worker itself is held to."""
    hard = resource.getrlimit(getattr(resource, name))[1]
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    return value, value


def take_cpus(count: float) -> list[int]:
    """Which processors it runs on: those that the fewest others have. Empty where it may have all of them."""
    mine = sorted(os.sched_getaffinity(0))
    wanted = max(1, ceil(count))
    if wanted >= len(mine):
        return []
    random.shuffle(mine)
    chosen = sorted(sorted(mine, key=lambda one: _taken[one])[:wanted])
    _taken.update(chosen)
    return chosen


def give_cpus_back(cpus: Sequence[int]) -> None:
    """It is over."""
    _taken.subtract(cpus)


@dataclass(slots=True)
class Pipes:
    """What the worker and the shim tell each other by. control, report: the ends of the worker."""

    control: int
    report: int
    theirs: list[int]

    @classmethod
    def make(cls, told: dict[str, Any]) -> "Pipes":
        """theirs: the order, what the shim hears, where it reports, and this process."""
        heard, control = os.pipe()
        report, reports = os.pipe()
        return cls(control, report, [memory_file(json.dumps(told).encode()), heard, reports, _this_process(heard)])

    @property
    def word(self) -> str:
        """By which the shim is told its descriptors."""
        return ",".join(str(one) for one in self.theirs)

    def close_theirs(self) -> None:
        """Once they are passed on: the worker must not hold what tells it of an end."""
        for descriptor in self.theirs:
            os.close(descriptor)
        self.theirs = []

    def hang_up(self) -> None:
        """Nobody speaks to the shim any more: it ends everything."""
        if self.control >= 0:
            os.close(self.control)
            self.control = -1

    def close(self) -> None:
        """All of them."""
        self.close_theirs()
        self.hang_up()
        if self.report >= 0:
            os.close(self.report)
            self.report = -1


def _this_process(heard: int) -> int:
    """Readable once this process is gone. Systems before Linux 5.3 have only the end of the pipe for that."""
    try:
        return os.pidfd_open(os.getpid())
    except OSError:
        return os.dup(heard)


@dataclass(slots=True)
class Start:
    """What every execution takes of this machine, given back where it cannot be started, and once it is over."""

    order: Order
    pipes: Pipes
    groups: Groups
    cpus: Sequence[int]
    others: list[Callable[[], object]] = field(default_factory=list)

    @classmethod
    def make(cls, order: Order, told: dict[str, Any]) -> "Start":
        """told: the order as the shim takes it."""
        groups = Groups.make(scope(), order.name, order.limits)
        return cls(order, Pipes.make(told), groups, take_cpus(order.limits.cpus))

    def give_back(self) -> None:
        """Nothing of it is needed any more."""
        self.pipes.close()
        self.groups.remove()
        give_cpus_back(self.cpus)
        self.cpus = []
        for give_back in self.others:
            give_back()
        self.others = []

    def begin(
        self, words: Sequence[str], *, user: int = 0, stage: Sequence[str] = (), pass_on: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        """Enter, and return once the shim runs. words: what is executed then; user: that it is, 0 for the worker's own;
        stage: paths that are bound to /tmp/<number> first; pass_on: descriptors beside the shim's. Raises Unavailable.
        """
        entry = {"groups": self.groups.entrances, "cpus": self.cpus, "user": user, "stage": stage, "words": words}
        told = memory_file(json.dumps(entry).encode())
        try:
            process = _entered(self.order, told, [*self.pipes.theirs, *pass_on])
        except OSError as error:
            raise Unavailable(f"The command could not be kept apart: {error.strerror}.") from error
        finally:
            os.close(told)
            self.pipes.close_theirs()
        self._wait_until_ready(process)
        return process

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        report = select.poll()
        report.register(self.pipes.report, select.POLLIN)
        if report.poll(READY_SECONDS * 1000) and os.read(self.pipes.report, 1):
            return
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        said = self.order.stderr.read_text(errors="replace").strip().splitlines()
        raise Unavailable(
            f"The command could not be kept apart: {said[-1][:300] if said else 'no answer'}.",
            hint="See Diagnostics, under Jobs can be shut off.",
        )


def _entered(order: Order, told: int, pass_on: Sequence[int]) -> subprocess.Popen[bytes]:
    with order.stdout.open("ab") as stdout, order.stderr.open("ab") as stderr:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(ENTERING), str(told)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={},
            cwd="/",
            pass_fds=[told, *pass_on],
            start_new_session=True,
        )
