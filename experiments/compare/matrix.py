"""A table of fields by runs: what differs from the base run, by how much, and which value of a row is best.

Plain data in, plain data out; nothing here reads the database.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Figure(StrEnum):
    """Which figure of a metric's history stands for it."""

    LAST = "last"
    BEST = "best"
    MIN = "min"
    MAX = "max"

    @property
    def word(self) -> str:
        """As it stands on a button."""
        return self.value.capitalize()


@dataclass(frozen=True, slots=True)
class TextCell:
    """What one run says of a field; None: it says nothing. differs: from the base run."""

    text: str | None
    differs: bool


@dataclass(frozen=True, slots=True)
class TextRow:
    """One field of all runs, in their order. varies: whether not all say the same."""

    name: str
    cells: tuple[TextCell, ...]
    varies: bool


@dataclass(frozen=True, slots=True)
class MetricCell:
    """One run's figure, or the mean of a group. delta: value minus base; percent: of the base's size.

    gain: better (True) or worse (False) than the base. extreme: best or worst of its row where a direction is known,
    else high or low; '' for the others. n: how many runs have a figure; spread: their standard deviation (n - 1).
    """

    value: float | None
    delta: float | None = None
    percent: float | None = None
    gain: bool | None = None
    extreme: str = ""
    n: int = 1
    spread: float | None = None


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric of all runs, in their order. higher_is_better: None where nobody said."""

    name: str
    cells: tuple[MetricCell, ...]
    higher_is_better: bool | None
    varies: bool


def text_row(name: str, said: Sequence[str | None], base: int) -> TextRow:
    """One row. base: the place of the base run."""
    cells = tuple(TextCell(text, text != said[base]) for text in said)
    return TextRow(name, cells, any(cell.differs for cell in cells))


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of a group of runs. mean: None where none has one; spread: standard deviation (n - 1), from two on."""

    mean: float | None
    spread: float | None
    n: int


def summary_of(values: Sequence[float | None]) -> Summary:
    """The mean and spread of the figures that there are; one that is not finite makes the mean so, too."""
    known = [value for value in values if value is not None]
    if not known:
        return Summary(None, None, 0)
    if len(known) == 1:
        return Summary(known[0], None, 1)
    if not all(math.isfinite(value) for value in known):
        return Summary(sum(known), None, len(known))
    try:
        mean = math.fsum(known) / len(known)
        variance = math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1)
    except OverflowError:  # the squares of such figures are no floats
        return Summary(math.fsum(value / len(known) for value in known), None, len(known))
    return Summary(mean, math.sqrt(variance), len(known))


def summary_row(name: str, groups: Sequence[Summary], base: int, higher_is_better: bool | None) -> MetricRow:
    """One row of groups of runs, by their means. Extremes are marked among finite values where they differ."""
    values = [group.mean for group in groups]
    extremes = _extremes(values, higher_is_better)
    cells = tuple(
        replace(
            _metric_cell(group.mean, None if place == base else values[base], higher_is_better),
            extreme="" if group.mean is None else extremes.get(group.mean, ""),
            n=group.n,
            spread=group.spread,
        )
        for place, group in enumerate(groups)
    )
    return MetricRow(name, cells, higher_is_better, not all(_same(value, values[base]) for value in values))


def _extremes(values: Sequence[float | None], higher_is_better: bool | None) -> dict[float, str]:
    """What to say of the highest and the lowest value; nothing where all are the same."""
    finite = {value for value in values if value is not None and math.isfinite(value)}
    if len(finite) < 2:
        return {}
    words = {None: ("high", "low"), True: ("best", "worst"), False: ("worst", "best")}[higher_is_better]
    return {max(finite): words[0], min(finite): words[1]}


def _metric_cell(value: float | None, base: float | None, higher_is_better: bool | None) -> MetricCell:
    if value is None or base is None or not (math.isfinite(value) and math.isfinite(base)):
        return MetricCell(value)
    delta = value - base
    percent = 100 * delta / abs(base) if base else None
    gain = None if higher_is_better is None or not delta else (delta > 0) == higher_is_better
    return MetricCell(value, delta, percent, gain)


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (math.isnan(one) and math.isnan(other))


def varying(rows: Iterable[TextRow]) -> int:
    """How many rows are not the same for all runs."""
    return sum(row.varies for row in rows)
