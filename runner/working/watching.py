"""Whose worker is gone, judged by somebody who looks again and again, and believes no clock alone.

A lease that is renewed every eight seconds runs out after thirty. Clocks of machines differ and jump, so a lease counts
as lost only where whoever looks has seen it unchanged for a while by a clock of its own that never jumps: for half of
a lease where the hour says that it is over, for all of one whatever the hour says. Who could not look for a while (the
database was away, and then nobody could renew either) begins anew.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

LEASE = dt.timedelta(seconds=30)
RENEWED_EVERY = 8.0  # seconds
SEEN_FOR = 13.0  # seconds: more than between two renewals, less than between two looks by the clock
LOOKS_APART = 25.0  # seconds between two looks, at most, for the first to count


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as it stands in a job's row."""

    lease: UUID
    until: dt.datetime


class Watch:
    """What one process has seen of leases so far."""

    def __init__(self) -> None:
        self._seen: dict[UUID, tuple[Held, float]] = {}
        self._looked_at = float("-inf")

    def lost(self, held: Mapping[UUID, Held], *, at: float, hour: dt.datetime) -> list[UUID]:
        """The jobs whose workers are gone. held: all leases there are; at: seconds of a clock that never jumps."""
        if at - self._looked_at > LOOKS_APART:
            self._seen.clear()
        self._looked_at = at
        self._seen = {job: self._since(job, now, at) for job, now in held.items()}
        return [job for job, (now, since) in self._seen.items() if self._is_lost(now, at - since, hour)]

    def _since(self, job: UUID, now: Held, at: float) -> tuple[Held, float]:
        before = self._seen.get(job)
        return before if before is not None and before[0] == now else (now, at)

    def _is_lost(self, now: Held, unchanged: float, hour: dt.datetime) -> bool:
        return unchanged >= LEASE.total_seconds() or (now.until <= hour and unchanged >= SEEN_FOR)

    def forget(self, jobs: Iterable[UUID]) -> None:
        """These are settled."""
        for job in jobs:
            self._seen.pop(job, None)
