"""The machine that a job is done on, and what of it is used just now, named as MLflow's client and `mled run` do."""

import os
import platform
import shutil
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from runner.executors import bubblewrap

GIGA: Final = 1024**3
MEGA: Final = 1e6
_SECONDS: Final = 5
_CARDS: Final = ("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
_LOAD: Final = (
    "nvidia-smi",
    "--query-gpu=utilization.gpu,memory.used,memory.total",
    "--format=csv,noheader,nounits",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """memory_bytes: 0 where the system does not say."""

    host: str
    system: str
    processor: str
    cores: int
    memory_bytes: int
    cards: tuple[str, ...]

    @property
    def hardware(self) -> str:
        """In one line: `AMD EPYC 7B13, 2 cores, 7.8 GB; no GPU`."""
        memory = f", {self.memory_bytes / GIGA:.1f} GB" if self.memory_bytes else ""
        cards = "; ".join(self.cards) if self.cards else "no GPU"
        return f"{self.processor}, {self.cores} core{'s' * (self.cores != 1)}{memory}; {cards}"

    def tags(self) -> dict[str, str]:
        """As the tags that people and rules read."""
        return {"mled.host": self.host, "mled.os": self.system, "mled.hardware": self.hardware}


@cache
def this_machine() -> Machine:
    """The machine of this process."""
    return Machine(
        host=socket.gethostname(),
        system=platform.platform(),
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        cards=tuple(_lines(_CARDS)),
    )


@cache
def shut_off_by() -> str:
    """What the sandbox is made with: `bubblewrap 0.11.0`."""
    program = bubblewrap.where()
    said = _lines([str(program), "--version"]) if program else []
    return said[0] if said else "bubblewrap"


@cache
def system_image() -> str:
    """The system whose files a job sees: `Debian GNU/Linux 12 (bookworm)`."""
    try:
        about = platform.freedesktop_os_release()
    except OSError:
        return platform.system()
    return about.get("PRETTY_NAME") or about.get("NAME") or platform.system()


class Meter:
    """Reads what the machine uses now. Shares of processors are those since it was read last."""

    def __init__(self, *, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._has_cards = shutil.which(_LOAD[0]) is not None
        self._busy, self._all = self._processors()

    def read(self) -> dict[str, float]:
        """What can be told."""
        sample: dict[str, float] = {}
        busy, whole = self._processors()
        if whole > self._all:
            sample["system/cpu_utilization_percentage"] = 100 * (busy - self._busy) / (whole - self._all)
        self._busy, self._all = busy, whole
        total, free = self._memory()
        if total:
            sample["system/system_memory_usage_megabytes"] = (total - free) / MEGA
            sample["system/system_memory_usage_percentage"] = 100 * (total - free) / total
        return sample | (_load_of_cards() if self._has_cards else {})

    def _processors(self) -> tuple[float, float]:
        """Ticks that were spent busy, and all ticks, since the machine started."""
        with suppress(OSError, ValueError, IndexError):
            ticks = [float(word) for word in (self._proc / "stat").read_text().split("\n", 1)[0].split()[1:9]]
            return sum(ticks) - ticks[3] - ticks[4], sum(ticks)
        return 0.0, 0.0

    def _memory(self) -> tuple[float, float]:
        """Bytes in all, and bytes that can be had."""
        with suppress(OSError, ValueError, KeyError):
            lines = (line.split() for line in (self._proc / "meminfo").read_text().splitlines())
            kilo = {words[0].rstrip(":"): float(words[1]) for words in lines if len(words) > 1}
            return kilo["MemTotal"] * 1024, kilo["MemAvailable"] * 1024
        return 0.0, 0.0


def _load_of_cards() -> dict[str, float]:
    sample: dict[str, float] = {}
    for number, line in enumerate(_lines(_LOAD)):
        with suppress(ValueError):
            busy, used, whole = (float(word) for word in line.split(","))
            sample[f"system/gpu_{number}_utilization_percentage"] = busy
            sample[f"system/gpu_{number}_memory_usage_megabytes"] = used * 1.048576
            sample[f"system/gpu_{number}_memory_usage_percentage"] = 100 * used / whole if whole else 0.0
    return sample


def _processor() -> str:
    with suppress(OSError):  # another system than Linux
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine() or "unknown processor"


def _lines(command: Sequence[str]) -> list[str]:
    """What a program prints; nothing where it is not there or fails."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return []
    text = done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
    return [line.strip() for line in text.splitlines() if line.strip()]
