"""What a tree of processes uses, read from /proc and the disk: works for every user, with control groups or without."""

import errno
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Final

from runner.executors.contract import Usage

TICKS: Final = os.sysconf("SC_CLK_TCK")
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
SHARED: Final = "/dev/shm"  # noqa: S108 - only looked at
EACH_FILE: Final = 1024  # an empty file takes room too, if not in blocks
# A look at the disk may take this share of the time between two: a million files are not counted twice a second.
SHARE_OF_TIME: Final = 0.1


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the table of processes. threads: 1 and more; own: whether it belongs to the executor itself."""

    pid: int
    parent: int
    threads: int
    cpu_seconds: float
    resident: int


def table() -> dict[int, Process]:
    """Every process of this machine that still runs."""
    found = (_process(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {one.pid: one for one in found if one is not None}


def _process(pid: int) -> Process | None:
    try:
        words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None  # it has ended
    if words[0] in {b"Z", b"X"}:
        return None
    ticks = sum(int(word) for word in words[11:15])  # its own and those of the children that it waited for
    return Process(pid, int(words[1]), int(words[17]), ticks / TICKS, int(words[21]) * PAGE)


def below(processes: Mapping[int, Process], root: int) -> list[Process]:
    """This process and all that descend from it, parents first."""
    children: dict[int, list[int]] = {}
    for one in processes.values():
        children.setdefault(one.parent, []).append(one.pid)
    found = [root] if root in processes else []
    for pid in found:
        found += children.get(pid, [])
    return [processes[pid] for pid in found]


def memory_of(processes: Sequence[Process], enough: int) -> int:
    """Bytes that they hold together. What several share counts once, as soon as it could matter.

    enough: below this, the quick sum that counts shared pages again for each of them will do.
    """
    quick = sum(one.resident for one in processes)
    if quick <= enough and not _swaps():  # what is swapped out is not resident
        return quick
    return sum(_held(one) for one in processes)


@cache
def _swaps() -> bool:
    """Whether this machine has room to swap to."""
    return len(Path("/proc/swaps").read_text().splitlines()) > 1


def _held(process: Process) -> int:
    """Its share of memory that is nobody's file: pages of files go when memory is short."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return process.resident
    sizes = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
    if "Pss_Anon" not in sizes:
        return sizes.get("Pss", process.resident)
    return sizes["Pss_Anon"] + sizes.get("Pss_Shmem", 0) + sizes.get("SwapPss", 0)


@dataclass(frozen=True, slots=True)
class Unnamed:
    """Bytes in files that have no name any more and yet are held open: on a disk, and in memory."""

    disk: int = 0
    memory: int = 0


def unnamed(processes: Iterable[Process], device: int) -> Unnamed:
    """What they hold open that no folder shows. device: of the disk that counts; everything else is memory."""
    sizes: dict[tuple[int, int], int] = {}
    for one in processes:
        for descriptor in _descriptors(one.pid):
            try:
                found = os.stat(descriptor)
            except OSError:
                continue  # closed in the meantime
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                sizes[found.st_dev, found.st_ino] = found.st_blocks * 512
    on_disk = sum(size for (where, _), size in sizes.items() if where == device)
    return Unnamed(on_disk, sum(sizes.values()) - on_disk)


def _descriptors(pid: int) -> list[str]:
    try:
        with os.scandir(f"/proc/{pid}/fd") as found:
            return [one.path for one in found]
    except OSError:
        return []


def in_shared_memory(pid: int) -> int:
    """Bytes in the /dev/shm that this process sees, where it has one of its own."""
    try:
        if os.stat(f"/proc/{pid}/root/dev/shm").st_dev == os.stat(SHARED).st_dev:
            return 0
        found = os.statvfs(f"/proc/{pid}/root/dev/shm")
    except OSError:
        return 0
    return (found.f_blocks - found.f_bfree) * found.f_frsize


@dataclass(slots=True)
class Disk:
    """The size of folders and files, measured again whenever that is cheap enough. Symbolic links are not followed."""

    paths: Sequence[Path]
    enough: int
    bytes: int = 0
    _due: float = field(default=0.0, init=False)

    def look(self, *, at_once: bool = False) -> int:
        """Bytes as of the last look; stops to count beyond what is enough."""
        begun = monotonic()
        if at_once or begun >= self._due:
            self.bytes = sum(size_of(path, self.enough) for path in self.paths)
            self._due = begun + (monotonic() - begun) / SHARE_OF_TIME
        return self.bytes


def size_of(path: Path, enough: int) -> int:
    """Bytes of a file, or of all in a folder: what they take, or say that they are where that is more.

    A file with holes counts in full, since whoever copies it has all of it. What lies so deep that no path leads there
    cannot be counted, and is too much.
    """
    total, waiting = 0, [os.fspath(path)]
    while waiting and total <= enough:
        here = waiting.pop()
        try:
            found = os.lstat(here)
            total += EACH_FILE + (max(found.st_blocks * 512, found.st_size) if stat.S_ISREG(found.st_mode) else 0)
            if stat.S_ISDIR(found.st_mode):
                waiting += _inside(here)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return enough + 1
            continue  # removed in the meantime
    return total


def _inside(folder: str) -> list[str]:
    with os.scandir(folder) as found:
        return [one.path for one in found]


def usage(processes: Sequence[Process], *, disk: int, memory: int) -> Usage:
    """All of it together."""
    return Usage(
        cpu_seconds=sum(one.cpu_seconds for one in processes),
        memory_bytes=memory,
        disk_bytes=disk,
        processes=sum(one.threads for one in processes),
    )
