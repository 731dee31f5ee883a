"""What upper rooms do when the log has gone on, and when something in it is to be erased."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from django.db import connections

if TYPE_CHECKING:
    from audit.ledger.queries.history import PastEvent

log = logging.getLogger(__name__)

# After a checkpoint was signed over new events, in the process of the sequencer but beside its work: only to wake a
# task, which looks for itself what there is to do. What is missed here has to be found again by the clock.
checkpoint_signed: list[Callable[[], object]] = []

# In an act that is about to erase what these events say: an upper room raises where something still needs it.
erasing: list[Callable[[Sequence["PastEvent"]], None]] = []

# In the act that tells that something is wrong with the log, with the words for it.
alarm_raised: list[Callable[[str], object]] = []


# Kinds of records whose events are never erased: what was controlled and kept, by whom. Rooms add theirs when they
# start; what the ledger says of itself is always among them.
kept_kinds: set[str] = set()

# Kinds of records about people: an event that speaks of one may be erased whatever else it speaks of.
personal_kinds: set[str] = set()


def tell_signed() -> None:
    """Call them all. Whatever goes wrong in one is logged: the log itself must go on."""
    for hear in checkpoint_signed:
        try:
            hear()
        except Exception:
            log.exception("After a checkpoint: %s", getattr(hear, "__name__", hear))


class Telling(threading.Thread):
    """Tells beside the sequencer, so that the log waits for no broker. What is signed meanwhile is told once."""

    def __init__(self) -> None:
        super().__init__(name="telling", daemon=True)
        self._signed = threading.Event()

    def soon(self) -> None:
        """There is something to tell."""
        self._signed.set()

    def run(self) -> None:
        while True:
            self._signed.wait()
            self._signed.clear()
            tell_signed()
            connections.close_all()
