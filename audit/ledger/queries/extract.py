"""The log as lines of JSON, in the order of its leaves: whoever holds them can compute each leaf and payload anew."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

import orjson
from django.db.models import Q

from audit.ledger.canonical import leaf_bytes
from audit.ledger.models import AuditEvent, AuditPayload, Leaf
from audit.ledger.tree import leaf_rows

CHUNK = 1000


def extract(project_id: UUID, matching: Q, *, size: int) -> Iterator[bytes]:
    """A line for each event of a project that matches, of the first `size` of the log, a thousand read at a time.

    {"seq": place, "leaf_hash": hex, "leaf": {...}, "salt": hex, "payload": {...}}: leaf and payload are the canonical
    bytes that were hashed; salt and payload are null where the payload was erased.
    """
    for found in _found(project_id, matching, size=size):
        yield from _lines(found)


def places_of(project_id: UUID, matching: Q, *, size: int) -> Iterator[int]:
    """The places of the events that `extract` would give, ascending."""
    for found in _found(project_id, matching, size=size):
        yield from sorted(seq for seq, _ in found.values())


def places_about(project_id: UUID, kind: str, ids: Iterable[str], *, size: int) -> Iterator[int]:
    """The places of a project's events about some things of one kind, of the first `size` of the log; in no order."""
    some = list(ids)
    for start in range(0, len(some), CHUNK // 2):
        told = AuditEvent.objects.filter(subject_type=kind, subject_id__in=some[start : start + CHUNK // 2])
        events = list(told.filter(project_id=project_id).values_list("id", flat=True))
        for first in range(0, len(events), CHUNK):
            leaves = Leaf.objects.filter(event_id__in=events[first : first + CHUNK], seq__lt=size)
            yield from leaves.values_list("seq", flat=True)


def lines_at(places: Sequence[int]) -> Iterator[bytes]:
    """The lines of the events at these places, a thousand read at a time."""
    for start in range(0, len(places), CHUNK):
        leaves = Leaf.objects.filter(seq__in=list(places[start : start + CHUNK]))
        yield from _lines({one: (seq, told) for seq, one, told in leaves.values_list("seq", "event_id", "leaf_hash")})


def _found(project_id: UUID, matching: Q, *, size: int) -> Iterator[dict[UUID, tuple[int, str]]]:
    """By event, place and leaf hash of those that match, a stretch of the log at a time."""
    for start in range(0, size, CHUNK):
        leaves = Leaf.objects.filter(seq__gte=start, seq__lt=min(size, start + CHUNK))
        places = {event_id: (seq, told) for seq, event_id, told in leaves.values_list("seq", "event_id", "leaf_hash")}
        events = AuditEvent.objects.filter(matching, project_id=project_id, id__in=list(places))
        yield {one: places[one] for one in events.values_list("id", flat=True)}


def _lines(found: dict[UUID, tuple[int, str]]) -> Iterator[bytes]:
    if not found:
        return
    rows = {event_id: leaf_bytes(row) for event_id, row in leaf_rows(list(found)).items()}
    payloads = AuditPayload.objects.filter(event_id__in=list(found)).values_list("event_id", "salt", "body")
    bodies = {event_id: (bytes(salt).hex(), body) for event_id, salt, body in payloads}
    for event_id, (seq, leaf_hash) in sorted(found.items(), key=lambda item: item[1]):
        salt, body = bodies.get(event_id, (None, None))
        yield b'{"seq":%d,"leaf_hash":"%s","leaf":%s,"salt":%s,"payload":%s}\n' % (
            seq,
            leaf_hash.encode(),
            rows[event_id],
            orjson.dumps(salt),
            body.encode() if body is not None else b"null",
        )
