"""Whether events are what the signed head covers, for thousands of them: each block of 256 leaves is added up once."""

from collections.abc import Collection, Mapping
from uuid import UUID

from audit.compliance.reports.asof import chunks
from audit.ledger import merkle
from audit.ledger.canonical import Unreadable, leaf_hash_of
from audit.ledger.models import AuditPayload, Leaf, Subtree
from audit.ledger.tree import STEP, leaf_rows, range_hash
from kernel.digests import commitment

WIDTH = 1 << STEP


class Chain:
    """The log of `size` events under a root. wrong: what is wrong with it as a whole, '' for nothing."""

    def __init__(self, size: int, root: str) -> None:
        self.size = size
        self._blocks: dict[int, str] = {}
        self.wrong = self._wrong_tree(root)

    def _wrong_tree(self, root: str) -> str:
        """The stored subtrees up to the root; the lowest are compared with their leaves when somebody asks for them."""
        try:
            if range_hash(0, self.size).hex() != root:
                return "the log is not the one under the signed head"
        except LookupError as error:
            return str(error)
        level = 2
        while self.size >> (level * STEP):
            for place in range(self.size >> (level * STEP)):
                if self._stored(level, place) != self._added_up(level - 1, place):
                    return f"a part of the log around place {place << (level * STEP)} was replaced"
            level += 1
        return ""

    @staticmethod
    def _stored(level: int, place: int) -> str:
        return Subtree.objects.filter(level=level, place=place).values_list("root", flat=True).first() or ""

    @staticmethod
    def _added_up(level: int, place: int) -> str:
        """The root over the 256 nodes below one, from what is stored of them."""
        first = place * WIDTH
        if level:
            rows = Subtree.objects.filter(level=level, place__gte=first, place__lt=first + WIDTH).order_by("place")
            roots = list(rows.values_list("root", flat=True))
        else:
            leaves = Leaf.objects.filter(seq__gte=first, seq__lt=first + WIDTH).order_by("seq")
            roots = list(leaves.values_list("leaf_hash", flat=True))
        return merkle.root_of([bytes.fromhex(one) for one in roots]).hex() if len(roots) == WIDTH else ""

    def _wrong_block(self, block: int) -> str:
        """A full block against its stored root; what stands behind the last full one was read for the root itself."""
        if (block + 1) * WIDTH > self.size:
            return ""
        if block not in self._blocks:
            sound = self._added_up(0, block) == self._stored(1, block)
            self._blocks[block] = "" if sound else f"leaves from place {block * WIDTH} on are not those of the log"
        return self._blocks[block]

    def wrong_events(self, places: Mapping[UUID, int]) -> dict[UUID, str]:
        """What is wrong with each of these events, which have their places under the head; sound ones are left out."""
        found: dict[UUID, str] = {}
        for some in chunks(places):
            stored = dict(Leaf.objects.filter(event_id__in=some).values_list("event_id", "leaf_hash"))
            rows = leaf_rows(some)
            for event_id in some:
                place = places[event_id]
                if wrong := self.wrong or self._wrong_block(place // WIDTH):
                    found[event_id] = wrong
                elif event_id not in rows or _leaf_hash(rows[event_id]) != stored.get(event_id):
                    found[event_id] = f"event {place} is not the one that was put into the log"
        return found


def wrong_payloads(commitments: Mapping[UUID, str], event_ids: Collection[UUID]) -> set[UUID]:
    """Those of the events that do not say any more what their commitment covers. What was erased is not wrong."""
    found = set()
    for some in chunks(event_ids):
        rows = AuditPayload.objects.filter(event_id__in=some).values_list("event_id", "salt", "body")
        found |= {one for one, salt, body in rows if commitment(bytes(salt), body.encode()) != commitments[one]}
    return found


def _leaf_hash(row: object) -> str:
    try:
        return leaf_hash_of(row).hex()  # type: ignore[arg-type]  # a row of leaf_select
    except Unreadable:
        return ""
