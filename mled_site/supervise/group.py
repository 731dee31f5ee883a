"""The loop that keeps MLED's parts alive, and the order in which they go."""

from __future__ import annotations

import os
import signal
import sys
import time
from types import FrameType

from mled_site.supervise.children import Child

GRACE = 20.0  # seconds that a part has to finish what it is doing


class Group:
    """Parts in the order in which they start; they stop the other way round, and the first one last of all."""

    def __init__(self, children: list[Child]) -> None:
        self.children = children
        self.asked_to_stop = 0

    def run(self) -> int:
        """Until a signal asks to stop. Returns the exit code: 0, or 1 if a part kept failing."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        for child in self.children:
            child.start()
        code = 0
        while not self.asked_to_stop and code == 0:
            time.sleep(0.2)
            code = self._tend()
        self.stop()
        return code

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.asked_to_stop += 1

    def _tend(self) -> int:
        now = time.monotonic()
        for child in self._reap():
            child.ended(now)
            if child.is_hopeless:
                print(f"{child.name} keeps failing; its own words stand above. MLED stops.", file=sys.stderr)
                return 1
            print(f"{child.name} ended; starting it again.", file=sys.stderr)
        for child in self.children:
            if not child.pid and now >= child.start_at:
                child.start()
        return 0

    def _reap(self) -> list[Child]:
        """The children that ended since the last look."""
        ended: list[Child] = []
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return ended
            if not pid:
                return ended
            ended += [child for child in self.children if child.pid == pid]

    def stop(self) -> None:
        first, *others = self.children
        self._stop(list(reversed(others)))
        self._stop([first])

    def _stop(self, children: list[Child]) -> None:
        for child in children:
            child.signal(signal.SIGTERM)
        end = time.monotonic() + GRACE
        asked = self.asked_to_stop
        while any(child.pid for child in children):
            for child in self._reap():
                child.signal(signal.SIGKILL, with_descendants=True)
                child.pid = 0
            if time.monotonic() > end or self.asked_to_stop > asked:  # a second Ctrl+C does not wait
                for child in children:
                    child.signal(signal.SIGKILL, with_descendants=True)
            time.sleep(0.05)
