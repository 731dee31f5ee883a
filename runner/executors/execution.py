"""A command under way, whatever keeps it apart: watched, told to end, and gone with all that it started."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any, Final

from runner.executors import watching, words
from runner.executors.contract import Ended, Order, Usage
from runner.executors.launching import Start
from runner.executors.words import MIB
from runner.models import Job

GRACE_SECONDS: Final = 10.0
GONE_SECONDS: Final = 10.0
LAST_WORDS: Final = 4096


@dataclass(slots=True)
class Running:
    """One execution. shim: its first process, as this machine counts; end_all: ends every process of it, for good."""

    order: Order
    process: subprocess.Popen[bytes]
    start: Start
    shim: int
    end_all: Callable[["Running"], None]
    started: float = field(default_factory=monotonic)
    _disk: watching.Disk = field(init=False)
    _usage: Usage = field(default_factory=lambda: Usage(0.0, 0, 0, 0))
    _report: bytes = b""
    _ending: Ended | None = None
    _kill_at: float = 0.0
    _ended: Ended | None = None

    def __post_init__(self) -> None:
        os.set_blocking(self.start.pipes.report, False)
        enough = 2 * self.order.limits.disk_mb * MIB
        self._disk = watching.Disk([self.order.home, self.order.stdout, self.order.stderr], enough)

    def poll(self) -> Ended | None:
        """See the contract. Once it has ended, the answer stays."""
        if self._ended is None and self.process.poll() is not None:
            self._ended = self._settle()
        if self._ended is None:
            self._look()
            self._hold_to_limits()
        return self._ended

    def usage(self) -> Usage:
        """As of the last look."""
        return self._usage

    def stop(self, cause: Job.Cause, why: str) -> None:
        """See the contract. Does nothing where it is ending already."""
        self._tell(Ended(cause, why=why))

    def _tell(self, ending: Ended) -> None:
        if self._ending is None and self._ended is None:
            self._ending, self._kill_at = ending, monotonic() + GRACE_SECONDS
            try:
                os.write(self.start.pipes.control, b"T")
            except OSError:
                self._kill_at = 0.0  # nobody hears it any more

    def _end_now(self, ending: Ended) -> None:
        self._ending = self._ending or ending
        self._kill_at = 0.0
        self.end_all(self)
        self._kill_at = monotonic() + 1.0

    def _hold_to_limits(self) -> None:
        limits = self.order.limits
        if (too_much := words.beyond(limits, self._usage)) is not None:
            self._end_now(too_much)
        elif self.start.groups.is_out_of_memory():
            self._end_now(words.too_much_memory(limits))
        elif self._ending is None and monotonic() - self.started > limits.seconds:
            self._tell(words.too_long(limits))
        elif self._ending is not None and monotonic() >= self._kill_at:
            self._end_now(self._ending)

    def _look(self) -> None:
        mine = [one for one in watching.below(watching.table(), self.process.pid) if one.pid not in self._own]
        limits = self.order.limits
        disk = self._disk.look()
        memory = watching.memory_of(mine, enough=limits.memory_mb * MIB * 3 // 4)
        if mine:
            unnamed = watching.unnamed(mine, os.stat(self.order.home).st_dev)
            disk += unnamed.disk
            memory += unnamed.memory + watching.in_shared_memory(mine[0].pid)
        now = watching.usage(mine, disk=disk, memory=memory)
        cpu = max(now.cpu_seconds, self._usage.cpu_seconds)  # what nobody waited for is lost to the count
        self._usage = Usage(cpu, now.memory_bytes, now.disk_bytes, now.processes)

    @property
    def _own(self) -> set[int]:
        return {self.process.pid, self.shim}

    def _settle(self) -> Ended:
        """Everything has ended: how, and nothing of it stays."""
        self._report += _read_all(self.start.pipes.report)
        out_of_memory, out_of_processes = self.start.groups.is_out_of_memory(), self.start.groups.is_out_of_processes()
        self.end_all(self)
        self.start.give_back()
        ended = self._ending or self._by_itself(out_of_memory, out_of_processes)
        disk = self._disk.look(at_once=True)
        self._usage = Usage(self._usage.cpu_seconds, 0, disk, 0)
        if ended.cause == Job.Cause.EXIT and disk > self.order.limits.disk_mb * MIB:
            return words.too_much_disk(self.order.limits, disk)
        return ended

    def _by_itself(self, out_of_memory: bool, out_of_processes: bool) -> Ended:
        if out_of_memory:
            return words.too_much_memory(self.order.limits)
        report = _parsed(self._report)
        if "cannot" in report:
            return Ended(Job.Cause.EXIT, 127, report["cannot"])
        if "code" not in report:
            return Ended(
                Job.Cause.EXIT,
                128 + signal.SIGKILL,
                "It was ended from outside: by somebody on its machine, or because the machine had no memory left.",
            )
        ended = words.exited(report["code"])
        if report["code"] == 0:
            return ended
        if report["code"] == -signal.SIGXFSZ or self._complains("File too large"):
            return words.too_large_a_file(self.order.limits, ended.code)
        if out_of_processes or self._complains("Resource temporarily unavailable"):
            return words.too_many_processes(self.order.limits)
        return ended

    def _complains(self, text: str) -> bool:
        """Whether the system's words for a refusal are among the last of what it printed."""
        with self.order.stderr.open("rb") as opened:
            opened.seek(max(0, self.order.stderr.stat().st_size - LAST_WORDS))
            return text.encode() in opened.read()


def kill(pids: Sequence[int]) -> None:
    """All of them, as far as they are still there."""
    _signal(pids, signal.SIGKILL)


def _signal(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):  # it has ended, or became somebody else
            continue


def kill_tree(root: int) -> None:
    """This process and all below it: frozen first, from the top, so that none starts another or tells of an end."""
    frozen: set[int] = set()
    while found := [one.pid for one in watching.below(watching.table(), root) if one.pid not in frozen]:
        _signal(found, signal.SIGSTOP)
        frozen.update(found)
    kill(list(frozen))


def wait_until_gone(root: int) -> None:
    """Until nothing descends from this process any more."""
    until = monotonic() + GONE_SECONDS
    while monotonic() < until and watching.below(watching.table(), root):
        sleep(0.01)


def _read_all(descriptor: int) -> bytes:
    found = b""
    while True:
        try:
            piece = os.read(descriptor, LAST_WORDS)
        except BlockingIOError:
            return found
        if not piece:
            return found
        found += piece


def _parsed(report: bytes) -> dict[str, Any]:
    return dict(json.loads(report)) if report else {}
