"""A table of fields by runs: what differs from the base run, by how much, and which value of a row is best.

Plain data in, plain data out; nothing here reads the database.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    """One run's figure. delta: value minus base; percent: of the base's size; gain: better (True) or worse (False)."""

    value: float | None
    delta: float | None = None
    percent: float | None = None
    gain: bool | None = None
    is_best: bool = False


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric of all runs, in their order. higher_is_better: None where nobody said."""

    name: str
    cells: tuple[MetricCell, ...]
    higher_is_better: bool | None
    varies: bool


def text_rows(fields: Mapping[str, Mapping[int, str]], runs: Sequence[int], base: int) -> list[TextRow]:
    """A row per field. fields: what each run (by primary key) says of it."""
    return [text_row(name, [said.get(run) for run in runs], runs.index(base)) for name, said in fields.items()]


def text_row(name: str, said: Sequence[str | None], base: int) -> TextRow:
    """One row. base: the place of the base run."""
    cells = tuple(TextCell(text, text != said[base]) for text in said)
    return TextRow(name, cells, any(cell.differs for cell in cells))


def metric_row(name: str, values: Sequence[float | None], base: int, higher_is_better: bool | None) -> MetricRow:
    """One row. Extremes are marked among finite values, where a direction is known and they differ."""
    best = _best(values, higher_is_better)
    cells = tuple(
        _metric_cell(value, None if place == base else values[base], higher_is_better, best)
        for place, value in enumerate(values)
    )
    return MetricRow(name, cells, higher_is_better, not all(_same(value, values[base]) for value in values))


def _best(values: Sequence[float | None], higher_is_better: bool | None) -> float | None:
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if higher_is_better is None or len(set(finite)) < 2:
        return None
    return max(finite) if higher_is_better else min(finite)


def _metric_cell(
    value: float | None, base: float | None, higher_is_better: bool | None, best: float | None
) -> MetricCell:
    is_best = best is not None and value == best
    if value is None or base is None or not (math.isfinite(value) and math.isfinite(base)):
        return MetricCell(value, is_best=is_best)
    delta = value - base
    percent = 100 * delta / abs(base) if base else None
    gain = None if higher_is_better is None or not delta else (delta > 0) == higher_is_better
    return MetricCell(value, delta, percent, gain, is_best)


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (math.isnan(one) and math.isnan(other))


def varying(rows: Iterable[TextRow]) -> int:
    """How many rows are not the same for all runs."""
    return sum(row.varies for row in rows)
