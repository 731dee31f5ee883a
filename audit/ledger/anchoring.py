"""Bringing places far away up to date, beside the log: whatever goes wrong there, events get their places.

Every minute the checkpoints that a place does not have yet are written to it as one object. What failed is tried again
the next minute, from the first that is missing. Of several sequencers one does it; another takes over when that ends.
"""

import fcntl
import logging
import os
import threading
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections, connection
from django.db.models import Q, QuerySet, Subquery

from audit.ledger import status
from audit.ledger.anchors import Anchored
from audit.ledger.models import Checkpoint
from audit.ledger.places import Place, places_far_away

log = logging.getLogger(__name__)

SECONDS = 60.0
LINES_MAX = 5000


def not_anchored(name: str, last: Anchored | None) -> QuerySet[Checkpoint]:
    """Checkpoints of a place newer than its last one; of a database that was rolled back, the newest alone."""
    here = Checkpoint.objects.filter(_names(name)).order_by("pk")
    if last is None:
        return here
    if here.filter(pk=last.checkpoint, note=last.note).exists():
        return here.filter(pk__gt=last.checkpoint)
    return here.filter(pk=Subquery(here.order_by("-pk").values("pk")[:1])).exclude(note=last.note)


def _names(name: str) -> Q:
    """That a checkpoint names this place, and not one whose name only begins like it."""
    alone = Q(anchor=name)
    return (
        alone | Q(anchor__startswith=f"{name}, ") | Q(anchor__endswith=f", {name}") | Q(anchor__contains=f", {name}, ")
    )


class Keeper:
    """Keeps one place up to date. Remembers what it wrote last; asks the place where it does not know."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._last: Anchored | None = None
        self._knows = False
        self._lock: int | None = None

    def bring_up(self) -> int:
        """Write what is missing; how many checkpoints. A failure is noted and logged, and never raised."""
        if not self._is_ours():
            return 0
        try:
            written = self._write()
        except Exception as error:  # the network and the store have many words for it
            self._knows = False
            status.note_trouble(self._note, str(error))
            log.error("Checkpoints are not anchored in %s: %s", self.place.name, error)
            return 0
        status.forget(self._note)
        return written

    def _write(self) -> int:
        if not self._knows:
            self._last, self._knows = self.place.newest(), True
            status.note_reached(self.place.name, self._last.checkpoint if self._last else 0)
        written = 0
        while rows := list(not_anchored(self.place.name, self._last)[:LINES_MAX]):
            lines = [Anchored(row.pk, row.at.isoformat(), row.note) for row in rows]
            self.place.keep(lines)
            self._last = lines[-1]
            status.note_reached(self.place.name, self._last.checkpoint)
            written += len(lines)
        return written

    @property
    def _note(self) -> status.Note:
        return status.of_place(self.place.name)

    def _is_ours(self) -> bool:
        """Whether this process is the one that writes to the place: it keeps the lock until it ends."""
        if self._lock is None:
            path = Path(settings.MLED_DATA) / "anchors" / f"{sha256(self.place.name.encode()).hexdigest()[:16]}.lock"
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            self._lock = descriptor
        return True

    def let_go(self) -> None:
        """Let another process do it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class Anchoring(threading.Thread):
    """Does it every minute until told to stop, and once more then. Raises BadAnchors when it is made."""

    def __init__(self) -> None:
        super().__init__(name="anchoring", daemon=True)
        self.keepers = [Keeper(place) for place in places_far_away()]
        self._stop_it = threading.Event()

    def run(self) -> None:
        is_last = False
        while self.keepers and not is_last:
            is_last = self._stop_it.is_set()
            close_old_connections()
            for keeper in self.keepers:
                keeper.bring_up()
            connection.close()  # a minute is long for one that nobody uses
            self._stop_it.wait(SECONDS)
        for keeper in self.keepers:
            keeper.let_go()

    def finish(self, *, within: float) -> None:
        """Stop after one more round; give up waiting for it after so many seconds."""
        self._stop_it.set()
        self.join(within)
