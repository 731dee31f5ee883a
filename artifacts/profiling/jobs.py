"""Whose turn it is to read a version: the row says so, a message only wakes a worker. One result is kept, once."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db.models import F, Q

from artifacts.models import DatasetVersion, VersionProfile
from artifacts.profiling.running import Outcome, read_version
from kernel.clock import now

State = VersionProfile.State
LEASE = dt.timedelta(minutes=10)  # longer than the longest reading
ATTEMPTS = 3
_STALE = dt.timedelta(seconds=30)


def profile_version(version_id: UUID) -> None:
    """Read a version if it waits, or if whoever read it is gone. Any number of workers may be told at once."""
    attempt = _claim(version_id)
    if attempt is None:
        return
    if attempt > ATTEMPTS:
        outcome = Outcome(State.FAILED, f"Reading it was begun {ATTEMPTS} times and never ended.")
    else:
        outcome = read_version(DatasetVersion.objects.get(pk=version_id))
    _keep(version_id, attempt, outcome)


def waiting_versions() -> Sequence[UUID]:
    """Versions that still wait some time after they were made, or whose reader is gone: a lost message, a crash."""
    old = Q(state=State.WAITING, version__created_at__lt=now() - _STALE)
    orphaned = Q(state=State.RUNNING, lease_until__lt=now())
    rows = VersionProfile.objects.filter(old | orphaned).order_by("version__created_at")
    return list(rows.values_list("version_id", flat=True)[:100])


def _claim(version_id: UUID) -> int | None:
    """Take the row for a while; which attempt this is, or None where somebody else has it or it is done."""
    moment = now()
    free = Q(state=State.WAITING) | Q(state=State.RUNNING, lease_until__lt=moment)
    taken = VersionProfile.objects.filter(free, version_id=version_id).update(
        state=State.RUNNING, lease_until=moment + LEASE, attempts=F("attempts") + 1
    )
    if not taken:
        return None
    return int(VersionProfile.objects.values_list("attempts", flat=True).get(version_id=version_id))


def _keep(version_id: UUID, attempt: int, outcome: Outcome) -> None:
    """Write the result, unless the lease ran out and another attempt has begun since."""
    VersionProfile.objects.filter(version_id=version_id, state=State.RUNNING, attempts=attempt).update(
        state=outcome.state,
        error=outcome.error,
        row_count=outcome.row_count,
        columns=list(outcome.columns),
        notes=list(outcome.notes),
        lease_until=None,
        done_at=now(),
    )
