"""Rows as they were at a place in the log: what later acts made of them is not read."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from accounts.models import User
from audit.ledger.models import Leaf
from audit.ledger.tracking import Tracked

AT_ONCE = 500
T = TypeVar("T")
GONE = "-"  # as simple-history marks the row that stands for a deletion


def chunks(rows: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """So many at a time, in order."""
    left = iter(rows)
    while some := list(islice(left, size)):
        yield some


def places_of(event_ids: Collection[UUID], *, size: int | None = None) -> dict[UUID, int]:
    """The places in the log of those of the events that have one, below `size` if it is given."""
    found: dict[UUID, int] = {}
    for some in chunks(event_ids):
        rows = Leaf.objects.filter(event_id__in=some)
        found |= dict((rows if size is None else rows.filter(seq__lt=size)).values_list("event_id", "seq"))
    return found


def rows_at(model: type[Tracked], size: int, **where: Any) -> list[Any]:
    """The records that match as the first `size` events left them, as rows of their history, in order of their making.

    where: conditions on columns that never change. Records that were removed by then, or made later, are left out.
    """
    past: Any = model.history  # type: ignore[attr-defined]  # simple-history's manager
    key = model._meta.pk.attname
    told = past.filter(**where).order_by("history_id")
    rows: Sequence[tuple[Any, Any, str, str | None]] = list(
        told.values_list("history_id", key, "history_type", "history_change_reason")
    )
    places = places_of({UUID(reason) for *_, reason in rows if reason}, size=size)
    newest: dict[Any, tuple[Any, str]] = {}
    for history_id, pk, kind, reason in rows:
        if reason is None or UUID(reason) in places:
            newest[pk] = (history_id, kind)
    wanted = [history_id for history_id, kind in newest.values() if kind != GONE]
    return [row for some in chunks(wanted) for row in past.filter(history_id__in=some).order_by("history_id")]


class People:
    """Names for ids of people, each read once."""

    def __init__(self) -> None:
        self._known: dict[UUID, str] = {}

    def learn(self, ids: Iterable[UUID | None]) -> None:
        """Read the names of these, a few hundred at a time."""
        new = {one for one in ids if one is not None} - self._known.keys()
        for some in chunks(sorted(new)):
            self._known |= {user.pk: str(user) for user in User.objects.filter(pk__in=some)}

    def name(self, user_id: UUID | None) -> str:
        """'' for nobody."""
        if user_id is None:
            return ""
        if user_id not in self._known:
            self.learn([user_id])
        return self._known.get(user_id, f"user {user_id.hex[:8]}")

    def by_hex(self) -> dict[str, str]:
        """Those that are known, by id as events hold it."""
        return {user_id.hex: name for user_id, name in self._known.items()}
