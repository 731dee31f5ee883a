"""How far the sequencer is behind, and where the log stands."""

import datetime as dt
from dataclasses import dataclass

from audit.ledger.models import AuditEvent, Checkpoint, Pending
from kernel.clock import now


@dataclass(frozen=True, slots=True)
class Lag:
    """waiting: events without a place in the log. seconds: how long the first of them has waited."""

    waiting: int
    seconds: float


def ledger_lag() -> Lag:
    """What waits for the sequencer. Normal is under 5 seconds; from 60 on something is wrong."""
    first = Pending.objects.order_by("id").values_list("event_id", flat=True).first()
    if first is None:
        return Lag(0, 0.0)
    since = AuditEvent.objects.filter(id=first).values_list("at", flat=True).first()
    seconds = (now() - since).total_seconds() if since else 0.0
    return Lag(Pending.objects.count(), max(0.0, seconds))


def newest_event_at() -> dt.datetime | None:
    """When the newest event happened, as the clock said then. Ids grow with time."""
    return AuditEvent.objects.order_by("-id").values_list("at", flat=True).first()


def newest_head() -> Checkpoint | None:
    """The newest signed head; None before the first."""
    return Checkpoint.objects.order_by("-size", "-id").first()


def newest_signer() -> str:
    """The id of the key that signed the newest head; '' before the first."""
    head = newest_head()
    return head.key_id if head is not None else ""
