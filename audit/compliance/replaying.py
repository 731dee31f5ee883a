"""Records as some events of the log left them."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from audit.ledger.models import AuditEvent, Leaf
from audit.ledger.queries.history import with_payloads
from audit.ledger.replay import REDACTED, Records

AT_ONCE = 500
_LAST_PLACE = 1 << 62


def replayed(ids: Sequence[UUID]) -> tuple[Records, int]:
    """The records after these events, in the order of the log; and how many payloads are gone."""
    records, erased = Records(), 0
    for some in _in_order(ids):
        events = {event.id: event for event in AuditEvent.objects.filter(pk__in=some)}
        for past in with_payloads([events[one] for one in some]):
            erased += past.is_erased
            for row in past.changes:
                if row.op == REDACTED:  # what other events tell stays told
                    continue
                records.apply({"type": row.type, "id": row.id, "op": row.op, "fields": dict(row.fields)})
    return records, erased


def _in_order(ids: Sequence[UUID]) -> Iterator[list[UUID]]:
    places: dict[UUID, int] = {}
    for start in range(0, len(ids), AT_ONCE):
        rows = Leaf.objects.filter(event_id__in=ids[start : start + AT_ONCE]).values_list("event_id", "seq")
        places |= dict(rows)
    ordered = sorted(ids, key=lambda one: (places.get(one, _LAST_PLACE), one))
    for start in range(0, len(ordered), AT_ONCE):
        yield ordered[start : start + AT_ONCE]
