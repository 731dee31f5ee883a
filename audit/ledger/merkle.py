"""Merkle trees as RFC 6962 and RFC 9162 define them: hashes, compact ranges, proofs. Plain functions over bytes."""

import hashlib
from collections.abc import Callable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()

RangeHash = Callable[[int, int], bytes]
"""The hash of the tree over leaves [start, end)."""

Grown = list[tuple[int, int, bytes]]
"""Full subtrees that came into being: (height, place among those of its height, root)."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class CompactRange:
    """A tree that only grows, kept as the roots of its full subtrees from left to right: one per set bit of size."""

    def __init__(self, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        if size.bit_count() != len(roots):
            raise ValueError(f"A tree of {size} leaves has {size.bit_count()} full subtrees, not {len(roots)}.")
        self.size = size
        self.roots = list(roots)

    def append(self, leaf: bytes, grown: Grown | None = None) -> None:
        """Add a leaf's hash. grown: takes the full subtrees that this completes, small ones first."""
        node, height, rest, roots = leaf, 0, self.size, self.roots
        while rest & 1:
            node = node_hash(roots.pop(), node)
            height += 1
            rest >>= 1
            if grown is not None:
                grown.append((height, self.size >> height, node))
        roots.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root hash at this size."""
        if not self.roots:
            return EMPTY_ROOT
        node = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            node = node_hash(left, node)
        return node

    def copy(self) -> "CompactRange":
        """Another that grows on its own."""
        return CompactRange(self.size, self.roots)


def full_subtrees(size: int) -> list[tuple[int, int]]:
    """The full subtrees of a tree of that size from left to right, as (start, height)."""
    found, start = [], 0
    for height in reversed(range(size.bit_length())):
        if size >> height & 1:
            found.append((start, height))
            start += 1 << height
    return found


def split(size: int) -> int:
    """Where a tree of two or more leaves divides: the largest power of two below its size."""
    return 1 << (size - 1).bit_length() - 1


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    tree = CompactRange()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def inclusion_proof(index: int, size: int, range_hash: RangeHash) -> list[bytes]:
    """That leaf `index` is in the tree of `size` leaves (RFC 9162, 2.1.3.1): siblings from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"A tree of {size} leaves has no leaf {index}.")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append(range_hash(middle, end))
            end = middle
        else:
            path.append(range_hash(start, middle))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, range_hash: RangeHash) -> list[bytes]:
    """That the tree of `old` leaves is the beginning of the tree of `new` leaves (RFC 9162, 2.1.4.1)."""
    if not 0 < old <= new:
        raise ValueError(f"A tree of {new} leaves cannot go on from {old}.")
    path, start, end, whole = [], 0, new, True
    while end != old:
        middle = start + split(end - start)
        if old <= middle:
            path.append(range_hash(middle, end))
            end = middle
        else:
            path.append(range_hash(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(range_hash(start, end))
    return path[::-1]


def includes(root: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that `leaf` stands at `index` in the tree with that root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and node == root


def is_continued(old_root: bytes, old: int, new_root: bytes, new: int, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree `new` goes on from the tree `old` (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    nodes = [old_root, *proof] if old.bit_count() == 1 else list(proof)
    if not nodes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(node, before), node_hash(node, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, node)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root
