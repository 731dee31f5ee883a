"""The cells of the run table, as HTML: written here, since a page can have twenty thousand of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from accounts.templatetags.mled import duration, when, who
from experiments.pages.columns import Column
from experiments.pages.numbers import written
from experiments.queries.search import FoundRun
from experiments.queries.table import Cells
from experiments.templatetags.runs import run_verdict, spark

LONGEST = 400  # characters of a text that a cell holds
NARROW, WIDE = 64, 272  # pixels between which a column is wide by itself
FIXED = {"when": 78, "verdict": 128}
A_LETTER, AROUND, STAR, A_SPARK = 6.9, 22, 12, 54
BROAD = frozenset("mwMW@%")
IN_HEADS, AN_ARROW = 6.7, 14
NOTHING = '<span class="t3">–</span>'

# By a column's key: its lowest and highest value on the page and whether high is better.
Extremes = Mapping[str, tuple[float, float, bool]]


@dataclass(slots=True)
class Cell:
    """One cell. html: what is in it, escaped; said: what tells it from others, "" for nothing; length: in letters."""

    html: str
    classes: str
    said: str = ""
    title: str = ""
    length: int = 1

    @property
    def drawn(self) -> str:
        """The whole cell."""
        title = f' title="{escape(self.title)}"' if self.title else ""
        return f'<td class="{self.classes}"{title}>{self.html}</td>' if self.classes else f"<td{title}>{self.html}</td>"


def _empty(classes: str) -> Cell:
    return Cell(NOTHING, classes)


def _text(text: str, classes: str, title: str = "") -> Cell:
    if not text:
        return _empty(classes)
    shown = text[:LONGEST]
    return Cell(escape(shown), classes, text, title or (shown if len(shown) > 12 else ""), _letters(shown))


def _letters(text: str) -> int:
    """How many letters of middling width are as wide: "pump-alarms" was cut in a column measured by its count alone."""
    return len(text) + sum(letter in BROAD for letter in text) // 2


def metric_cells(
    column: Column, values: Sequence[float | None], extremes: Extremes, form: str, sparks: Sequence[Sequence[float]]
) -> list[Cell]:
    """The cells of a metric in all rows, the best marked. form: a key of numbers.FORMATS; sparks: () for none."""
    low, high, higher = extremes.get(column.key, (math.nan, math.nan, True))
    best = high if higher else low
    found = []
    for at, value in enumerate(values):
        if value is None:
            found.append(_empty("n"))
            continue
        text, full = written(value, form), repr(value)
        curve = spark(sparks[at]) if sparks else ""
        is_best = value == best
        title = f"{full}, best on this page" if is_best else "" if full == text else full
        classes = "n best" if is_best else "n nobest" if best == best else "n"
        found.append(Cell(f"{curve}{text}", classes, full, title, len(text)))
    return found


def heated(cells: Sequence[Cell], values: Sequence[float | None], extreme: tuple[float, float, bool]) -> None:
    """Give the cells of a metric the warmth of their values: the better quarter most."""
    low, high, higher = extreme
    if high == low:
        return
    for cell, value in zip(cells, values, strict=True):
        if value is None or not math.isfinite(value):
            continue
        share = ((value - low) if higher else (high - value)) / (high - low)
        if share >= 0.25:
            cell.classes += f" ht{min(3, int(share * 4))}"


def plain_cell(column: Column, run: FoundRun, cells: Cells) -> Cell:
    """The cell of a run in a column that is no metric."""
    base = " ".join(word for word, is_so in (("n", column.is_numeric), ("lo", column.is_low)) if is_so)
    if column.kind == "param":
        return _text(cells.params.get((run.id, column.name), ""), base)
    if column.kind == "tag":
        return _text(cells.tags.get((run.id, column.name), ""), base)
    return _system_cell(column, run, cells, f"{base} t2".strip())


def _system_cell(column: Column, run: FoundRun, cells: Cells, base: str) -> Cell:
    match column.key:
        case "created":
            return _moment(run.started_ms, base)
        case "ended":
            return _moment(run.ended_ms, base)
        case "duration":
            return _text("" if run.duration_ms is None else duration(run.duration_ms), base)
        case "user":
            name = run.user or run.user_email
            return Cell(str(who(name)), base, name, length=len(name) + 3) if name else _unknown(base)
        case "claimed":
            return _text(run.claimed_user, base)
        case "source":
            commit = escape(run.git_commit[:7])
            shown = f'<span class="mono sm">{commit}</span>'
            return Cell(shown, base, run.git_commit, run.git_commit, len(commit)) if commit else _unknown(base)
        case "script":
            return _text(run.source_name, base)
        case "experiment":
            return _text(run.experiment_name, base)
        case "project":
            return _text(run.project_slug, base)
        case "dataset":
            return _dataset(cells.datasets.get(run.id, []), base)
        case _:
            said = "" if run.review_state == "not_reviewed" else run.review_state
            return Cell(str(run_verdict(run, "plain")), base.replace("t2", "").strip(), said)


def _unknown(base: str) -> Cell:
    return Cell('<span class="t3 sm">not recorded</span>', base, length=11)


def _moment(ms: int | None, base: str) -> Cell:
    return Cell(str(when(ms)), base, "" if ms is None else str(ms))


def _dataset(versions: Sequence[str], base: str) -> Cell:
    more = f" +{len(versions) - 1}" if len(versions) > 1 else ""
    return _text(versions[0] + more if versions else "", base, ", ".join(versions))


def width_of(column: Column, label: str, cells: Sequence[Cell], *, has_sparks: bool) -> int:
    """How wide a column is by itself: as its head and its longest cell need, within bounds."""
    fixed = FIXED.get(column.kind)
    if fixed:
        return fixed
    longest = max((cell.length for cell in cells), default=0) * A_LETTER
    if column.kind == "metric":
        longest += STAR + (A_SPARK if has_sparks else 0)
    head = min(len(label), 22) * IN_HEADS + AN_ARROW * (2 if column.kind == "metric" else 1)
    return round(min(WIDE, max(NARROW, longest + AROUND, head + AROUND)))
