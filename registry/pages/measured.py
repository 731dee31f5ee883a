"""Two versions side by side: what is better, what is worse, what differs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accounts.templatetags.mled import number
from experiments.pages.figures import weight_of
from registry.queries.measures import Measure, Record


@dataclass(frozen=True, slots=True)
class Line:
    """One metric of two versions. tone: up for better, down for worse, empty where nobody said which way is better.

    notes: the step of each value that is not what its run ended at, and what that was.
    """

    key: str
    arrow: str
    before: str
    after: str
    change: str
    tone: str
    word: str
    data: Sequence[str]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Pair:
    """One param or tag of two versions."""

    key: str
    before: str
    after: str

    @property
    def differs(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of thing of two versions. none: what is said where neither has any."""

    title: str
    rows: list[Pair]
    none: str = ""
    whole: bool = False

    @property
    def shown(self) -> list[Pair]:
        """What differs, or everything."""
        return [row for row in self.rows if self.whole or row.differs]


def metric_lines(before: Record, after: Record, directions: Mapping[str, bool], goal: str) -> list[Line]:
    """Every metric that either has: what tells most comes first."""
    keys = sorted({*before.metrics, *after.metrics}, key=lambda key: weight_of(key, goal=goal, directions=directions))
    return [_line(key, before.metrics.get(key), after.metrics.get(key), directions.get(key)) for key in keys]


def _line(key: str, before: Measure | None, after: Measure | None, higher_is_better: bool | None) -> Line:
    change = after.value - before.value if before and after else math.nan
    better = None if higher_is_better is None or math.isnan(change) or change == 0 else (change > 0) == higher_is_better
    return Line(
        key=key,
        arrow={True: "↑", False: "↓", None: ""}[higher_is_better],
        before=number(before.value) if before else "",
        after=number(after.value) if after else "",
        change="" if math.isnan(change) else signed(change),
        tone={True: "up", False: "down", None: "t2"}[better],
        word={True: "better", False: "worse", None: ""}[better],
        data=_data(before, after),
        notes=_notes(before, after),
    )


def signed(change: float) -> str:
    """A difference with its sign, minus as a real minus."""
    if change == 0:
        return "0"
    return ("+" if change > 0 else "−") + number(abs(change))


def _data(before: Measure | None, after: Measure | None) -> list[str]:
    return list(dict.fromkeys(one.data for one in (before, after) if one and one.data))


def _notes(before: Measure | None, after: Measure | None) -> list[str]:
    """Said only of values without data of their own: what was measured on a test set is no point of the run's curve."""
    found = []
    for one, whose in ((before, "the other's "), (after, "")):
        if one is not None and one.ended is not None and not one.data and one.ended.value != one.value:
            ended = f"its run ended at {number(one.ended.value)}, step {one.ended.step:,}"
            found.append(f"{whose}value is of step {one.step:,}; {ended}")
    return found


def same_test_set(lines: Sequence[Line]) -> str:
    """The dataset that every metric was measured on; empty where they differ or nobody said."""
    names = {tuple(line.data) for line in lines}
    only = names.pop() if len(names) == 1 else ()
    return only[0] if len(only) == 1 else ""


def names_data(lines: Sequence[Line]) -> bool:
    """Whether it takes a column to say on which data each metric was measured."""
    return any(line.data for line in lines) and not same_test_set(lines)


def pairs(before: Mapping[str, str], after: Mapping[str, str]) -> list[Pair]:
    """Params or tags of both, by name; those that differ first."""
    found = [Pair(key, before.get(key, ""), after.get(key, "")) for key in sorted({*before, *after})]
    return sorted(found, key=lambda pair: not pair.differs)
