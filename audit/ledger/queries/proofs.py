"""Proofs over the stored log, for whoever holds a signed head."""

from dataclasses import dataclass
from uuid import UUID

from audit.ledger import merkle
from audit.ledger.models import Checkpoint, Leaf
from audit.ledger.tree import range_hash


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That an event is in the log under a checkpoint: hash its leaf up along the path and compare with the root."""

    seq: int
    leaf_hash: bytes
    checkpoint: Checkpoint
    path: list[bytes]


def inclusion_of(event_id: UUID) -> Inclusion | None:
    """The proof for an event under the newest checkpoint; None while it waits for its place."""
    head = newest_checkpoint()
    return None if head is None else inclusion_under(head, event_id)


def inclusion_under(head: Checkpoint, event_id: UUID) -> Inclusion | None:
    """The proof for an event under a checkpoint; None where that does not cover it."""
    leaf = Leaf.objects.filter(event_id=event_id).first()
    if leaf is None or leaf.seq >= head.size:
        return None
    path = merkle.inclusion_proof(leaf.seq, head.size, range_hash)
    return Inclusion(leaf.seq, bytes.fromhex(leaf.leaf_hash), head, path)


def consistency_between(old: int, new: int) -> list[bytes]:
    """The proof that the log of `new` events begins with the log of `old` events."""
    return merkle.consistency_proof(old, new, range_hash)


def newest_checkpoint() -> Checkpoint | None:
    """The last signed head."""
    return Checkpoint.objects.order_by("-size", "-id").first()
