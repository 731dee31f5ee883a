"""The run table: filtered by a query line, sorted, in chosen columns, page by page; all of it in the URL."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import can, find_project
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from experiments.models import Experiment
from experiments.pages.asked import Asked
from experiments.pages.bulk import offered, undo_of
from experiments.pages.chips import SINCE, STATUSES, chips_of, with_added
from experiments.pages.column_acts import redone
from experiments.pages.columns import GROUP_ORDER, SYSTEM, Column, default_columns, in_groups, keyed
from experiments.pages.experiment_acts import acts_of
from experiments.pages.grouped import grouping_of, groups_of
from experiments.pages.listing import tracking_uri
from experiments.pages.questions import asked_of, find, over_to, with_default_experiment
from experiments.pages.run_rows import table_of
from experiments.pages.saved_views import default_address, menu_of
from experiments.queries.experiments import metric_directions
from experiments.queries.overview import experiments_of
from experiments.queries.search import FoundCount, FoundRun, Page, count_runs
from experiments.queries.table import Names, offered_names
from kernel.actor import Actor

EXPERIMENTS_OFFERED = 200
EXPORTS = {"csv": "CSV", "xlsx": "XLSX", "parquet": "Parquet", "json": "JSON"}


@require_safe
@signed_in
def runs(request: HttpRequest, slug: str) -> HttpResponse:
    """The table of a project's runs."""
    viewer = actor_of(request)
    project, asked = asked_of(request, slug)
    opens_with = default_address(viewer, project) if not request.GET else None
    if opens_with:
        return redirect(opens_with)
    if "do" in request.GET:
        return redirect(redone(asked, request.GET["do"]))
    if "add" in request.GET:
        return redirect(with_added(asked, request.GET, getattr(request.user, "email", "")))
    if asked.view == "charts":
        return redirect(
            over_to("charts", project, [*asked.all_kept("columns", "good", "view", "group"), *asked.charts_group])
        )
    if asked.view == "matters":
        return redirect(matters_url(project, asked))
    experiments = offered_experiments(viewer, project, asked.experiment_ids)
    asked = replace(asked, experiments=tuple(one for one in experiments if one.pk in asked.experiment_ids))
    directions = metric_directions(viewer, project)
    asked = asked.sortable_with(directions)
    page, problem, text = find(viewer, project, asked)
    names = offered_names(viewer, project, experiments=asked.experiment_ids or None)
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
        **(
            groups_of(viewer, project, asked, text, columns, directions)
            if asked.group
            else table_of(viewer, asked, page.rows, columns, directions)
        ),
        **grouping_of(asked, names),
        **filter_of(asked, names),
        **picker_of(columns, names),
        **paging_of(viewer, project, asked, page, text),
        "acts": acts_of(viewer, asked.only_experiment) if asked.only_experiment else [],
        "nothing_yet": not page.rows
        and not text
        and asked.lifecycle == "active"
        and bool(asked.only_experiment or not asked.experiment_ids),
        "views": menu_of(viewer, project, asked),
        "exports": export_links(project, asked),
        "shown_as": shown_as(project, asked),
        "tracking_uri": tracking_uri(request, project),
        "bulk": offered(viewer, project),
        "undo": undo_of(request, project),
        "may_set_direction": bool(can(viewer, "experiments.set_direction", project)),
        "may_log": bool(can(viewer, "experiments.log_run", project)),
    }
    return render(request, "experiments/runs.html", context)


def matters_url(project: Project, asked: Asked) -> str:
    """What matters, of the runs of this question."""
    return over_to("relations", project, asked.kept("columns", "sort", "good", "saved"))


def shown_as(project: Project, asked: Asked) -> list[tuple[str, str, str]]:
    """(key, label, address) of the ways to look at these runs."""
    return [(key, label, matters_url(project, asked) if key == "matters" else url) for key, label, url in asked.views]


def filter_of(asked: Asked, names: Names) -> dict[str, Any]:
    """The conditions of the query as chips, and what the form for further ones offers."""
    return {
        "chips": chips_of(asked),
        "filter_statuses": list(STATUSES.items()),
        "filter_since": list(SINCE.items()),
        "filter_metrics": list(names.metrics),
        "filter_tags": [name for name in names.tags if not name.startswith("mlflow.")],
    }


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
    return count_runs(viewer, project=project, experiments=asked.experiment_ids or None, text=text, view=asked.lives)


def picker_of(columns: Sequence[Column], names: Names) -> dict[str, Any]:
    """The groups of the column picker: what is offered, and what is shown though the newest runs do not have it."""
    offered = [
        *SYSTEM.values(),
        *(keyed("metrics", name) for name in names.metrics),
        *(keyed("params", name) for name in names.params),
        *(keyed("tags", name) for name in names.tags),
    ]
    groups: dict[str, list[Column]] = {}
    drawn = {(column.kind, column.name): column for column in columns if column.kind == "metric"}
    offered = [*columns, *(column for column in offered if (column.kind, column.name) not in drawn)]
    once = {column.key: column for column in offered}
    for column in sorted(once.values(), key=lambda one: GROUP_ORDER.index(one.group)):
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
