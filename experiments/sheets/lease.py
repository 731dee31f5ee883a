"""Who is at a sheet: a lease that runs out by itself when its holder dies. Bookkeeping without an event."""

import datetime as dt
from typing import Final
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q

from experiments.models import SheetImport
from kernel.clock import now

LEASE: Final = dt.timedelta(seconds=180)  # longer than the longest reading in one piece
ATTEMPTS: Final = 3


class LeaseLost(RuntimeError):
    """Somebody else took the sheet over, or it was stopped: whoever was at it puts everything down."""


def next_open(*, but: set[UUID]) -> UUID | None:
    """The oldest sheet that waits for a worker."""
    rows = SheetImport.objects.filter(state__in=SheetImport.OPEN).exclude(pk__in=but)
    free = rows.filter(Q(lease=None) | Q(lease_until=None) | Q(lease_until__lte=now()))
    found: UUID | None = free.order_by("created_at", "pk").values_list("pk", flat=True).first()
    return found


def take(sheet_id: UUID) -> UUID | None:
    """Take a sheet for a while. None where somebody has it, or nothing is left to do."""
    moment, lease = now(), uuid4()
    with transaction.atomic():
        row = _held(sheet_id)
        if row is None or not row.is_open or (row.lease and row.lease_until and row.lease_until > moment):
            return None
        row.lease, row.lease_until = lease, moment + LEASE
        row.save()
    return lease


def renew(sheet_id: UUID, lease: UUID, *, done: int) -> None:
    """Keep a sheet for another while, and say how many rows are done. Raises LeaseLost."""
    with transaction.atomic():
        row = _held(sheet_id)
        if row is None or row.lease != lease or not row.is_open:
            raise LeaseLost
        row.attempts = 0 if done > row.done else row.attempts  # what gets on is not broken
        row.lease_until, row.done = now() + LEASE, done
        row.save()


def note_failure(sheet_id: UUID, lease: UUID) -> int:
    """Count that it went wrong, and let somebody else try; how often it did by now, 0 for who lost the lease."""
    with transaction.atomic():
        row = _held(sheet_id)
        if row is None or row.lease != lease:
            return 0
        row.attempts += 1
        if row.attempts < ATTEMPTS:
            row.lease, row.lease_until = None, None
        row.save()
        return int(row.attempts)


def _held(sheet_id: UUID) -> SheetImport | None:
    found: SheetImport | None = SheetImport.objects.select_for_update(no_key=True).filter(pk=sheet_id).first()
    return found
