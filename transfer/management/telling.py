"""What the commands say while a transfer is under way, and when it was not finished."""

import time
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from transfer.models import Transfer

EVERY = 1.0  # seconds between two lines where nobody watches a terminal: 20 times that


class Line:
    """One line on a terminal that says how far it is; elsewhere a line now and then."""

    def __init__(self, out: OutputWrapper, what: str) -> None:
        self._out, self._what, self._at = out, what, 0.0
        self._is_terminal = bool(getattr(out, "isatty", lambda: False)())

    def __enter__(self) -> "Line":
        return self

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if not stage or time.monotonic() - self._at < (EVERY / 5 if self._is_terminal else EVERY * 20):
            return
        self._at = time.monotonic()
        words = f"{self._what}: {stage} {done:,}" + (f" of {total:,}" if total else "")
        self._out.write(f"\r{words:<78}" if self._is_terminal else words, ending="" if self._is_terminal else "\n")
        self._out.flush()

    def __exit__(self, *_: Any) -> None:
        if self._is_terminal and self._at:
            self._out.write("\r" + " " * 78 + "\r", ending="")


def require_done(transfer: Transfer) -> None:
    """Raise CommandError for one that failed or was stopped."""
    if transfer.state == Transfer.State.CANCELLED:
        raise CommandError("It was stopped. What was done until then stays; run it again to go on.")
    if transfer.state != Transfer.State.DONE:
        raise CommandError(transfer.failure)
