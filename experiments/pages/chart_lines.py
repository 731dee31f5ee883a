"""The lines of charts: a run each, or a group of runs, with their colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from accounts.templatetags.mled import number
from experiments.compare.bands import Middle, Spread
from experiments.models import Run
from experiments.pages.asked import groups_in
from experiments.queries.search import FoundRun
from experiments.templatetags.runs import RUN_COLOURS, slot

MEMBERS = "members"  # instead of a band: every run of a group as a thin line
GROUPS_MAX = 24


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list beside the charts. place: its number in what the data address sends.

    ref: what the address calls it; value: the figure that the list shows, with `title` for all its digits.
    """

    place: int
    slot: int
    name: str
    words: str
    url: str
    ref: str
    title: str = ""
    is_drawn: bool = True
    eye_url: str = ""


@dataclass(frozen=True, slots=True)
class Grouped:
    """How runs are drawn together. fields: none for each by itself; members: each run of a group thin, without band."""

    fields: tuple[str, ...]
    middle: Middle
    spread: Spread
    members: bool

    @classmethod
    def parse(cls, params: QueryDict) -> "Grouped":
        """What is unknown is left out."""
        middle, spread = params.get("middle", ""), params.get("spread", "")
        return cls(
            groups_in(params),
            Middle(middle) if middle in list(Middle) else Middle.MEAN,
            Spread(spread) if spread in list(Spread) else Spread.MIN_MAX,
            spread == MEMBERS,
        )

    @property
    def field(self) -> str:
        """All fields in one word; empty where nothing is grouped."""
        return ", ".join(self.fields)

    @property
    def spread_key(self) -> str:
        return MEMBERS if self.members else self.spread.value

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """As it stands in an address."""
        if not self.fields:
            return []
        return [
            *(("group", field) for field in self.fields),
            ("middle", self.middle.value),
            ("spread", self.spread_key),
        ]


def run_lines(runs: Sequence[Run], values: Mapping[int, float], hidden: frozenset[str]) -> list[Line]:
    """A line for each run. values: the figure shown beside the name, by primary key."""
    slots = slots_of(runs)
    return [
        Line(
            place,
            slots[place],
            run.name,
            number(values[run.pk]) if run.pk in values else "",
            reverse("experiments:run", args=[run.uid.hex]),
            run.readable_id,
            title=repr(values[run.pk]) if run.pk in values else "",
            is_drawn=run.readable_id not in hidden,
        )
        for place, run in enumerate(runs)
    ]


def group_lines(groups: Mapping[str, Sequence[int]], hidden: frozenset[str]) -> list[Line]:
    """A line for each group of runs."""
    return [
        Line(
            place,
            place % RUN_COLOURS + 1,
            name,
            f"{len(of)} run{'' if len(of) == 1 else 's'}",
            "",
            name,
            is_drawn=name not in hidden,
        )
        for place, (name, of) in enumerate(groups.items())
    ]


def slots_of(runs: Sequence[Run | FoundRun]) -> list[int]:
    """Each run's colour: its own, moved on only where two of those shown would be the same and another is free."""
    taken: set[int] = set()
    found = []
    for run in runs:
        own = slot(run)
        if len(taken) < RUN_COLOURS:
            own = next(one for by in range(RUN_COLOURS) if (one := 1 + (own - 1 + by) % RUN_COLOURS) not in taken)
            taken.add(own)
        found.append(own)
    return found


def first_groups(groups: Mapping[str, Any]) -> dict[str, Any]:
    """As many groups as are drawn."""
    return dict(list(groups.items())[:GROUPS_MAX])
