"""Heads and rows of the run table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from experiments.pages.asked import Asked
from experiments.pages.cells import Cell, Extremes, heated, metric_cells, plain_cell, width_of
from experiments.pages.chart_lines import slots_of
from experiments.pages.columns import FIGURES, GROUPS, NAME, STATUS, Column
from experiments.pages.numbers import FORMATS
from experiments.pages.steps import from_list
from experiments.pages.taste import Taste
from experiments.queries.recalls import runs_on_recalled
from experiments.queries.search import FoundRun
from experiments.queries.stars import starred_among
from experiments.queries.table import Cells, cells_of, sparks_of
from kernel.actor import Actor

FIGURE_WORDS = {"last": "Last value", "min": "Lowest", "max": "Highest", "best": "Best"}
BEYOND = 1_000_000  # the place of a run on a later page, which charts do not draw by themselves
KEYED = frozenset(GROUPS.values())
A_STEP = 24  # pixels by which a column grows and shrinks from its menu


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column. sorted: as aria-sort has it, or ""; figures: (act, words, whether shown) of a metric.

    width: in pixels; formats: (act, words, label, whether shown); pin: its place among the pinned, from 1.
    """

    column: Column
    label: str
    url: str
    title: str
    arrow: str
    sorted: str
    numeric: bool
    low: bool
    first_of_group: bool
    figures: tuple[tuple[str, str, bool], ...] = ()
    has_left: bool = False
    has_right: bool = False
    direction: bool | None = None
    width: int = 0
    formats: tuple[tuple[str, str, str, bool], ...] = ()
    is_warm: bool = False
    pin: int = 0
    group: str = ""

    @property
    def is_metric(self) -> bool:
        return self.column.kind == "metric"

    @property
    def wider(self) -> int:
        return self.width + A_STEP

    @property
    def narrower(self) -> int:
        return self.width - A_STEP


@dataclass(frozen=True, slots=True)
class Row:
    """One run with its cells, drawn. is_recalled: it was built on a dataset version that is recalled now.

    slot: its colour, 0 where charts do not draw it; eye: the act that turns its eye over. is_starred: by the viewer;
    nest: its place in the tree of nested runs, where they are shown so.
    """

    run: FoundRun
    url: str
    cells: SafeString
    is_recalled: bool = False
    slot: int = 0
    eye: str = ""
    is_starred: bool = False
    nest: Any = None


@dataclass(slots=True)
class Drawn:
    """A column with its cells, top to bottom."""

    column: Column
    cells: list[Cell]
    values: list[float | None] = field(default_factory=list)


def table_of(
    viewer: Actor,
    asked: Asked,
    runs: Sequence[FoundRun],
    columns: Sequence[Column],
    directions: Mapping[str, bool],
    taste: Taste,
    *,
    as_tree: bool = False,
) -> dict[str, Any]:
    """Heads and rows of these runs. chosen: also the columns that "only filled" or "only differing" hide.

    Columns that nobody chose are shown where they say something; in a tree what is measured and set is often said only
    by runs that are not opened yet, so that there no run on the page is told to be the best.
    """
    ids = [run.id for run in runs]
    cells = cells_of(
        viewer,
        ids,
        metrics=list({column.name for column in columns if column.kind == "metric"}),
        params=[column.name for column in columns if column.kind == "param"],
        tags=[column.name for column in columns if column.kind == "tag"],
        datasets=any(column.key == "dataset" for column in columns),
    )
    sparks = sparks_of(viewer, ids, asked.spark) if asked.spark else {}
    curves = [tuple(sparks.get(run.id, ())) for run in runs]
    values = {column.key: values_of(runs, column, cells, directions) for column in columns if column.kind == "metric"}
    extremes = {} if as_tree else extremes_of(values, columns, directions)
    drawn = [_drawn(column, runs, cells, values, extremes, taste, curves, asked.spark) for column in columns]
    if runs and not asked.column_keys:
        drawn = [one for one in drawn if (as_tree and one.column.group in KEYED) or _says_something(one)]
    shown = [
        one
        for one in _pinned_first(drawn, taste)
        if (as_tree and one.column.group in KEYED) or _is_shown(one, asked.only)
    ]
    warm = warm_columns(asked, [one.column for one in shown], extremes, taste)
    for one in shown:
        if one.column.key in warm:
            heated(one.cells, one.values, extremes[one.column.key])
    heads = heads_of(asked, shown, directions, taste, warm)
    _edged(shown, heads)
    return {
        "columns": [one.column for one in shown],
        "chosen": [one.column for one in drawn],
        "hidden_columns": len(drawn) - len(shown),
        "column_groups": _groups(heads),
        "name_head": head_of(asked, NAME, directions),
        "status_head": head_of(asked, STATUS, directions),
        "heads": heads,
        "rows": rows_of(viewer, asked, runs, shown),
        "name_width": taste.widths.get("name", 0),
    }


def rows_of(viewer: Actor, asked: Asked, runs: Sequence[FoundRun], shown: Sequence[Drawn]) -> list[Row]:
    """The rows. Their colours are those of the charts: only who is drawn there has one."""
    recalled = runs_on_recalled(viewer, [run.id for run in runs])
    starred = starred_among(viewer, [run.id for run in runs])
    places = range(BEYOND, BEYOND + len(runs)) if asked.after else range(len(runs))
    first = [] if asked.after else runs[: asked.count]
    also = [run for run in runs[len(first) :] if run.readable_id in asked.show]
    listed = [*first, *sorted(also, key=lambda run: run.number)]
    slots = dict(zip((run.id for run in listed), slots_of(listed), strict=True))
    lines = list(zip(*([cell.drawn for cell in one.cells] for one in shown), strict=True)) or [()] * len(runs)
    came = from_list(asked)
    return [
        Row(
            run,
            reverse("experiments:run", args=[run.uid]) + came,
            mark_safe("".join(line)),  # noqa: S308  cells escape what they hold
            run.id in recalled,
            slots.get(run.id, 0) if asked.draws(run.readable_id, place) else 0,
            asked.eye_act(run.readable_id, place),
            run.id in starred,
        )
        for run, place, line in zip(runs, places, lines, strict=True)
    ]


def _drawn(
    column: Column,
    runs: Sequence[FoundRun],
    cells: Cells,
    values: Mapping[str, list[float | None]],
    extremes: Extremes,
    taste: Taste,
    curves: Sequence[Sequence[float]],
    spark: str,
) -> Drawn:
    if column.kind != "metric":
        return Drawn(column, [plain_cell(column, run, cells) for run in runs])
    form, sparks = taste.formats.get(column.key, "auto"), curves if column.name == spark else ()
    found = metric_cells(column, values[column.key], extremes, form, sparks)
    return Drawn(column, found, values[column.key])


def values_of(
    runs: Sequence[FoundRun], column: Column, cells: Cells, directions: Mapping[str, bool]
) -> list[float | None]:
    """The figure that a metric's column shows, for each run."""
    way = directions.get(column.name)
    found = (cells.metrics.get((run.id, column.name)) for run in runs)
    return [measured.figure(column.figure, way) if measured else None for measured in found]


def extremes_of(
    values: Mapping[str, Sequence[float | None]], columns: Sequence[Column], directions: Mapping[str, bool]
) -> Extremes:
    """Of each metric with a direction and a finite value on the page."""
    found = {}
    for column in columns:
        finite = [one for one in values.get(column.key, ()) if one is not None and abs(one) < float("inf")]
        if finite and column.name in directions:
            found[column.key] = (min(finite), max(finite), directions[column.name])
    return found


def warm_columns(asked: Asked, columns: Sequence[Column], extremes: Extremes, taste: Taste) -> set[str]:
    """The columns that show heat: the one that the table is sorted by, else the first that can; and as one likes it."""
    able = [column.key for column in columns if column.key in extremes]
    by_itself = [key for key in able if key == asked.sort.removeprefix("-")] or able[:1]
    return {key for key in able if taste.heat.get(key, key in by_itself)}


def _pinned_first(drawn: Sequence[Drawn], taste: Taste) -> list[Drawn]:
    return sorted(drawn, key=lambda one: one.column.key not in taste.pins)


def _says_something(one: Drawn) -> bool:
    """Whether a column that nobody chose says something here."""
    return _is_shown(one, ("filled", "differing") if one.column.key == "experiment" else ("filled",))


def _is_shown(one: Drawn, only: Sequence[str]) -> bool:
    """Whether a column has a value (filled) or several (differing) among the rows."""
    said = {cell.said for cell in one.cells}
    is_differing = len(said) > 1 or len(one.cells) < 2
    return ("filled" not in only or bool(said - {""})) and ("differing" not in only or is_differing)


def _edged(shown: Sequence[Drawn], heads: Sequence[Head]) -> None:
    """A rule before each group's first column, and the place of those that stay in sight."""
    for at, (one, head) in enumerate(zip(shown, heads, strict=True)):
        added = f"pin{head.pin}" if head.pin else "gl" if at and head.first_of_group else ""
        if added:
            for cell in one.cells:
                cell.classes = f"{added} {cell.classes}".strip()


def _groups(heads: Sequence[Head]) -> list[dict[str, Any]]:
    groups = [(title, list(group)) for title, group in groupby(heads, key=lambda head: head.group)]
    return [
        {"title": _group_title(title, group), "span": len(group), "low": all(head.low for head in group)}
        for title, group in groups
    ]


def _group_title(title: str, heads: Sequence[Head]) -> str:
    figures = {head.column.figure for head in heads}
    return f"{title}, {figures.pop()}" if title == "Metrics" and len(figures) == 1 else title


def heads_of(
    asked: Asked, shown: Sequence[Drawn], directions: Mapping[str, bool], taste: Taste, warm: set[str]
) -> list[Head]:
    """The heads, with what their menus offer."""
    figures = {one.column.figure for one in shown if one.column.kind == "metric"}
    groups = ["Pinned" if one.column.key in taste.pins else one.column.group for one in shown]
    heads: list[Head] = []
    for at, one in enumerate(shown):
        column, head = one.column, head_of(asked, one.column, directions)
        label = f"{column.figure} {head.label}" if head.is_metric and len(figures) > 1 else head.label
        form = taste.formats.get(column.key, "auto")
        own = width_of(column, label, one.cells, has_sparks=head.is_metric and column.name == asked.spark)
        heads.append(
            replace(
                head,
                label=label,
                group=groups[at],
                first_of_group=at == 0 or groups[at - 1] != groups[at],
                has_left=_beside(shown, groups, at, -1),
                has_right=_beside(shown, groups, at, 1),
                width=taste.widths.get(column.key, own),
                formats=tuple((word, *said, word == form) for word, said in FORMATS.items()) if head.is_metric else (),
                is_warm=column.key in warm,
                pin=at + 1 if groups[at] == "Pinned" else 0,
                low=head.low and groups[at] != "Pinned",
            )
        )
    return heads


def lone_head(asked: Asked, column: Column, directions: Mapping[str, bool], taste: Taste) -> Head:
    """The head of one column, for its menu alone: what it can change places with is not looked at."""
    warm = {column.key} if taste.heat.get(column.key) else set()
    [head] = heads_of(asked, [Drawn(column, [])], directions, taste, warm)
    return replace(head, has_left=True, has_right=True)


def _beside(shown: Sequence[Drawn], groups: Sequence[str], at: int, by: int) -> bool:
    """Whether the column there can change places with this one."""
    other = at + by
    if not 0 <= other < len(shown):
        return False
    return groups[at] == groups[other] and shown[at].column.group == shown[other].column.group


def head_of(asked: Asked, column: Column, directions: Mapping[str, bool]) -> Head:
    """A head that sorts. A thin arrow beside a metric's name says which way is better, a full one how it is sorted."""
    way = {f"-{column.key}": "descending", column.key: "ascending"}.get(asked.sort, "")
    direction = directions.get(column.name) if column.kind == "metric" else None
    arrow = {True: " ↑", False: " ↓", None: ""}[direction] + {"descending": " ▼", "ascending": " ▲"}.get(way, "")
    is_sortable = bool(column.order) and (column.figure != "best" or direction is not None)
    first_down = direction is not False and column.is_numeric
    return Head(
        column=column,
        label=column.label,
        url=asked.sort_url(column, first_down=first_down) if is_sortable else "",
        title=_title(column, direction, way),
        arrow=arrow,
        sorted=way,
        numeric=column.is_numeric,
        low=column.is_low,
        first_of_group=False,
        figures=_figures(column, direction) if column.kind == "metric" else (),
        direction=direction,
    )


def _figures(column: Column, direction: bool | None) -> tuple[tuple[str, str, bool], ...]:
    """What a metric's column can show: its best only where the project says which way is better."""
    offered = [figure for figure in FIGURES if figure != "best" or direction is not None]
    return tuple((figure, FIGURE_WORDS[figure], figure == column.figure) for figure in offered)


def _title(column: Column, direction: bool | None, way: str) -> str:
    now = {"descending": "; now highest first", "ascending": "; now lowest first"}.get(way, "")
    said = {True: ", higher is better", False: ", lower is better", None: ""}[direction]
    figure = f"{column.figure} " if column.kind == "metric" and column.figure != "last" else ""
    return f"Sort by {figure}{column.label}{said}{now}"
