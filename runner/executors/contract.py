"""How a command is executed apart from MLED: what every executor takes, gives back and promises.

What is promised, and asked of each by one test: the command sees only its order; every limit ends it with that cause;
stopping ends all of its processes, also those that it set loose; none outlives the worker that started it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runner.models import Job
from runner.recipes import Resources


@dataclass(frozen=True, slots=True)
class Order:
    """What shall be executed.

    words: the command; home: a folder of its own on this machine that it may write to, and where all that it writes
    counts against `limits.disk_mb`; folder: where it starts, below home; readable: files and folders of this machine
    that it may read, at the same paths unless `places` says otherwise; variables: all that its environment holds;
    stdout, stderr: where what it prints goes, outside of home; door: the Unix socket by which it reaches MLED, if it
    does: within at http://127.0.0.1:5000, and where variables begin with that address but the port is another there,
    they are corrected; has_network: it reaches public addresses, and `networks` besides, in a sandbox by a proxy that
    is put among the variables; name: of the job, unique on this machine; root: a folder that it sees, read-only, in the
    place of the machine's system: an image. What is readable is open to everybody, or lies in the worker's own folder;
    home holds no second names of files that belong elsewhere.
    """

    name: str
    words: Sequence[str]
    home: Path
    folder: Path
    stdout: Path
    stderr: Path
    variables: Mapping[str, str] = field(repr=False)  # secrets among them
    readable: Sequence[Path] = ()
    places: Mapping[Path, str] = field(default_factory=dict)
    limits: Resources = field(default_factory=Resources)
    has_network: bool = False
    networks: Sequence[str] = ()
    door: Path | None = None
    root: Path | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What all of its processes use just now: cpu_seconds so far, memory and disk in bytes."""

    cpu_seconds: float
    memory_bytes: int
    disk_bytes: int
    processes: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended. code: of its command, where it ended by itself; why: in words, for whoever started it."""

    cause: Job.Cause
    code: int | None = None
    why: str = ""


class Execution(Protocol):
    """A command under way."""

    def poll(self) -> Ended | None:
        """How it ended; None while it goes on. Called about twice a second: this is where limits are looked after."""

    def usage(self) -> Usage:
        """What it uses now."""

    def stop(self, cause: Job.Cause, why: str) -> None:
        """Have it end: told first (SIGTERM), and ended for good after ten seconds, all of its processes."""


class Executor(Protocol):
    """A way to execute orders."""

    name: str

    def lacks(self) -> str:
        """Why it cannot be used on this machine, and what to do; '' where it can."""

    def start(self, order: Order) -> Execution:
        """Execute it. Raises Unavailable where it cannot be started, or shows no image and is given one."""

    def sweep(self, names: Sequence[str]) -> None:
        """End what a dead worker of this machine left behind, other than the jobs of these names."""
