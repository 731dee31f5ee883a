"""Checkpoints as a walk through the log meets them."""

from collections.abc import Iterator
from itertools import groupby

from audit.ledger.models import Checkpoint

CHUNK = 2000


class Heads:
    """Checkpoints in the order of their sizes."""

    def __init__(self) -> None:
        rows = Checkpoint.objects.order_by("size", "pk").iterator(chunk_size=CHUNK)
        self._groups = groupby(rows, key=lambda row: row.size)
        self._next: tuple[int, list[Checkpoint]] | None = None
        self._advance()

    def at(self, size: int) -> list[Checkpoint]:
        """Those of that size, and of smaller ones that were never asked for."""
        found: list[Checkpoint] = []
        while self._next and self._next[0] <= size:
            found += self._next[1]
            self._advance()
        return found

    def rest(self) -> Iterator[Checkpoint]:
        """All that are left."""
        while self._next:
            yield from self._next[1]
            self._advance()

    def _advance(self) -> None:
        group = next(self._groups, None)
        self._next = None if group is None else (group[0], list(group[1]))
