"""Rows of the comparison in the words of a page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accounts.templatetags.mled import number
from experiments.compare.matrix import MetricCell, MetricRow, TextRow

COMMIT_SHOWN = 12
EXTREMES = {"best": "best", "worst": "worst", "high": "highest", "low": "lowest"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, ready to write. extreme: best, worst, high, low or ''.

    kind: metric, text, package, or unknown; it says what stands in place of an empty text, see templatetags/compare.py.
    """

    kind: str
    text: str
    title: str = ""
    classes: str = ""
    delta: str = ""
    gain: str = ""
    extreme: str = ""
    spread: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One field."""

    name: str
    cells: list[Cell]
    mono: bool = False
    arrow: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind. key: its name in settings; words: how many there are and how many of them differ."""

    key: str
    title: str
    words: str
    rows: list[Row]
    folded: bool = False

    def folded_as(self, shut: Sequence[str]) -> "Group":
        """The same, shut if it is among these."""
        return replace(self, folded=self.key in shut)


def group_of(
    key: str, title: str, rows: Sequence[Any], shown: Callable[[Any], bool], line: Callable[[Any], Row]
) -> Group:
    """The rows that are shown, and of all of them how many differ."""
    differing = sum(row.varies for row in rows)
    words = f"{differing} of {len(rows)} differ" if rows else ""
    return Group(key, title, words, [line(row) for row in rows if shown(row)])


def metric_line(row: MetricRow, words: Callable[[float], str] = number) -> Row:
    """A row of numbers. words: how one of them is printed."""
    arrow = {True: "↑", False: "↓", None: ""}[row.higher_is_better]
    return Row(row.name, [_metric_cell(cell, words) for cell in row.cells], arrow=arrow)


def _metric_cell(cell: MetricCell, words: Callable[[float], str]) -> Cell:
    if cell.value is None:
        return Cell("metric", "", classes="num")
    delta = "" if cell.delta is None else _signed(cell.delta, words)
    if cell.percent and delta:
        delta += f", {'+' if cell.percent > 0 else '−'}{_percent(abs(cell.percent))} %"
    gain = {True: "up", False: "down", None: ""}[cell.gain]
    spread = f"± {words(cell.spread)}, n {cell.n}" if cell.spread is not None else f"n {cell.n}" if cell.n > 1 else ""
    title = "; ".join(part for part in (repr(cell.value), EXTREMES.get(cell.extreme, "")) if part)
    return Cell("metric", words(cell.value), title, "num", delta, gain, cell.extreme, spread)


def _percent(size: float) -> str:
    """Two or three digits are enough to see a change; beyond ten thousand the number of digits is what is seen."""
    return f"{size:,.0f}" if size >= 20 else f"{size:.2g}" if size < 1 else f"{size:.1f}"


def _signed(value: float, words: Callable[[float], str]) -> str:
    if value == 0:
        return "±0"
    return f"{'+' if value > 0 else '−'}{words(abs(value))}"


def text_line(row: TextRow) -> Row:
    """A row of texts."""
    return Row(row.name, [Cell("text", c.text or "", c.text or "", "diff" if c.differs else "") for c in row.cells])


def mono_line(row: TextRow) -> Row:
    """A row of texts that machines wrote."""
    return replace(text_line(row), mono=True)


def code_line(row: TextRow) -> Row:
    """A row of what is known of the code: of a commit the beginning, all of it in the title."""
    shown = COMMIT_SHOWN if row.name == "Commit" else None
    line = mono_line(row)
    return replace(line, cells=[replace(cell, kind="unknown", text=cell.text[:shown]) for cell in line.cells])
