"""Who builds a report: a lease that runs out by itself when its holder dies.

Bookkeeping without an event. Whoever wants to write something final shows the lease under the row's lock.
"""

import datetime as dt
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Q

from accounts.workers import sign_of_life
from audit.compliance.models import Report
from kernel.clock import now

log = logging.getLogger(__name__)

LEASE = dt.timedelta(seconds=30)
RENEWED_EVERY = 8.0  # seconds
AT_ONCE = 2  # reports that are built at the same time, so that other background work gets its turn
DEATHS = 100  # workers that died in a row over one report, without getting further: most of an hour of leases


class LeaseLost(RuntimeError):
    """Somebody else took the report over, or it was stopped: whoever built it puts everything down."""


def next_open(*, but: set[UUID] | None = None) -> UUID | None:
    """The oldest report that waits for somebody to build it; None where as many are under way as may be."""
    moment = now()
    rows = Report.objects.filter(state__in=Report.OPEN)
    if rows.filter(lease_until__gt=moment).count() >= AT_ONCE:
        return None
    free = rows.filter(Q(lease=None) | Q(lease_until=None) | Q(lease_until__lte=moment)).exclude(pk__in=but or set())
    found: UUID | None = free.order_by("requested_at", "pk").values_list("pk", flat=True).first()
    return found


def take(report_id: UUID) -> UUID | None:
    """Take a report for a while. None where somebody has it, or nothing is left to do."""
    moment, lease = now(), uuid4()
    with transaction.atomic():
        row = Report.objects.select_for_update(no_key=True).filter(pk=report_id, state__in=Report.OPEN).first()
        if row is None or (row.lease is not None and row.lease_until is not None and row.lease_until > moment):
            return None
        row.attempts += row.lease is not None  # whoever had it died
        row.lease, row.lease_until = lease, moment + LEASE
        row.save()
    return lease


def is_hopeless(report_id: UUID) -> bool:
    """Whether so many workers died over it that nobody else should try."""
    return Report.objects.filter(pk=report_id, attempts__gte=DEATHS).exists()


def renew(report_id: UUID, lease: UUID, *, done: int | None = None) -> None:
    """Keep a report for another while. done: records; who gets further than ever makes earlier attempts forgotten.

    Raises LeaseLost.
    """
    with transaction.atomic():
        row = Report.objects.select_for_update(no_key=True).filter(pk=report_id, state__in=Report.OPEN).first()
        if row is None or row.lease != lease:
            raise LeaseLost
        row.lease_until = now() + LEASE
        if done is not None and done > row.done:
            row.done, row.attempts = done, 0
        row.save()


def give_back(report_id: UUID, lease: UUID) -> None:
    """Let somebody else try, at once."""
    with transaction.atomic():
        row = Report.objects.select_for_update(no_key=True).filter(pk=report_id, lease=lease).first()
        if row is not None:
            row.lease, row.lease_until = None, None
            row.save()


def note_failure(report_id: UUID, lease: UUID) -> int:
    """Count that it went wrong once more; how often it did by now, 0 for who lost the lease."""
    with transaction.atomic():
        row = Report.objects.select_for_update(no_key=True).filter(pk=report_id, lease=lease).first()
        if row is None:
            return 0
        row.attempts += 1
        row.save()
        return int(row.attempts)


@contextmanager
def kept(report_id: UUID, lease: UUID) -> Iterator[None]:
    """Renew a lease meanwhile, from a thread of its own: what takes minutes in one piece cannot do it itself."""
    ended = threading.Event()
    thread = threading.Thread(target=_renew_until, args=(report_id, lease, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _renew_until(report_id: UUID, lease: UUID, ended: threading.Event) -> None:
    try:
        while not ended.wait(RENEWED_EVERY):
            try:
                renew(report_id, lease)
            except LeaseLost:
                return
            except Exception:
                log.exception("Renewing the lease of report %s", report_id)
            sign_of_life()
    finally:
        connection.close()
