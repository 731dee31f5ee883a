"""The stored log as a tree: its leaves, and the roots of full subtrees of 256, 65,536, ... leaves.

A head or a proof of a log of a million events reads a few dozen rows instead of a million.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max

from audit.ledger import merkle
from audit.ledger.canonical import LEAF_COLUMNS, hex_id, ids_parameter, leaf_select
from audit.ledger.models import Leaf, Subtree

STEP = 8
"""Every eighth height is stored: subtrees of 256**level leaves."""
_ID = LEAF_COLUMNS.index("id")


def stored_size() -> int:
    """How many leaves the log has."""
    last = Leaf.objects.aggregate(last=Max("seq"))["last"]
    return 0 if last is None else int(last) + 1


def stored_tree(size: int) -> merkle.CompactRange:
    """The log at that size, ready to go on."""
    return merkle.CompactRange(size, [subtree_root(start, height) for start, height in merkle.full_subtrees(size)])


def leaf_rows(event_ids: Sequence[UUID]) -> dict[UUID, Sequence[Any]]:
    """By event: its columns as they are stored, of which `leaf_bytes` makes the leaf. What is gone is left out."""
    by_hex = {event_id.hex: event_id for event_id in event_ids}
    columns, marks = leaf_select(connection.vendor, "event"), ", ".join(["%s"] * len(event_ids))
    query = f"SELECT {columns} FROM ledger_auditevent event WHERE event.id IN ({marks})"  # noqa: S608 - fixed words
    with connection.cursor() as cursor:
        cursor.execute(query, ids_parameter(connection.vendor, event_ids))
        return {by_hex[hex_id(row[_ID])]: row for row in cursor.fetchall()}


def subtree_root(start: int, height: int) -> bytes:
    """The root of the full subtree of 2**height leaves from `start`, a multiple of that number."""
    level, rest = divmod(height, STEP)
    first, count = start >> (level * STEP), 1 << rest
    rows: Iterable[str]
    if level:
        found = Subtree.objects.filter(level=level, place__gte=first, place__lt=first + count)
        rows = found.order_by("place").values_list("root", flat=True)
    else:
        leaves = Leaf.objects.filter(seq__gte=first, seq__lt=first + count)
        rows = leaves.order_by("seq").values_list("leaf_hash", flat=True)
    roots = [bytes.fromhex(row) for row in rows]
    if len(roots) != count:
        raise LookupError(f"The log lacks a part of leaves {start} to {start + (1 << height) - 1}.")
    return merkle.root_of(roots)


def range_hash(start: int, end: int) -> bytes:
    """The hash over leaves [start, end) of the stored log, as proofs need it."""
    roots = [subtree_root(start + offset, height) for offset, height in merkle.full_subtrees(end - start)]
    return merkle.CompactRange(end - start, roots).root()


def subtrees_of(grown: merkle.Grown) -> list[Subtree]:
    """The rows to store for subtrees that came into being."""
    return [
        Subtree(level=height // STEP, place=place, root=root.hex())
        for height, place, root in grown
        if height % STEP == 0
    ]
