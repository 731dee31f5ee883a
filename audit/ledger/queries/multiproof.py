"""Inclusion paths of many events at once: the nodes of the tree from which each of their paths can be taken.

Paths share most of their nodes, so those of 100,000 events that lie close together are 100,000 hashes and not two
million. Events are proven in their order, each singly: what a path needs is among the nodes, or an event before it was
hashed to it.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from audit.ledger import merkle
from audit.ledger.models import Leaf, Subtree
from audit.ledger.tree import STEP

BLOCK = 1 << STEP

Node = tuple[int, int, bytes]
"""The hash over leaves [start, end)."""


class LogTree:
    """The stored log at one size, read for many proofs: subtrees of 256 leaves once, leaves as they are needed."""

    def __init__(self, size: int) -> None:
        self.size = size
        count = size >> STEP
        rows = Subtree.objects.filter(level=1, place__lt=count).order_by("place").values_list("root", flat=True)
        roots = [bytes.fromhex(root) for root in rows.iterator(chunk_size=5000)]
        if len(roots) != count:
            raise LookupError(f"The log lacks a part of its first {size} leaves.")
        self._above = _heights(roots)
        self._block = -1
        self._below: list[list[bytes]] = []

    def nodes(self, places: Sequence[int]) -> Iterator[Node]:
        """What the paths of these leaves need, by end and then from the shortest. places: ascending, each once."""
        if places and not 0 <= places[0] <= places[-1] < self.size:
            raise ValueError(f"A tree of {self.size} leaves does not have all of these.")
        return self._under(0, self.size, places, 0, len(places))

    def range_hash(self, start: int, end: int) -> bytes:
        """The hash over leaves [start, end), as proofs need it."""
        roots = [self._full(start + offset, height) for offset, height in merkle.full_subtrees(end - start)]
        return merkle.CompactRange(end - start, roots).root()

    def consistency_with(self, old: int) -> list[bytes]:
        """The proof that this tree goes on from the one of its first `old` leaves."""
        return merkle.consistency_proof(old, self.size, self.range_hash)

    def _under(self, start: int, end: int, places: Sequence[int], first: int, last: int) -> Iterator[Node]:
        """The nodes below [start, end), with places[first:last] in it."""
        if end - start == 1 or first == last:
            return
        middle = start + merkle.split(end - start)
        cut = bisect_left(places, middle, first, last)
        yield from self._under(start, middle, places, first, cut)
        if first == cut < last:
            yield start, middle, self.range_hash(start, middle)
        yield from self._under(middle, end, places, cut, last)
        if first < cut:
            yield middle, end, self.range_hash(middle, end)

    def _full(self, start: int, height: int) -> bytes:
        """The root of the full subtree of 2**height leaves from `start`."""
        if height >= STEP:
            return self._above[height - STEP][start >> height]
        block, within = divmod(start, BLOCK)
        if block != self._block:
            self._below, self._block = _heights(self._leaves(block)), block
        return self._below[height][within >> height]

    def _leaves(self, block: int) -> list[bytes]:
        first, last = block * BLOCK, min(self.size, (block + 1) * BLOCK)
        rows = Leaf.objects.filter(seq__gte=first, seq__lt=last).order_by("seq").values_list("leaf_hash", flat=True)
        leaves = [bytes.fromhex(leaf) for leaf in rows]
        if len(leaves) != last - first:
            raise LookupError(f"The log lacks a part of leaves {first} to {last - 1}.")
        return leaves


def _heights(roots: list[bytes]) -> list[list[bytes]]:
    """The full subtrees over some neighbours, by height: they themselves, pairs of them, pairs of those."""
    heights = [roots]
    while len(roots) > 1:
        roots = [merkle.node_hash(roots[at], roots[at + 1]) for at in range(0, len(roots) - 1, 2)]
        heights.append(roots)
    return heights
