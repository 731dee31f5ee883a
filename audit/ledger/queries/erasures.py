"""Which events say that what other events said was erased."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from audit.ledger.models import AuditEvent, AuditPayload, Leaf
from audit.ledger.queries.history import PAYLOAD, with_payloads

CHUNK = 1000


def erasures_of(project_id: UUID, places: Sequence[int]) -> list[int | None]:
    """The places of the events that erased what the events at these places said; None for one that still waits."""
    gone = {event_id.hex for event_id in _without_payload(places)}
    if not gone:
        return []
    told = AuditEvent.objects.filter(project_id=project_id, subject_type=PAYLOAD, outcome="done").order_by("id")
    found: list[int | None] = []
    for past in with_payloads(list(told)):
        if any(change.type == PAYLOAD and change.id in gone for change in past.changes):
            found.append(past.seq)
    return found


def _without_payload(places: Sequence[int]) -> Iterator[UUID]:
    for start in range(0, len(places), CHUNK):
        some = list(places[start : start + CHUNK])
        events = list(Leaf.objects.filter(seq__in=some).values_list("event_id", flat=True))
        kept = set(AuditPayload.objects.filter(event_id__in=events).values_list("event_id", flat=True))
        yield from (event_id for event_id in events if event_id not in kept)
