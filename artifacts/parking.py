"""Moving what was parked in the database to the store, some at a time.

Killed at any moment, it has lost nothing: a row goes in a transaction of its own after its bytes were stored and read
back, and storing them again changes nothing. It goes by its number: should somebody have cleared the content away and
another have parked it anew meanwhile, that is another row.
"""

import datetime as dt
import io
import logging
import secrets
import time
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import Q

from artifacts.models import ParkedBlob
from artifacts.storage import store
from artifacts.storage.parked import move
from kernel.clock import now
from kernel.errors import Unavailable

log = logging.getLogger(__name__)

_AT_ONCE: Final = 200
_WAIT: Final = dt.timedelta(minutes=1)
_WAIT_MAX: Final = dt.timedelta(hours=1)
_REFUSALS_MAX: Final = 1000


def move_parked(*, seconds: float = float("inf")) -> int:
    """Move what is parked, the oldest first; returns how many moved. Raises Unavailable where the store is away.

    What the store refuses though it takes something else holds up nobody: it is put off, each time for longer.
    """
    moved, last, end = 0, 0, time.monotonic() + seconds
    while time.monotonic() < end:
        due = ParkedBlob.objects.filter(Q(retry_at=None) | Q(retry_at__lte=now()))
        rows = list(due.filter(pk__gt=last).order_by("pk")[:_AT_ONCE])
        if not rows:
            break
        safe = []
        try:
            for row in rows:
                if _moved(row):
                    safe.append(row.pk)
        finally:
            _take_out(safe)
        moved, last = moved + len(safe), rows[-1].pk
    return moved


def _moved(row: ParkedBlob) -> bool:
    """Whether it is safe in the store; else it is put off. Raises Unavailable where the store takes nothing at all."""
    try:
        if move(row, store()):
            return True
    except Unavailable as error:
        if not _takes_something():
            raise
        log.error("The store takes other files and not sha256:%s: %s", row.digest, error)
    refusals = min((row.refusals or 0) + 1, _REFUSALS_MAX)
    wait = min(_WAIT * 2 ** min(refusals - 1, 6), _WAIT_MAX)
    ParkedBlob.objects.filter(pk=row.pk).update(refusals=refusals, retry_at=now() + wait)
    return False


def _takes_something() -> bool:
    """Whether the store keeps a few bytes that nobody needs, which are taken away again at once."""
    content = secrets.token_bytes(32)
    try:
        kept = store().receive(io.BytesIO(content), limit=len(content), expected=len(content))
        store().remove(kept.digest)
    except Unavailable:
        return False
    return True


def _take_out(safe: Sequence[int]) -> None:
    """What the collector holds just now it takes out itself: whoever waited for it could have it wait in turn."""
    with transaction.atomic():
        held = ParkedBlob.objects.select_for_update(skip_locked=True).filter(pk__in=safe)
        ParkedBlob.objects.filter(pk__in=list(held.values_list("pk", flat=True))).delete()
