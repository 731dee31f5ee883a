"""All anchors of this installation, as they were at one moment: what a verification compares the log with."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence

from audit.ledger.anchors import PLACE, Anchored, BadLine, anchored, anchored_bytes
from audit.ledger.evidence import Problem
from audit.ledger.findings import Findings
from audit.ledger.models import Checkpoint
from audit.ledger.places import BadAnchors, Place, places_far_away
from kernel.clock import now

LATE = dt.timedelta(minutes=10)  # a place is brought up every minute
CHUNK = 2000


class AnchorsKept:
    """Notes what there is when it is made, and reads it later. A place that cannot be read is a problem: who could
    roll the log back might also keep us from seeing it."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._noted_at = now()
        self._bytes = anchored_bytes()
        self._far: list[tuple[Place, Sequence[str]]] = []
        self._unread: set[str] = set()
        self._met: dict[str, _Numbers] = defaultdict(_Numbers)
        self.names = {PLACE}
        try:
            places = places_far_away()
        except BadAnchors as error:
            findings.report(Problem(str(error), kind="anchor"))
            return
        for place in places:
            self.names.add(place.name)
            try:
                self._far.append((place, place.held()))
            except Exception as error:
                self._tell(place, error)

    def lines(self) -> Iterator[tuple[str, Anchored | BadLine]]:
        """Every anchor with the name of its place, place by place."""
        for line in anchored(upto=self._bytes):
            yield PLACE, line
        for place, names in self._far:
            try:
                for line in place.read(names):
                    yield place.name, line
            except Exception as error:
                self._tell(place, error)

    def meets(self, place: str, checkpoint: int) -> None:
        """The place has the anchor of this checkpoint."""
        self._met[place].add(checkpoint)

    def tell_of_missing(self, *, is_copy: bool = False) -> None:
        """Once all lines were met: for each place that could be read, the heads that name it and that it has not.

        An old one is a problem, by the first of them; a young one may still be on its way. Of a copy, which may have
        come without its file, both are only remarked on.
        """
        for name in sorted(self.names - self._unread):
            old, young = self._missing_in(name)
            if not old and not young:
                continue
            first = (old or young)[0]
            words = f"{len(old or young):,} signed heads name {name} as their anchor, which does not have them"
            words = f"{words}: the first is checkpoint {first[0]} over {first[1]} events, of {first[2]:%Y-%m-%d %H:%M}."
            if old and not is_copy:
                self._findings.report(Problem(words, kind="anchor", id=str(first[0])))
            else:
                self._findings.remark(words)

    def _missing_in(self, name: str) -> tuple[list[tuple[int, int, dt.datetime]], list[tuple[int, int, dt.datetime]]]:
        """Number, size and moment of the heads that the place should have: those it is late with, and the newer."""
        naming = [one for one in Checkpoint.objects.values_list("anchor", flat=True).distinct() if _names(one, name)]
        rows = Checkpoint.objects.filter(anchor__in=naming).order_by("pk").values_list("pk", "size", "at")
        met = self._met[name]
        missing = [row for row in rows.iterator(chunk_size=CHUNK) if row[0] not in met]
        late = self._noted_at - LATE
        return [row for row in missing if row[2] < late], [row for row in missing if row[2] >= late]

    def _tell(self, place: Place, error: Exception) -> None:
        self._unread.add(place.name)
        what = f"The anchors in {place.name} cannot be read, so nothing says that the log was not rolled back: {error}"
        self._findings.report(Problem(what, kind="anchor", id=place.name))


class _Numbers:
    """A set of numbers near each other, a bit for each: there may be millions."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, number: int) -> None:
        byte = number >> 3
        if byte >= len(self._bits):
            self._bits.extend(bytes(byte + 1 - len(self._bits)))
        self._bits[byte] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        byte = number >> 3
        return byte < len(self._bits) and bool(self._bits[byte] >> (number & 7) & 1)


def _names(anchor: str, place: str) -> bool:
    return place in anchor.split(", ")
