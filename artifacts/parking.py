"""Moving what was parked in the database to the store, some at a time.

Killed at any moment, it has lost nothing: a row goes in a transaction of its own after its bytes were stored and read
back, and storing them again changes nothing. It goes by its number: should somebody have cleared the content away and
another have parked it anew meanwhile, that is another row.
"""

import time
from collections.abc import Sequence
from typing import Final

from django.db import transaction

from artifacts.models import ParkedBlob
from artifacts.storage import store
from artifacts.storage.parked import move

_AT_ONCE: Final = 200


def move_parked(*, seconds: float = float("inf")) -> int:
    """Move what is parked, the oldest first; returns how many moved. Raises Unavailable where the store is away."""
    moved, last, end = 0, 0, time.monotonic() + seconds
    while time.monotonic() < end:
        rows = list(ParkedBlob.objects.filter(pk__gt=last).order_by("pk")[:_AT_ONCE])
        if not rows:
            break
        safe = []
        try:
            for row in rows:
                if move(row, store()):
                    safe.append(row.pk)
        finally:
            _take_out(safe)
        moved, last = moved + len(safe), rows[-1].pk
    return moved


def _take_out(safe: Sequence[int]) -> None:
    """What the collector holds just now it takes out itself: whoever waited for it could have it wait in turn."""
    with transaction.atomic():
        held = ParkedBlob.objects.select_for_update(skip_locked=True).filter(pk__in=safe)
        ParkedBlob.objects.filter(pk__in=list(held.values_list("pk", flat=True))).delete()
