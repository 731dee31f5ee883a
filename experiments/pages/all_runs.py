"""All runs that one may see, of all projects, in one table."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.doors import actor_of, signed_in
from experiments.pages import taste
from experiments.pages.asked import Asked
from experiments.pages.column_acts import keep_liked, redone
from experiments.pages.column_menu import column_menu
from experiments.pages.columns import PROJECT, Column, default_columns, expanded, in_groups
from experiments.pages.export import file_of
from experiments.pages.grouped import grouping_of, groups_of
from experiments.pages.nested import answer, is_tree, nested_rows, tree_of
from experiments.pages.query_bar import bar_of
from experiments.pages.run_rows import table_of
from experiments.pages.table_bar import export_links, paging_of, picker_of, sorting_of
from experiments.queries.nested import TreePage
from experiments.queries.overview import directions_of, experiments_by_key
from experiments.queries.search import FoundRun, Page
from experiments.queries.table import offered_names
from kernel.actor import Actor


def asked_everywhere(viewer: Actor, params: QueryDict) -> Asked:
    """What an address asks of all runs, as a table."""
    asked = replace(Asked.parse(reverse("experiments:all_runs"), params), view="table", saved=None)
    if not asked.experiment_ids:
        return asked
    return replace(asked, experiments=tuple(experiments_by_key(viewer, [pk for pk in asked.experiment_ids if pk])))


@require_safe
@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """The table of all runs in sight."""
    viewer = actor_of(request)
    asked = asked_everywhere(viewer, request.GET)
    if "do" in request.GET:
        return redirect(redone(asked, request.GET["do"]))
    if "eye" in request.GET:
        return redirect(asked.with_eye(request.GET["eye"]).all_url)
    directions = directions_of(viewer, None)
    if "menu" in request.GET:
        return column_menu(request, viewer, None, asked, directions, {})
    asked = asked.sortable_with(directions)
    as_tree = is_tree(viewer, None, asked)
    found, trees, problem, text = answer(viewer, None, asked, as_tree=as_tree)
    names = offered_names(viewer, None, experiments=asked.experiment_ids or None)
    by_default = [PROJECT, *default_columns(names, directions, "", many_experiments=True)]
    columns = in_groups(expanded(asked.columns, names) or by_default)
    shown = _shown(viewer, asked, text, found, trees, columns, directions)
    picker = picker_of(asked, shown.get("chosen", columns), names)
    context = {
        "at": "all_runs",
        "everywhere": True,
        "project": None,
        "asked": asked if problem is None else replace(asked, good=text),
        "problem": problem,
        **shown,
        **_grouping(grouping_of(asked, names)),
        **sorting_of(asked, columns, directions),
        **bar_of(request, None, asked, problem, names=names, is_empty=not found.rows),
        **picker,
        "choices": _with_project(picker["choices"]),
        **paging_of(viewer, None, asked, found, text, as_tree=as_tree),
        "exports": export_links(None, asked),
        "bulk": frozenset(),
    }
    return render(request, "experiments/all_runs.html", context)


def _shown(
    viewer: Actor,
    asked: Asked,
    text: str,
    found: Page[FoundRun],
    trees: TreePage | None,
    columns: Sequence[Column],
    directions: dict[str, bool],
) -> dict[str, Any]:
    """The runs in groups, as a tree, or row by row."""
    if asked.group:
        return groups_of(viewer, None, asked, text, columns, directions)
    liked = taste.taste_of(viewer, None)
    table = table_of(viewer, asked, found.rows, columns, directions, liked, as_tree=trees is not None)
    if trees is not None:
        table["rows"] = nested_rows(viewer, None, asked, text, trees, table["rows"])
    tree = tree_of(viewer, None, asked, table["columns"], is_on=trees is not None)
    return {**table, **tree, "taste": liked.value}


def _grouping(grouping: dict[str, Any]) -> dict[str, Any]:
    """The menu of groups, with the project first."""
    others = [choice for choice in grouping["group_choices"] if choice[0] != "project"]
    return {**grouping, "group_choices": [("project", "Project"), *others]}


def _with_project(choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The columns that the picker offers, with the project among those of the system."""
    others = [{**group, "columns": [one for one in group["columns"] if one != PROJECT]} for group in choices]
    for group in others:
        group["columns"][:0] = [PROJECT] if group["title"] == PROJECT.group else []
    return others


@require_safe
@signed_in
def runs_file(request: HttpRequest, kind: str) -> HttpResponseBase:
    """All runs in sight that match, in the order of the table; on record in each project that is in it."""
    viewer = actor_of(request)
    return file_of(viewer, None, asked_everywhere(viewer, request.GET), kind, everything=request.GET.get("all") == "1")


@require_POST
@signed_in
def keep(request: HttpRequest) -> HttpResponse:
    """Keep how the reader likes a column of this table, and back to it."""
    viewer = actor_of(request)
    keep_liked(viewer, None, request.POST.get("do", ""))
    return redirect(asked_everywhere(viewer, QueryDict(request.POST.get("table", ""))).all_url)
