"""All anchors of this installation, as they were at one moment: what a verification compares the log with."""

from collections.abc import Iterator, Sequence

from audit.ledger.anchors import PLACE, Anchored, BadLine, anchored, anchored_bytes
from audit.ledger.evidence import Problem
from audit.ledger.findings import Findings
from audit.ledger.places import BadAnchors, Place, places_far_away


class AnchorsKept:
    """Notes what there is when it is made, and reads it later. A place that cannot be read is a problem: who could
    roll the log back might also keep us from seeing it."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._bytes = anchored_bytes()
        self._far: list[tuple[Place, Sequence[str]]] = []
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

    def _tell(self, place: Place, error: Exception) -> None:
        what = f"The anchors in {place.name} cannot be read, so nothing says that the log was not rolled back: {error}"
        self._findings.report(Problem(what, kind="anchor", id=place.name))
