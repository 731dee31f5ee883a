"""The machine: its name, system, processors, memory and graphics cards."""

from __future__ import annotations

import os
import platform
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mled.capture.programs import said, text_of

GIGA = 1024**3
_CARDS = ("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")


@dataclass(frozen=True)
class Machine:
    """Of the machine that a run is done on. memory_bytes: 0 where the system does not say."""

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


def this_machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(
        host=socket.gethostname(),
        system=platform.platform(),
        processor=_processor(),
        cores=_cores(),
        memory_bytes=_memory(),
        cards=tuple(line.strip() for line in text_of(said(_CARDS)).splitlines() if line.strip()),
    )


def _processor() -> str:
    with suppress(OSError):  # another system than Linux
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    named = text_of(said(["sysctl", "-n", "machdep.cpu.brand_string"])) if platform.system() == "Darwin" else ""
    return named or platform.processor() or platform.machine() or "unknown processor"


def _cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
