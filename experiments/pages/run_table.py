"""The run table: filtered by a query line, sorted, in chosen columns, page by page; all of it in the URL."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.access import can
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from experiments.models import Experiment
from experiments.pages.asked import Asked
from experiments.pages.bulk import offered, undo_of
from experiments.pages.charts import charts_context
from experiments.pages.column_acts import redone
from experiments.pages.column_menu import column_menu
from experiments.pages.columns import Column, default_columns, expanded, in_groups
from experiments.pages.experiment_acts import acts_of
from experiments.pages.grouped import grouping_of, groups_of
from experiments.pages.listing import tracking_uri
from experiments.pages.live import live_of
from experiments.pages.nested import answer, is_tree, nested_rows, tree_of
from experiments.pages.query_bar import bar_of
from experiments.pages.questions import asked_of
from experiments.pages.run_rows import table_of
from experiments.pages.saved_views import default_address, menu_of
from experiments.pages.slots import bulk_offers_of, runs_pages_of
from experiments.pages.table_bar import export_links, matters_url, paging_of, picker_of, shown_as, sorting_of
from experiments.pages.taste import taste_of
from experiments.queries.experiments import metric_directions
from experiments.queries.nested import TreePage
from experiments.queries.overview import experiments_of
from experiments.queries.search import FoundRun, Page
from experiments.queries.table import Names, offered_names
from kernel.actor import Actor

EXPERIMENTS_OFFERED = 200


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
    if "eye" in request.GET:
        return redirect(asked.with_eye(request.GET["eye"]).all_url)
    if "menu" in request.GET:
        may_set = bool(can(viewer, "experiments.set_direction", project))
        more = {"views": menu_of(viewer, project, asked), "may_set_direction": may_set}
        return column_menu(request, viewer, project, asked, metric_directions(viewer, project), more)
    if asked.view == "matters":
        return redirect(matters_url(project, asked))
    experiments = offered_experiments(viewer, project, asked.experiment_ids)
    asked = replace(asked, experiments=tuple(one for one in experiments if one.pk in asked.experiment_ids))
    directions = metric_directions(viewer, project)
    asked = asked.sortable_with(directions)
    as_tree = is_tree(viewer, project, asked)
    page, trees, problem, text = answer(viewer, project, asked, as_tree=as_tree)
    names = offered_names(viewer, project, experiments=asked.experiment_ids or None)
    columns = in_groups(
        expanded(asked.columns, names)
        or default_columns(names, directions, project.goal_metric, many_experiments=len(asked.experiment_ids) != 1)
    )
    shown = shown_of(request, viewer, project, asked, Found(page, text, names, columns, directions, trees))
    context = {
        "at": "runs",
        "project": project,
        "asked": asked if problem is None else replace(asked, good=text),
        "problem": problem,
        "experiments": [one for one in experiments if one.lifecycle == "active" or one.pk in asked.experiment_ids],
        **shown,
        **grouping_of(asked, names),
        **sorting_of(asked, columns, directions),
        **bar_of(request, project, asked, problem, names=names, is_empty=not page.rows),
        **picker_of(asked, shown.get("chosen", columns), names),
        **paging_of(viewer, project, asked, page, text, as_tree=as_tree),
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
        "bulk_offers": bulk_offers_of(viewer, project),
        "runs_pages": runs_pages_of(viewer, project, asked.kept("sort", "columns", "good", "saved")),
        "undo": undo_of(request, project),
        "may_set_direction": bool(can(viewer, "experiments.set_direction", project)),
        "may_log": bool(can(viewer, "experiments.log_run", project)),
        "may_decide": bool(can(viewer, "projects.decide", project)),
    }
    return render(request, "experiments/runs.html", context)


@dataclass(frozen=True, slots=True)
class Found:
    """What the question of the address found. text: the query that was answered."""

    page: Page[FoundRun]
    text: str
    names: Names
    columns: list[Column]
    directions: dict[str, bool]
    trees: TreePage | None = None


def shown_of(request: HttpRequest, viewer: Actor, project: Project, asked: Asked, found: Found) -> dict[str, Any]:
    """The runs as charts, in groups, or row by row."""
    if asked.view == "charts":
        return charts_context(request, viewer, project, asked, text=found.text, names=found.names)
    is_live = found.text == asked.query and not asked.after
    if asked.group:
        groups = groups_of(viewer, project, asked, found.text, found.columns, found.directions)
        return {**groups, **(live_of(viewer, project, asked, []) if is_live else {})}
    taste = taste_of(viewer, project)
    as_tree = found.trees is not None
    table = table_of(viewer, asked, found.page.rows, found.columns, found.directions, taste, as_tree=as_tree)
    if found.trees is not None:
        table["rows"] = nested_rows(viewer, project, asked, found.text, found.trees, table["rows"])
    live = live_of(viewer, project, asked, table["columns"]) if is_live else {}
    tree = tree_of(viewer, project, asked, table["columns"], is_on=as_tree)
    return {**table, **live, **tree, "taste": taste.value}


def offered_experiments(viewer: Actor, project: Project, asked: Sequence[int]) -> list[Experiment]:
    """The first experiments by name, and those asked for wherever they stand."""
    every = experiments_of(viewer, project, lifecycle=None)
    offered = list(every[:EXPERIMENTS_OFFERED])
    missing = set(asked) - {one.pk for one in offered}
    return [*offered, *every.filter(pk__in=missing)] if missing else offered
