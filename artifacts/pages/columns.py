"""The columns of a version as a page draws them: kinds, gaps, figures, and a small histogram for each."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.templatetags.mled import number
from artifacts.models import VersionProfile
from artifacts.tables import ColumnProfile, Histogram, Table

HEIGHT = 18
BAR, GAP = 5, 1
TOP_SHOWN = 3
KIND_ICONS = {"integer": "chart", "number": "chart", "time": "cal", "text": "file", "boolean": "check"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a histogram, in the units of its drawing. title: what it counts."""

    x: int
    y: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A small histogram. sentence: the same in words."""

    width: int
    bars: Sequence[Bar]
    sentence: str


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A column ready to read. missing: with its share of the rows; range: least to greatest; top: frequent values."""

    name: str
    table: str
    kind: str
    stored: str
    icon: str
    missing: str
    has_missing: bool
    distinct: str
    mean: str
    std: str
    range: str
    drawing: Drawing | None
    top: str


def shown_columns(table: Table) -> list[ShownColumn]:
    """The columns in the words of a page."""
    return [_shown(column, table.row_count) for column in table.columns]


def _shown(column: ColumnProfile, rows: int | None) -> ShownColumn:
    about = "about " if column.distinct_is_estimate else ""
    return ShownColumn(
        name=column.name,
        table=column.table,
        kind=column.kind,
        stored=column.stored,
        icon=KIND_ICONS.get(column.kind, "columns"),
        missing=_missing(column.missing, rows),
        has_missing=bool(column.missing),
        distinct="" if column.distinct is None else f"{about}{column.distinct:,}",
        mean=number(column.mean) if column.mean is not None else "",
        std=number(column.std) if column.std is not None else "",
        range=_range(column),
        drawing=drawn(column.name, column.histogram) if column.histogram else None,
        top=_top(column),
    )


def _missing(missing: int | None, rows: int | None) -> str:
    if missing is None:
        return ""
    if not missing or not rows:
        return f"{missing:,}"
    share = 100 * missing / rows
    return f"{missing:,}, {share:.0f} %" if share >= 1 else f"{missing:,}, under 1 %"


def _range(column: ColumnProfile) -> str:
    if column.min is None or column.max is None:
        return ""
    low, high = value_words(column.min), value_words(column.max)
    return low if low == high else f"{low} to {high}"


def value_words(value: float | int | str | None) -> str:
    """A figure or a text of a column, short enough for a cell; '' where it is not known."""
    if value is None:
        return ""
    return number(value) if isinstance(value, int | float) else str(value)[:60]


def _top(column: ColumnProfile) -> str:
    about = "about " if column.top_is_estimate else ""
    return ", ".join(f"{value[:40]} ({about}{count:,})" for value, count in column.top[:TOP_SHOWN])


def drawn(name: str, histogram: Histogram) -> Drawing:
    """Bars as high as the fullest range; a range with anything in it is at least a pixel high."""
    most = max(histogram.counts, default=0) or 1
    bars = []
    for place, count in enumerate(histogram.counts):
        height = max(1.0, round(HEIGHT * count / most, 1)) if count else 0.0
        low = histogram.start + place * histogram.width
        title = f"{number(low)} to {number(low + histogram.width)}: {count:,}"
        bars.append(Bar(place * (BAR + GAP), round(HEIGHT - height, 1), height, title))
    fullest = histogram.counts.index(max(histogram.counts)) if histogram.counts else 0
    begin = histogram.start + fullest * histogram.width
    sentence = f"Distribution of {name}: most values between {number(begin)} and {number(begin + histogram.width)}"
    return Drawing(max(1, len(bars) * (BAR + GAP) - GAP), bars, sentence)


def state_words(table: Table) -> str:
    """What is to be said in place of columns, or '' where they are there."""
    match table.state:
        case VersionProfile.State.WAITING:
            return "Waiting for its turn to be read. The columns show up here."
        case VersionProfile.State.RUNNING:
            return "Reading the files. The columns show up here."
        case VersionProfile.State.FAILED:
            return f"The table could not be read. {table.error}".strip()
        case VersionProfile.State.NOT_TABULAR:
            return "No table in it: columns are read from CSV, TSV, Parquet and JSON Lines."
        case _:
            return "" if table.is_known else "Columns are not recorded."


def is_under_way(table: Table) -> bool:
    """Whether looking again in a moment will show more."""
    return table.state in (VersionProfile.State.WAITING, VersionProfile.State.RUNNING)
