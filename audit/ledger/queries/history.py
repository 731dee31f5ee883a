"""What happened to one thing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from audit.ledger.models import AuditEvent, AuditPayload, Leaf
from audit.ledger.values import Subject


class RowChange(msgspec.Struct, frozen=True):
    """A recorded change of one record. fields: name -> (old, new) as plain values."""

    type: str
    id: str
    op: str
    fields: dict[str, tuple[Any, Any]]


class _Payload(msgspec.Struct, frozen=True):
    changes: list[RowChange]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event with what its payload says. seq: its place in the log, None while it waits for one.

    is_erased: the payload was removed; that it existed stays on record.
    """

    event: AuditEvent
    changes: Sequence[RowChange]
    reason: str
    seq: int | None
    is_erased: bool


def history_of(subject: Subject, *, before: UUID | None = None, limit: int = 50) -> list[PastEvent]:
    """The events about one subject, newest first. before: the id of the last event of the page above."""
    events = AuditEvent.objects.filter(subject_type=subject.kind, subject_id=subject.id)
    if before is not None:
        events = events.filter(id__lt=before)
    return with_payloads(list(events.order_by("-id")[:limit]))


def with_payloads(events: Sequence[AuditEvent]) -> list[PastEvent]:
    """Events with payloads and places, in the order given: two queries for any number."""
    ids = [event.id for event in events]
    bodies = dict(AuditPayload.objects.filter(event_id__in=ids).values_list("event_id", "body"))
    places = dict(Leaf.objects.filter(event_id__in=ids).values_list("event_id", "seq"))
    return [_past(event, bodies.get(event.id), places.get(event.id)) for event in events]


def _read(body: str) -> _Payload:
    """What a payload says; nothing where somebody damaged it, which its commitment shows to whoever verifies."""
    try:
        return msgspec.json.decode(body, type=_Payload)
    except msgspec.DecodeError:
        return _Payload([])


def _past(event: AuditEvent, body: str | None, seq: int | None) -> PastEvent:
    payload = _Payload([]) if body is None else _read(body)
    return PastEvent(event, payload.changes, payload.reason, seq, body is None)
