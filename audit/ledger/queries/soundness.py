"""Whether one thing is as the log says, and the log over it as it was signed: verify_ledger for a few events."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from audit.ledger import checkpoints, merkle
from audit.ledger.canonical import Unreadable, leaf_hash_of
from audit.ledger.keys import trusted_keys
from audit.ledger.models import AuditEvent, AuditPayload, Checkpoint, Leaf
from audit.ledger.queries.history import PastEvent, with_payloads
from audit.ledger.queries.proofs import newest_checkpoint
from audit.ledger.replay import same
from audit.ledger.tree import leaf_rows, range_hash
from audit.ledger.values import plain
from kernel.digests import commitment

AT_ONCE = 500
PROVEN_MAX = 200  # inclusion proofs made for one thing; the rest is covered by leaf and payload


def differs_from_log(kind: str, row_id: str, now: Mapping[str, Any]) -> str:
    """Which field of a row is not as its events left it, or ''. Reads the events whose subject is the row itself."""
    events = AuditEvent.objects.filter(subject_type=kind, subject_id=row_id).order_by("id")
    past = with_payloads(list(events))
    recorded = replayed(kind, row_id, past)
    if not recorded:
        return "" if any(one.erasure for one in past) else "no event made it"
    wrong = [name for name, value in now.items() if name in recorded and not same(recorded[name], plain(value))]
    return f"{', '.join(wrong)} changed without an event" if wrong else ""


def replayed(kind: str, row_id: str, events: Sequence[PastEvent]) -> dict[str, Any]:
    """The fields of a record after these events."""
    fields: dict[str, Any] = {}
    for past in events:
        for change in past.changes:
            if change.type == kind and change.id == row_id and past.event.outcome == "done":
                fields |= {name: pair[1] for name, pair in change.fields.items()}
    return fields


def broken_link(events: Sequence[PastEvent]) -> str:
    """What is wrong with the log over these events, or ''. An event without a place yet is 'waiting'.

    Each payload against its commitment, each leaf against its event, a sample of leaves (all of the first 200)
    against the signed head.
    """
    head = newest_checkpoint()
    if head is None:
        return "waiting"
    if wrong := _wrong_head(head):
        return wrong
    ids = [past.event.id for past in events]
    leaves: dict[Any, tuple[int, str]] = {}
    for start in range(0, len(ids), AT_ONCE):
        rows = Leaf.objects.filter(event_id__in=ids[start : start + AT_ONCE])
        leaves |= {
            event_id: (seq, stored) for event_id, seq, stored in rows.values_list("event_id", "seq", "leaf_hash")
        }
    found = _leaf_hashes(ids)
    for place, past in enumerate(events):
        event_id = past.event.id
        if event_id not in leaves or leaves[event_id][0] >= head.size:
            return "waiting"
        seq, stored = leaves[event_id]
        if found.get(event_id) != stored:
            return f"event {seq} is not the one that was put into the log"
        if place < PROVEN_MAX and not _is_included(seq, stored, head):
            return f"event {seq} is not under the signed head"
    return _wrong_payload(events)


def _wrong_head(head: Checkpoint) -> str:
    keys = trusted_keys()
    if not keys:
        return "there is no public key to check the log with"
    try:
        said = checkpoints.verify(head.note, keys)
    except checkpoints.BadCheckpoint as error:
        return str(error)
    return "" if (said.size, said.root.hex()) == (head.size, head.root) else "the newest head is not the signed one"


def _leaf_hashes(ids: Sequence[Any]) -> dict[Any, str]:
    """By event: the hash of its leaf, computed anew from the stored columns."""
    hashes: dict[Any, str] = {}
    for start in range(0, len(ids), AT_ONCE):
        for event_id, row in leaf_rows(ids[start : start + AT_ONCE]).items():
            with suppress(Unreadable):
                hashes[event_id] = leaf_hash_of(row).hex()
    return hashes


def _is_included(seq: int, stored: str, head: Checkpoint) -> bool:
    path = merkle.inclusion_proof(seq, head.size, range_hash)
    return merkle.includes(bytes.fromhex(head.root), head.size, seq, bytes.fromhex(stored), path)


def _wrong_payload(events: Sequence[PastEvent]) -> str:
    ids = [past.event.id for past in events]
    for start in range(0, len(ids), AT_ONCE):
        rows = AuditPayload.objects.filter(event_id__in=ids[start : start + AT_ONCE])
        kept = {event_id: (bytes(salt), body) for event_id, salt, body in rows.values_list("event_id", "salt", "body")}
        for past in events[start : start + AT_ONCE]:
            payload = kept.get(past.event.id)
            if payload is None and past.erasure is None:
                return f"what event {past.seq} says is gone, and nobody erased it"
            if payload and commitment(payload[0], payload[1].encode()) != past.event.commitment:
                return f"what event {past.seq} says was changed"
    return ""
