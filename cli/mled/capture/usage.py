"""How much a run uses, as time goes on: the machine's processors, memory and cards, and the run's own processes.

Keys are those of MLflow's system metrics. On systems without /proc only the cards are told.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from mled.capture.programs import said, text_of

MEGA = 1e6
EVERY = 10.0  # seconds
_CARDS = ("nvidia-smi", "--query-gpu=utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits")

Sample = dict[str, float]


class Meter:
    """Reads what is used now. Shares of processors are those since it was read last."""

    def __init__(self, pid: int, *, proc: Path = Path("/proc")) -> None:
        self.pid, self.proc = pid, proc
        self._has_cards = shutil.which(_CARDS[0]) is not None
        self._busy, self._all = self._processors()

    def read(self) -> Sample:
        """What can be told."""
        sample: Sample = {}
        busy, whole = self._processors()
        if whole > self._all:
            sample["system/cpu_utilization_percentage"] = 100 * (busy - self._busy) / (whole - self._all)
        self._busy, self._all = busy, whole
        total, free = self._memory()
        if total:
            sample["system/system_memory_usage_megabytes"] = (total - free) / MEGA
            sample["system/system_memory_usage_percentage"] = 100 * (total - free) / total
        own = sum(self._resident(pid) for pid in self.family())
        if own:
            sample["system/process_memory_megabytes"] = own / MEGA
        return sample | (self._cards() if self._has_cards else {})

    def family(self) -> list[int]:
        """The process and everything that it started."""
        found, waiting = [], [self.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for task in self._listed(self.proc / str(pid) / "task"):
                with suppress(OSError, ValueError):
                    waiting += [int(word) for word in (task / "children").read_text().split()]
        return found

    def _processors(self) -> tuple[float, float]:
        """Ticks that were spent busy, and all ticks, since the machine started."""
        with suppress(OSError, ValueError, IndexError):
            ticks = [float(word) for word in (self.proc / "stat").read_text().split("\n", 1)[0].split()[1:9]]
            return sum(ticks) - ticks[3] - ticks[4], sum(ticks)
        return 0.0, 0.0

    def _memory(self) -> tuple[float, float]:
        """Bytes in all, and bytes that can be had."""
        with suppress(OSError, ValueError, KeyError):
            lines = (line.split() for line in (self.proc / "meminfo").read_text().splitlines())
            kilo = {words[0].rstrip(":"): float(words[1]) for words in lines if len(words) > 1}
            return kilo["MemTotal"] * 1024, kilo["MemAvailable"] * 1024
        return 0.0, 0.0

    def _resident(self, pid: int) -> float:
        with suppress(OSError, ValueError, IndexError):
            return float((self.proc / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return 0.0

    def _listed(self, folder: Path) -> list[Path]:
        with suppress(OSError):
            return list(folder.iterdir())
        return []

    @staticmethod
    def _cards() -> Sample:
        sample: Sample = {}
        for number, line in enumerate(text_of(said(_CARDS, seconds=5)).splitlines()):
            with suppress(ValueError):
                busy, used, whole = (float(word) for word in line.split(","))
                sample[f"system/gpu_{number}_utilization_percentage"] = busy
                sample[f"system/gpu_{number}_memory_usage_megabytes"] = used * 1.048576
                sample[f"system/gpu_{number}_memory_usage_percentage"] = 100 * used / whole if whole else 0.0
        return sample


class Curves:
    """Reads the meter by the clock and hands samples on; what could not be handed on is kept for the next time."""

    def __init__(self, meter: Meter, send: Callable[[list[Point]], None], *, every: float = EVERY) -> None:
        self._meter, self._send, self._every = meter, send, every
        self._waiting: list[Point] = []
        self._step = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """One last look, and the end."""
        self._ended.set()
        self._thread.join()
        self._look()

    def _go_on(self) -> None:
        pause = min(1.0, self._every)
        while not self._ended.wait(pause):
            self._look()
            pause = self._every

    def _look(self) -> None:
        moment = int(time.time() * 1000)
        sample: Mapping[str, float] = self._meter.read()
        self._waiting += [
            {"key": key, "value": round(value, 3), "step": self._step, "at_ms": moment} for key, value in sample.items()
        ]
        self._step += 1
        while self._waiting:
            some = self._waiting[:1000]
            try:
                self._send(some)
            except Exception:  # the run matters more than its curves: they are sent with the next look
                self._waiting = self._waiting[-20_000:]
                return
            del self._waiting[: len(some)]


Point = dict[str, "str | int | float"]
