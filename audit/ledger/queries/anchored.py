"""Where a signed head is known to be anchored, and where it still has to get to: without asking any network."""

from audit.ledger import status
from audit.ledger.anchors import PLACE, last_anchored
from audit.ledger.models import Checkpoint


def anchored_and_not(head: Checkpoint) -> tuple[list[str], list[str]]:
    """The places that a head names: those known to have it, and those it is not known to have reached."""
    places = [one for one in head.anchor.split(", ") if one]
    there = [place for place in places if _newest_in(place) >= head.pk]
    return there, [place for place in places if place not in there]


def anchor_words(head: Checkpoint | None) -> str:
    """For a page or a report: 'file:…; not yet anchored in s3://…', or '' where it names no place."""
    there, not_yet = anchored_and_not(head) if head else ([], [])
    late = f"not yet anchored in {', '.join(not_yet)}" if not_yet else ""
    return "; ".join(part for part in (", ".join(there), late) if part)


def is_anchored(head: Checkpoint | None) -> bool:
    """Whether any place outside the database is known to have it."""
    return head is not None and bool(anchored_and_not(head)[0])


def _newest_in(place: str) -> int:
    if place == PLACE:
        last = last_anchored()
        return last.checkpoint if last else 0
    return status.reached(place) or 0
