"""Who does a transfer: a lease that runs out by itself when its holder dies.

Bookkeeping without an event. Whoever wants to write something final shows the lease under the row's lock.
"""

import datetime as dt
import logging
import threading
import time
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Q

from accounts.workers import sign_of_life
from kernel.clock import now
from transfer.models import Moved, Transfer
from transfer.work import Stopped

log = logging.getLogger(__name__)

LEASE = dt.timedelta(seconds=30)
RENEWED_EVERY = 8.0  # seconds
WRITTEN_EVERY = 1.0  # seconds between two rows written about how far it is
AT_ONCE = 2  # transfers under way at the same time, so that other background work gets its turn


def next_open(*, but: set[UUID] | None = None) -> UUID | None:
    """The oldest transfer that waits for somebody; None where as many are under way as may be."""
    moment = now()
    rows = Transfer.objects.filter(state__in=Transfer.OPEN)
    if rows.filter(lease_until__gt=moment).count() >= AT_ONCE:
        return None
    free = rows.filter(Q(lease=None) | Q(lease_until=None) | Q(lease_until__lte=moment)).exclude(pk__in=but or set())
    busy = rows.exclude(kind=Transfer.Kind.EXPORT).filter(lease_until__gt=moment).values("project")
    free = free.filter(Q(kind=Transfer.Kind.EXPORT) | ~Q(project__in=busy))
    found: UUID | None = free.order_by("requested_at", "pk").values_list("pk", flat=True).first()
    return found


def take(transfer_id: UUID) -> tuple[UUID, int] | None:
    """Take a transfer for a while: the lease, and which attempt in a row this is that did not get further before.

    None where somebody has it, where it is over, or where something else comes into the project just now: two imports
    of one source at once would each make what the other makes. The attempt counts from its first moment, so that one
    that kills its worker counts too.
    """
    moment, lease = now(), uuid4()
    with transaction.atomic():
        row = _free(transfer_id, moment)
        if row is None:
            return None
        moved = _moved(transfer_id)
        if moved > row.got_to:
            row.attempts, row.got_to = 0, moved
        row.lease, row.lease_until, row.attempts = lease, moment + LEASE, row.attempts + 1
        row.save()
    return lease, int(row.attempts)


def _free(transfer_id: UUID, moment: dt.datetime) -> Transfer | None:
    """The row, with the locks of all imports into its project where it is one, in one order for everybody."""
    rows = Transfer.objects.filter(state__in=Transfer.OPEN)
    asked = rows.filter(pk=transfer_id).first()
    if asked is None:
        return None
    beside = Q(pk=transfer_id)
    if asked.kind != Transfer.Kind.EXPORT:
        beside |= Q(project=asked.project_id) & ~Q(kind=Transfer.Kind.EXPORT)
    held = list(rows.filter(beside).select_for_update(no_key=True).order_by("pk"))
    if any(_is_leased(one, moment) for one in held):
        return None
    return next((one for one in held if one.pk == transfer_id), None)


def _is_leased(row: Transfer, moment: dt.datetime) -> bool:
    return row.lease is not None and row.lease_until is not None and row.lease_until > moment


def _moved(transfer_id: UUID) -> int:
    return int(Moved.objects.filter(transfer=transfer_id).count())


def got_further(transfer_id: UUID) -> bool:
    """Whether something was moved since the last attempt began."""
    return Transfer.objects.filter(pk=transfer_id, got_to__lt=_moved(transfer_id)).exists()


def renew(transfer_id: UUID, lease: UUID, *, stage: str | None = None, done: int = 0, total: int | None = None) -> None:
    """Keep a transfer for another while, and say how far it is. Raises Stopped."""
    with transaction.atomic():
        row = Transfer.objects.select_for_update(no_key=True).filter(pk=transfer_id, state__in=Transfer.OPEN).first()
        if row is None or row.lease != lease:
            raise Stopped
        row.lease_until = now() + LEASE
        if stage is not None:
            row.stage, row.done, row.total = stage, done, total
        row.save()


def give_back(transfer_id: UUID, lease: UUID, *, uncounted: bool = False) -> None:
    """Let somebody else try, at once. uncounted: nothing went wrong, so that it is no attempt."""
    with transaction.atomic():
        row = Transfer.objects.select_for_update(no_key=True).filter(pk=transfer_id, lease=lease).first()
        if row is not None:
            row.lease, row.lease_until = None, None
            row.attempts -= int(uncounted)
            row.save()


class Keeper:
    """Renews a lease and writes down how far the work is, once a second, from a thread with a connection of its own.

    So work may be busy for minutes in one step, and may read from one unchanging view of the database meanwhile.
    """

    def __init__(self, transfer_id: UUID, lease: UUID) -> None:
        self._transfer, self._lease = transfer_id, lease
        self._ended, self._lost = threading.Event(), threading.Event()
        self._far: tuple[str, int, int | None] | None = None
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Keeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def note(self, stage: str, done: int, total: int | None) -> None:
        """How far it is, to be written soon. Raises Stopped where the lease is lost."""
        self._far = (stage, done, total)
        if self._lost.is_set():
            raise Stopped

    def _keep(self) -> None:
        written, renewed = None, time.monotonic()
        try:
            while not self._ended.wait(WRITTEN_EVERY):
                far = self._far
                if far == written and time.monotonic() - renewed < RENEWED_EVERY:
                    continue
                try:
                    stage, done, total = far or (None, 0, None)
                    renew(self._transfer, self._lease, stage=stage, done=done, total=total)
                    written, renewed = far, time.monotonic()
                except Stopped:
                    self._lost.set()
                    return
                except Exception:
                    log.exception("Renewing the lease of transfer %s", self._transfer)
                sign_of_life()
        finally:
            connection.close()
