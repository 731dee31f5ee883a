"""The run table: filtered by a query line, sorted, in chosen columns, page by page; all of it in the URL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, sees_experiments, signed_in
from experiments.models import Experiment
from experiments.pages.asked import VIEWS, Asked
from experiments.pages.columns import (
    NAME,
    STATUS,
    SYSTEM,
    Cell,
    Column,
    cell_of,
    default_columns,
    in_groups,
    keyed,
)
from experiments.pages.experiment_acts import acts_of
from experiments.pages.listing import tracking_uri
from experiments.pages.saved_views import default_address, menu_of
from experiments.queries.experiments import metric_directions
from experiments.queries.overview import experiments_of
from experiments.queries.recalls import runs_on_recalled
from experiments.queries.search import FoundCount, FoundRun, Page, count_runs, search_runs
from experiments.queries.table import Cells, Names, cells_of, offered_names
from experiments.search.errors import QueryError
from kernel.actor import Actor

A_PAGE = 100
EXPERIMENTS_OFFERED = 200
EXPORTS = {"csv": "CSV", "xlsx": "XLSX", "parquet": "Parquet", "json": "JSON"}


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column. sorted: as aria-sort has it, or ""."""

    label: str
    url: str
    title: str
    arrow: str
    sorted: str
    numeric: bool
    low: bool
    first_of_group: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One run with its cells. is_recalled: it was built on a dataset version that is recalled now."""

    run: FoundRun
    url: str
    cells: list[Cell]
    is_recalled: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a query, with the text around the place."""

    before: str
    wrong: str
    after: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: QueryError, text: str) -> "Problem":
        start, end = error.start, error.start + max(1, error.length)
        return cls(text[:start], text[start:end] or " ", text[end:], error.message, error.hint)


@require_safe
@signed_in
def runs(request: HttpRequest, slug: str) -> HttpResponse:
    """The table of a project's runs."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    asked = Asked.parse(reverse("experiments:runs", args=[project.slug]), request.GET)
    if not sees_experiments(viewer, project):
        require(viewer, "experiments.see", project)
    opens_with = default_address(viewer, project) if not request.GET else None
    if opens_with:
        return redirect(opens_with)
    asked = with_default_experiment(viewer, project, asked)
    experiments = offered_experiments(viewer, project, asked.experiment_ids)
    asked = replace(asked, experiments=tuple(one for one in experiments if one.pk in asked.experiment_ids))
    page, problem, text = find(viewer, project, asked)
    names = offered_names(viewer, project, experiments=asked.experiment_ids or None)
    directions = metric_directions(viewer, project)
    columns = in_groups(
        asked.columns
        or default_columns(names, directions, project.goal_metric, many_experiments=len(asked.experiment_ids) != 1)
    )
    context = {
        "at": "runs",
        "project": project,
        "asked": asked if problem is None else replace(asked, good=text),
        "problem": problem,
        "experiments": [one for one in experiments if one.lifecycle == "active" or one.pk in asked.experiment_ids],
        **table_of(viewer, asked, page, columns, directions),
        **picker_of(columns, names),
        **paging_of(viewer, project, asked, page, text),
        "acts": acts_of(viewer, asked.only_experiment) if asked.only_experiment else [],
        "nothing_yet": not page.rows
        and not text
        and asked.view == "active"
        and bool(asked.only_experiment or not asked.experiment_ids),
        "views": menu_of(viewer, project, asked),
        "exports": export_links(project, asked),
        "charts_url": over_to("charts", project, asked.kept("columns", "good", "saved")),
        "matters_url": over_to("relations", project, asked.kept("columns", "sort", "good", "saved")),
        "tracking_uri": tracking_uri(request, project),
        "may_log": bool(can(viewer, "experiments.log_run", project)),
    }
    return render(request, "experiments/runs.html", context)


def over_to(page: str, project: Project, pairs: Sequence[tuple[str, str]]) -> str:
    """The address of another page about the runs of the same question."""
    return f"{reverse(f'experiments:{page}', args=[project.slug])}?{urlencode(list(pairs))}"


def with_default_experiment(viewer: Actor, project: Project, asked: Asked) -> Asked:
    """MLflow's clients call a project's Default experiment 0, also in the links that they print."""
    if 0 not in asked.experiment_ids:
        return asked
    default = experiments_of(viewer, project, lifecycle=None).filter(is_default=True).values_list("pk", flat=True)
    return replace(asked, experiment_ids=(*(pk for pk in asked.experiment_ids if pk), *default))


def offered_experiments(viewer: Actor, project: Project, asked: Sequence[int]) -> list[Experiment]:
    """The first experiments by name, and those asked for wherever they stand."""
    every = experiments_of(viewer, project, lifecycle=None)
    offered = list(every[:EXPERIMENTS_OFFERED])
    missing = set(asked) - {one.pk for one in offered}
    return [*offered, *every.filter(pk__in=missing)] if missing else offered


@require_safe
@signed_in
def newer(request: HttpRequest, slug: str) -> HttpResponse:
    """How many more runs match than when the table was drawn (`known`): the strip above it, which moves no row."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    asked = Asked.parse(reverse("experiments:runs", args=[project.slug]), request.GET)
    asked = with_default_experiment(viewer, project, asked)
    known = request.GET.get("known", "")
    counted = _count(viewer, project, asked, asked.query) if known.isascii() and known.isdigit() else None
    more = 0 if counted is None or counted.at_least else max(0, counted.number - int(known))
    context = {"more": more, "newer_url": request.get_full_path(), "show_url": asked.url(asked.kept())}
    return render(request, "experiments/newer.html", context)


def _count(viewer: Actor, project: Project, asked: Asked, text: str) -> FoundCount:
    return count_runs(
        viewer, project=project, experiments=asked.experiment_ids or None, text=text, view=VIEWS[asked.view][1]
    )


def find(viewer: Actor, project: Project, asked: Asked) -> tuple[Page[FoundRun], Problem | None, str]:
    """The page asked for, what is wrong with the query, and the query that was answered: the last good one."""
    try:
        return _search(viewer, project, asked, asked.query), None, asked.query
    except QueryError as error:
        problem = Problem.of(error, asked.query)
    first = replace(asked, after="")
    try:
        return _search(viewer, project, first, asked.good), problem, asked.good
    except QueryError:
        return _search(viewer, project, first, ""), problem, ""


def _search(viewer: Actor, project: Project, asked: Asked, text: str) -> Page[FoundRun]:
    return search_runs(
        viewer,
        project=project,
        experiments=asked.experiment_ids or None,
        text=text,
        order=asked.order,
        view=VIEWS[asked.view][1],
        limit=A_PAGE,
        after=asked.after or None,
    )


def table_of(
    viewer: Actor, asked: Asked, page: Page[FoundRun], columns: Sequence[Column], directions: Mapping[str, bool]
) -> dict[str, Any]:
    """Heads and rows."""
    metrics = [column.name for column in columns if column.kind == "metric"]
    cells = cells_of(
        viewer,
        [run.id for run in page.rows],
        metrics=metrics,
        params=[column.name for column in columns if column.kind == "param"],
        tags=[column.name for column in columns if column.kind == "tag"],
        datasets=any(column.key == "dataset" for column in columns),
    )
    recalled = runs_on_recalled(viewer, [run.id for run in page.rows])
    extremes = extremes_of(cells, metrics, directions)
    warm = asked.sort.removeprefix("-").partition(".")[2] or next((name for name in metrics if name in extremes), "")
    groups = [(title, list(group)) for title, group in groupby(columns, key=lambda column: column.group)]
    firsts = {group[0].key for _, group in groups}
    return {
        "columns": columns,
        "column_groups": [
            {"title": title, "span": len(group), "low": all(column.is_low for column in group)}
            for title, group in groups
        ],
        "name_head": head_of(asked, NAME, directions),
        "status_head": head_of(asked, STATUS, directions),
        "heads": [head_of(asked, column, directions, first=column.key in firsts) for column in columns],
        "rows": [
            Row(
                run,
                reverse("experiments:run", args=[run.uid]),
                [
                    _at_edge(cell_of(column, run, cells, extremes, warm), column.key in firsts, at)
                    for at, column in enumerate(columns)
                ],
                run.id in recalled,
            )
            for run in page.rows
        ],
    }


def _at_edge(cell: Cell, is_first_of_group: bool, at: int) -> Cell:
    return replace(cell, classes=f"gl {cell.classes}") if is_first_of_group and at else cell


def extremes_of(
    cells: Cells, metrics: Sequence[str], directions: Mapping[str, bool]
) -> dict[str, tuple[float, float, bool]]:
    """Lowest, highest, whether higher is better: for each metric with a direction and a finite value on the page."""
    found: dict[str, tuple[float, float, bool]] = {}
    for name in metrics:
        if name in directions:
            values = [v for (_, key), v in cells.metrics.items() if key == name and abs(v) < float("inf")]
            if values:
                found[name] = (min(values), max(values), directions[name])
    return found


def head_of(asked: Asked, column: Column, directions: Mapping[str, bool], *, first: bool = False) -> Head:
    """A head that sorts. A thin arrow beside a metric's name says which way is better, a full one how it is sorted."""
    way = {f"-{column.key}": "descending", column.key: "ascending"}.get(asked.sort, "")
    direction = directions.get(column.name) if column.kind == "metric" else None
    arrow = {True: " ↑", False: " ↓", None: ""}[direction] + {"descending": " ▼", "ascending": " ▲"}.get(way, "")
    first_down = direction is not False and column.is_numeric
    return Head(
        label=column.label,
        url=asked.sort_url(column, first_down=first_down) if column.order else "",
        title=_title(column, direction),
        arrow=arrow,
        sorted=way,
        numeric=column.is_numeric,
        low=column.is_low,
        first_of_group=first,
    )


def _title(column: Column, direction: bool | None) -> str:
    said = {True: ", higher is better", False: ", lower is better", None: ""}[direction]
    return f"Sort by {column.label}{said}"


def picker_of(columns: Sequence[Column], names: Names) -> dict[str, Any]:
    """The groups of the column picker: what is offered, and what is shown though the newest runs do not have it."""
    offered = [
        *SYSTEM.values(),
        *(keyed("metrics", name) for name in names.metrics),
        *(keyed("params", name) for name in names.params),
        *(keyed("tags", name) for name in names.tags),
    ]
    groups: dict[str, list[Column]] = {}
    for column in {column.key: column for column in [*offered, *columns]}.values():
        groups.setdefault(column.group, []).append(column)
    return {
        "choices": [{"title": title, "columns": group} for title, group in groups.items()],
        "shown_keys": {column.key for column in columns},
    }


def export_links(project: Project, asked: Asked) -> list[tuple[str, str, str]]:
    """(format, address of a file with the columns shown, address of one with every column)."""
    shown, every = urlencode(asked.kept("good")), urlencode([*asked.kept("good", "columns"), ("all", "1")])
    address = {kind: reverse("experiments:export", args=[project.slug, kind]) for kind in EXPORTS}
    return [(word, f"{address[kind]}?{shown}", f"{address[kind]}?{every}") for kind, word in EXPORTS.items()]


def newer_url(project: Project, asked: Asked, known: int) -> str:
    """Where the table asks whether more runs match by now."""
    pairs = [*asked.kept("sort", "columns", "good"), ("known", str(known))]
    return f"{reverse('experiments:newer', args=[project.slug])}?{urlencode(pairs)}"


def paging_of(viewer: Actor, project: Project, asked: Asked, page: Page[FoundRun], text: str) -> dict[str, str]:
    """How many there are, and the way to the next page."""
    if asked.after or page.next_token:
        counted = _count(viewer, project, asked, text)
        number, words = counted.number, str(counted)
    else:
        number, words = len(page.rows), f"{len(page.rows):,}"
    return {
        "count_words": f"{words} run{'' if number == 1 else 's'}",
        "page_words": f"{len(page.rows):,} of {words} on this page",
        "next_url": asked.next_page_url(page.next_token),
        "newer_url": newer_url(project, asked, number) if text == asked.query and not asked.after else "",
    }
