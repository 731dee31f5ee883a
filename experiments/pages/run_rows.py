"""Heads and rows of the run table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django.urls import reverse

from experiments.pages.asked import Asked
from experiments.pages.columns import FIGURES, NAME, STATUS, Cell, Column, Extremes, cell_of
from experiments.queries.recalls import runs_on_recalled
from experiments.queries.search import FoundRun
from experiments.queries.table import Cells, cells_of, sparks_of
from kernel.actor import Actor

FIGURE_WORDS = {"last": "Last value", "min": "Lowest", "max": "Highest", "best": "Best"}


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column. sorted: as aria-sort has it, or ""; figures: (act, words, whether shown) of a metric."""

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

    @property
    def is_metric(self) -> bool:
        return self.column.kind == "metric"


@dataclass(frozen=True, slots=True)
class Row:
    """One run with its cells. is_recalled: it was built on a dataset version that is recalled now."""

    run: FoundRun
    url: str
    cells: list[Cell]
    is_recalled: bool = False


def table_of(
    viewer: Actor, asked: Asked, runs: Sequence[FoundRun], columns: Sequence[Column], directions: Mapping[str, bool]
) -> dict[str, Any]:
    """Heads and rows of these runs. chosen: all columns, also those that "only filled" or "only differing" hide."""
    ids = [run.id for run in runs]
    cells = cells_of(
        viewer,
        ids,
        metrics=list({column.name for column in columns if column.kind == "metric"}),
        params=[column.name for column in columns if column.kind == "param"],
        tags=[column.name for column in columns if column.kind == "tag"],
        datasets=any(column.key == "dataset" for column in columns),
    )
    values = values_of(runs, columns, cells, directions)
    extremes = extremes_of(values, columns, directions)
    warm = asked.sort.removeprefix("-") or next((column.key for column in columns if column.key in extremes), "")
    sparks = sparks_of(viewer, ids, asked.spark) if asked.spark else {}
    drawn = [
        [cell_of(column, run, values.get((run.id, column.key)), cells, extremes, warm) for run in runs]
        for column in columns
    ]
    for at, column in enumerate(columns):
        if sparks and column.kind == "metric" and column.name == asked.spark:
            drawn[at] = [_with_spark(cell, run, sparks) for cell, run in zip(drawn[at], runs, strict=True)]
    shown = [at for at, of_column in enumerate(drawn) if _is_shown(of_column, asked.only)]
    heads = heads_of(asked, [columns[at] for at in shown], directions)
    for head, at in zip(heads[1:], shown[1:], strict=True):
        if head.first_of_group:
            drawn[at] = [replace(cell, classes=f"gl {cell.classes}") for cell in drawn[at]]
    recalled = runs_on_recalled(viewer, ids)
    return {
        "columns": [columns[at] for at in shown],
        "chosen": columns,
        "hidden_columns": len(columns) - len(shown),
        "column_groups": _groups(heads),
        "name_head": head_of(asked, NAME, directions),
        "status_head": head_of(asked, STATUS, directions),
        "heads": heads,
        "rows": [
            Row(run, reverse("experiments:run", args=[run.uid]), [drawn[at][row] for at in shown], run.id in recalled)
            for row, run in enumerate(runs)
        ],
    }


def values_of(
    runs: Sequence[FoundRun], columns: Sequence[Column], cells: Cells, directions: Mapping[str, bool]
) -> dict[tuple[int, str], float]:
    """The figure that each metric column shows, by (run, key of the column)."""
    found: dict[tuple[int, str], float] = {}
    for column in columns:
        if column.kind != "metric":
            continue
        for run in runs:
            measured = cells.metrics.get((run.id, column.name))
            value = measured.figure(column.figure, directions.get(column.name)) if measured else None
            if value is not None:
                found[run.id, column.key] = value
    return found


def extremes_of(
    values: Mapping[tuple[int, str], float], columns: Sequence[Column], directions: Mapping[str, bool]
) -> Extremes:
    """Of each metric with a direction and a finite value on the page."""
    finite: dict[str, list[float]] = {}
    for (_, key), value in values.items():
        if abs(value) < float("inf"):
            finite.setdefault(key, []).append(value)
    return {
        column.key: (min(finite[column.key]), max(finite[column.key]), directions[column.name])
        for column in columns
        if column.key in finite and column.name in directions
    }


def _with_spark(cell: Cell, run: FoundRun, sparks: Mapping[int, Sequence[float]]) -> Cell:
    return replace(cell, spark=tuple(sparks.get(run.id, ())))


def _is_shown(cells: Sequence[Cell], only: Sequence[str]) -> bool:
    """Whether a column has a value (filled) or several (differing) among the rows."""
    said = {(cell.text, cell.value) for cell in cells}
    is_filled = any(text or value not in ("", None) for text, value in said)
    return ("filled" not in only or is_filled) and ("differing" not in only or len(said) > 1 or len(cells) < 2)


def _groups(heads: Sequence[Head]) -> list[dict[str, Any]]:
    groups = [(title, list(group)) for title, group in groupby(heads, key=lambda head: head.column.group)]
    return [
        {"title": _group_title(title, group), "span": len(group), "low": all(head.low for head in group)}
        for title, group in groups
    ]


def _group_title(title: str, heads: Sequence[Head]) -> str:
    figures = {head.column.figure for head in heads}
    return f"{title}, {figures.pop()}" if title == "Metrics" and len(figures) == 1 else title


def heads_of(asked: Asked, columns: Sequence[Column], directions: Mapping[str, bool]) -> list[Head]:
    """The heads, with what their menus offer."""
    groups = [column.group for column in columns]
    figures = {column.figure for column in columns if column.kind == "metric"}
    heads = []
    for at, column in enumerate(columns):
        is_first = at == 0 or groups[at - 1] != column.group
        head = head_of(asked, column, directions)
        heads.append(
            replace(
                head,
                label=f"{column.figure} {head.label}" if column.kind == "metric" and len(figures) > 1 else head.label,
                first_of_group=is_first,
                has_left=not is_first,
                has_right=at + 1 < len(columns) and groups[at + 1] == column.group,
            )
        )
    return heads


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
        title=_title(column, direction),
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


def _title(column: Column, direction: bool | None) -> str:
    said = {True: ", higher is better", False: ", lower is better", None: ""}[direction]
    figure = f"{column.figure} " if column.kind == "metric" and column.figure != "last" else ""
    return f"Sort by {figure}{column.label}{said}"
