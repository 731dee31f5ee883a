"""Control groups, version 1 or 2, where this process may make any: walls that the watch need not be quick enough for.

Without them nothing is lost but sharpness: the watch of the processes ends what takes too much all the same.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Final, Self
from urllib.parse import quote

from runner.executors.words import MIB
from runner.recipes import Resources

PERIOD: Final = 100_000  # microseconds, over which the processor's time is given out
OURS: Final = 16  # processes of the executor itself, and room for the watch to see that it is too many
LEAST_ROOM: Final = 16 * MIB
PATIENCE: Final = 2.0


@dataclass(slots=True)
class Groups:
    """The control groups of one execution; none where none could be made."""

    folders: list[Path] = field(default_factory=list)

    @classmethod
    def make(cls, scope: str, name: str, limits: Resources, parents: Mapping[str, Path] | None = None) -> Self:
        """As many as may be made, with the limits set. parents: by controller, where groups may be made."""
        made = cls()
        where = parents if parents is not None else found_parents()
        by_folder: dict[Path, list[str]] = {}
        for controller, parent in where.items():
            by_folder.setdefault(parent / f"mled-{scope}" / folder_name(name), []).append(controller)
        for folder, controllers in by_folder.items():
            try:
                with suppress(FileNotFoundError):  # the last of the others has just taken away what is around it
                    _make(folder, controllers)
                if not folder.exists():
                    _make(folder, controllers)
                for controller in controllers:
                    for file, value in _settings(controller, folder, limits):
                        (folder / file).write_text(value)
            except OSError:
                _remove(folder, patience=0)
                continue
            made.folders.append(folder)
        return made

    @property
    def entrances(self) -> list[str]:
        """The files by which a process gets in."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    def is_out_of_memory(self) -> bool:
        """Whether the system ended a process because the group had no memory left."""
        return any(
            _counted(folder / file, "oom_kill")
            for folder in self.folders
            for file in ("memory.oom_control", "memory.events")
        )

    def is_out_of_processes(self) -> bool:
        """Whether the system refused it a process because the group has too many."""
        return any(_counted(folder / "pids.events", "max") for folder in self.folders)

    def remove(self) -> None:
        """Once no process is left in them."""
        for folder in self.folders:
            _remove(folder, patience=PATIENCE)
            with suppress(OSError):  # others are in it
                folder.parent.rmdir()
        self.folders = []


def folder_name(name: str) -> str:
    """Of a job, whatever is in its name."""
    return f"job-{quote(name, safe='')[:200]}"


def found_parents() -> dict[str, Path]:
    """Below which folder groups of each controller belong: that of this process itself."""
    mounts = _mounts()
    found: dict[str, Path] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        if controllers:
            mount = next((where for where, kinds in mounts if set(controllers.split(",")) <= set(kinds)), None)
            names = [name for name in controllers.split(",") if name in {"memory", "pids", "cpu"}]
        else:
            mount = next((where for where, kinds in mounts if kinds == ["unified"]), None)
            names = ["unified"]
        if mount is not None:
            own = mount / path.lstrip("/")
            own = own if own.is_dir() else mount
            found |= dict.fromkeys(names, _delegated(own, mount) if names == ["unified"] else own)
    return found


def _delegated(own: Path, mount: Path) -> Path:
    """In version 2 a group gives limits down only while it holds no process itself. So a service that may make groups
    is in a subgroup of its own (systemd: Delegate=yes, DelegateSubgroup=worker), and ours lie beside that.
    """
    is_unit = own.suffix in {".service", ".scope", ".slice"}
    return own if own == mount or is_unit else own.parent


def _mounts() -> list[tuple[Path, Sequence[str]]]:
    found: list[tuple[Path, Sequence[str]]] = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        first, _, last = line.partition(" - ")
        kind, _source, options = last.split(" ", 2)
        if kind == "cgroup":
            found.append((Path(first.split()[4]), options.split(",")))
        elif kind == "cgroup2":
            found.append((Path(first.split()[4]), ["unified"]))
    return found


def _make(folder: Path, controllers: Sequence[str]) -> None:
    """In version 2 what a group may limit is given down to it, from group to group. Raises OSError."""
    folder.parent.mkdir(exist_ok=True)
    if "unified" in controllers:
        for above in (folder.parent.parent, folder.parent):
            available = (above / "cgroup.controllers").read_text().split()
            wanted = " ".join(f"+{name}" for name in ("memory", "pids", "cpu") if name in available)
            (above / "cgroup.subtree_control").write_text(wanted)
    folder.mkdir()


def _settings(controller: str, folder: Path, limits: Resources) -> list[tuple[str, str]]:
    memory = str(limits.memory_mb * MIB + max(LEAST_ROOM, limits.memory_mb * MIB // 20))
    processes = str(limits.processes + OURS)
    quota = int(limits.cpus * PERIOD)
    if controller == "memory":
        with_swap = [("memory.memsw.limit_in_bytes", memory)]
        return [("memory.limit_in_bytes", memory), *(with_swap if (folder / with_swap[0][0]).exists() else [])]
    if controller == "pids":
        return [("pids.max", processes)]
    if controller == "cpu":
        return [("cpu.cfs_period_us", str(PERIOD)), ("cpu.cfs_quota_us", str(quota))]
    wanted = [
        ("memory.max", memory),
        ("memory.swap.max", "0"),
        ("memory.oom.group", "1"),
        ("pids.max", processes),
        ("cpu.max", f"{quota} {PERIOD}"),
    ]
    return [(file, value) for file, value in wanted if (folder / file).exists()]


def _counted(file: Path, name: str) -> int:
    try:
        words = file.read_text().split()
    except OSError:
        return 0
    return int(words[words.index(name) + 1]) if name in words else 0


def _remove(folder: Path, *, patience: float) -> None:
    until = monotonic() + patience
    while True:
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            return
        except OSError:
            if monotonic() >= until:
                return  # a process is still on its way out; `leftovers` takes it away later
            sleep(0.02)


def remove_leftovers(scope: str, keep: Sequence[str]) -> None:
    """Groups of executions that are over."""
    kept = {folder_name(name) for name in keep}
    for parent in set(found_parents().values()):
        try:
            found = [one for one in (parent / f"mled-{scope}").iterdir() if one.is_dir()]
        except OSError:
            continue
        for folder in found:
            if folder.name not in kept:
                _remove(folder, patience=0)
        with suppress(OSError):  # others are in it
            (parent / f"mled-{scope}").rmdir()
