"""What happened to one thing."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q

from audit.ledger.models import AuditEvent, AuditPayload, Leaf
from audit.ledger.values import Subject

PAYLOAD = "ledger.auditpayload"  # the kind under which an erased payload is on record


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
class Erasure:
    """That a payload was erased: by whom, when, on which basis."""

    by_kind: str
    by_id: UUID | None
    at: dt.datetime
    basis: str


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event with what its payload says. seq: its place in the log, None while it waits for one.

    is_erased: the payload was removed; that it existed stays on record. erasure: the act that did it, where one did.
    """

    event: AuditEvent
    changes: Sequence[RowChange]
    reason: str
    seq: int | None
    is_erased: bool
    erasure: Erasure | None = None


def history_of(subject: Subject, *, before: UUID | None = None, limit: int = 50) -> list[PastEvent]:
    """The events about one subject, newest first. before: the id of the last event of the page above."""
    events = AuditEvent.objects.filter(subject_type=subject.kind, subject_id=subject.id)
    if before is not None:
        events = events.filter(id__lt=before)
    return with_payloads(list(events.order_by("-id")[:limit]))


def with_payloads(events: Sequence[AuditEvent]) -> list[PastEvent]:
    """Events with payloads and places, in the order given: two queries, and two more where one is erased."""
    ids = [event.id for event in events]
    bodies = dict(AuditPayload.objects.filter(event_id__in=ids).values_list("event_id", "body"))
    places = dict(Leaf.objects.filter(event_id__in=ids).values_list("event_id", "seq"))
    erasures = erasures_of([event for event in events if event.id not in bodies])
    return [_past(one, bodies.get(one.id), places.get(one.id), erasures.get(one.id)) for one in events]


def erasures_of(events: Sequence[AuditEvent]) -> dict[UUID, Erasure]:
    """By event: the act that erased its payload. An erasing act belongs to the project of what it erased."""
    if not events:
        return {}
    projects, wanted = {event.project_id for event in events}, {event.id for event in events}
    within = Q(project_id__in=projects - {None}) | (Q(project_id=None) if None in projects else Q(pk__in=()))
    acts = {one.id: one for one in AuditEvent.objects.filter(within, subject_type=PAYLOAD, outcome="done")}
    rows = AuditPayload.objects.filter(event_id__in=list(acts)).values_list("event_id", "body")
    found: dict[UUID, Erasure] = {}
    for act_id, body in rows.iterator():
        act, told = acts[act_id], _read(body)
        erasure = Erasure(act.actor_kind, act.actor_id, act.at, told.reason)
        erased = (UUID(hex=one.id) for one in told.changes if one.type == PAYLOAD and one.op == "delete")
        found |= {event_id: erasure for event_id in erased if event_id in wanted}
    return found


def _read(body: str) -> _Payload:
    """What a payload says; nothing where somebody damaged it, which its commitment shows to whoever verifies."""
    try:
        return msgspec.json.decode(body, type=_Payload)
    except msgspec.DecodeError:
        return _Payload([])


def _past(event: AuditEvent, body: str | None, seq: int | None, erasure: Erasure | None) -> PastEvent:
    payload = _Payload([]) if body is None else _read(body)
    return PastEvent(event, payload.changes, payload.reason, seq, body is None, erasure)
