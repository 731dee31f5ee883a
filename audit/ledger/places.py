"""Where checkpoints are anchored outside the database: what MLED_ANCHORS names, one place after the other.

`file` is anchors/checkpoints.log, written by the sequencer itself right after each batch (anchors.py). Other places are
far away and may be slow: a thread of the sequencer's process (anchoring.py) brings them up to date. A room above
registers what it takes to reach one, in `AppConfig.ready()`:

    places["s3"] = s3_anchors       # given "s3://bucket/prefix?…", returns a Place
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from django.conf import settings

from audit.ledger.anchors import PLACE, Anchored, BadLine

FILE = "file"
NAME_MAX = 200  # of Checkpoint.anchor, which names them all


class BadAnchors(ValueError):
    """MLED_ANCHORS cannot be read; the message says why."""


class Place(Protocol):
    """A place far away that only ever gets more anchors. Each method raises what its network raises."""

    name: str
    """As checkpoints name it: without options."""

    def keep(self, lines: Sequence[Anchored]) -> None:
        """Write these, all or none."""

    def newest(self) -> Anchored | None:
        """The last one that was written."""

    def held(self) -> Sequence[str]:
        """Names of everything that was written so far, for `read`."""

    def read(self, names: Sequence[str]) -> Iterator[Anchored | BadLine]:
        """The anchors under these names."""


places: dict[str, Callable[[str], Place]] = {}


def uses_file() -> bool:
    """Whether checkpoints are anchored in the file."""
    return FILE in settings.MLED_ANCHORS


def places_far_away() -> list[Place]:
    """The other places that the settings name. Raises BadAnchors."""
    return [_place(address) for address in settings.MLED_ANCHORS if address != FILE]


def anchored_in() -> str:
    """What a checkpoint says of where it is anchored. Raises BadAnchors."""
    names = ", ".join([*([PLACE] if uses_file() else []), *(place.name for place in places_far_away())])
    if len(names) > NAME_MAX:
        raise BadAnchors(f"MLED_ANCHORS names places with more than {NAME_MAX} letters in all.")
    return names


def _place(address: str) -> Place:
    scheme, colon, _ = address.partition("://")
    if not colon or scheme not in places:
        known = ", ".join([FILE, *(f"{name}://…" for name in sorted(places))])
        raise BadAnchors(f"MLED_ANCHORS names '{address.partition('?')[0][:80]}'; it can name {known}.")
    return places[scheme](address)
