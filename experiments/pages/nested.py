"""The run table as a tree: nested runs below their parents, opened where one stands."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from experiments.models import Run
from experiments.pages.asked import Asked
from experiments.pages.columns import Column, in_groups
from experiments.pages.drawn import drawn_of
from experiments.pages.questions import A_PAGE, Problem, asked_of, find, search_list
from experiments.pages.run_rows import Row, table_of
from experiments.pages.taste import taste_of
from experiments.queries.experiments import metric_directions
from experiments.queries.nested import TreePage, has_nested, search_tree
from experiments.queries.runs import get_run
from experiments.queries.search import FoundRun, Page
from kernel.actor import Actor

CHILDREN = 50
TREE_ORDERS = frozenset({"", "-created", "name", "-name"})  # any other asks which run is first of all
LEVELS = 6  # deeper ones stand no further to the right


@dataclass(frozen=True, slots=True)
class Nest:
    """A run's place in the tree. level: how deep, from 0; parent: what it is nested in, by its 32 hex digits.

    below: how many runs match below it; is_match: whether it matches itself, or only stands over one that does.
    """

    level: int
    parent: str
    below: int
    is_match: bool
    is_open: bool
    rows_url: str
    list_url: str

    @property
    def indent(self) -> range:
        return range(min(self.level, LEVELS))


def is_tree(viewer: Actor, project: Project | None, asked: Asked) -> bool:
    """Whether runs are shown as a tree: where the address says so; else newest first or by name, where one is nested.

    Under any other order the best run would be folded away below a parent that has no figures of its own.
    """
    if asked.group or asked.view != "table":
        return False
    if asked.tree is not None:
        return asked.tree
    return asked.sort in TREE_ORDERS and has_nested(viewer, project=project, experiments=asked.experiment_ids or None)


def answer(
    viewer: Actor, project: Project | None, asked: Asked, *, as_tree: bool
) -> tuple[Page[FoundRun], TreePage | None, Problem | None, str]:
    """The page that is shown, the same as a part of the tree, what is wrong with the query, and what was answered."""
    if as_tree:
        trees, problem, text = find(viewer, project, asked, search_top)
        return trees.page, trees, problem, text
    page, problem, text = find(viewer, project, asked, search_list)
    return page, None, problem, text


def search_top(viewer: Actor, project: Project | None, asked: Asked, text: str) -> TreePage:
    """A page of the top of the tree. Raises QueryError."""
    return _searched(viewer, project, asked, text, limit=A_PAGE, parent=None)


def _searched(
    viewer: Actor, project: Project | None, asked: Asked, text: str, *, limit: int, parent: int | None
) -> TreePage:
    return search_tree(
        viewer,
        project=project,
        experiments=asked.experiment_ids or None,
        text=text,
        order=asked.order,
        view=asked.lives,
        limit=limit,
        after=asked.after or None,
        parent=parent,
    )


def nested_rows(
    viewer: Actor,
    project: Project | None,
    asked: Asked,
    text: str,
    found: TreePage,
    rows: Sequence[Row],
    parent: Run | None = None,
    level: int = 0,
) -> list[Row]:
    """The rows with their places in the tree."""
    drawn = drawn_of(viewer, project, asked, text, [row.run for row in rows])
    return [
        replace(row, slot=slot, eye=eye, nest=_nest(asked, row.run, found, parent, level))
        for row, (slot, eye) in zip(rows, drawn, strict=True)
    ]


def _nest(asked: Asked, run: FoundRun, found: TreePage, parent: Run | None, level: int) -> Nest:
    children = f"tags.`mlflow.parentRunId` = '{run.uid}'"
    alone = [*asked.all_kept("q", "good", "tree", "open", "experiment"), ("q", children), ("tree", "0")]
    return Nest(
        level=level,
        parent=parent.uid.hex if parent else "",
        below=found.below.get(run.id, 0),
        is_match=run.id in found.matching,
        is_open=run.readable_id in asked.open,
        rows_url=f"{reverse('experiments:nested', args=[run.project_slug, run.uid])}?level={level + 1}",
        list_url=asked.url(alone),
    )


def tree_of(
    viewer: Actor, project: Project | None, asked: Asked, columns: Sequence[Column], *, is_on: bool
) -> dict[str, Any]:
    """What the page needs beside the rows: the switch, and the question that children are asked with."""
    if not is_on and asked.tree is None:
        by_order = asked.sort not in TREE_ORDERS
        if not by_order or not has_nested(viewer, project=project, experiments=asked.experiment_ids or None):
            return {"tree": None}
    pairs = asked.all_kept("columns", "only", "open", "tree", "good")
    shown = [*pairs, *(("columns", column.key) for column in columns), ("tree", "1")]
    turned = asked.url([*asked.all_kept("tree", "open"), ("tree", "0" if is_on else "1")])
    return {"tree": {"is_on": is_on, "url": turned, "question": shown if is_on else []}}


@require_safe
@signed_in
def children(request: HttpRequest, slug: str, run: str) -> HttpResponse:
    """The next rows right below a run: the same question as the table's, sorted the same way."""
    viewer = actor_of(request)
    project, asked = asked_of(request, slug)
    parent = get_run(viewer, run, project=project)
    given = request.GET.get("level", "")
    level = min(int(given), 99) if given.isascii() and given.isdigit() and len(given) < 4 else 1
    directions = metric_directions(viewer, project)
    asked = asked.sortable_with(directions)
    found = _searched(viewer, project, asked, asked.query, limit=CHILDREN, parent=parent.pk)
    taste = taste_of(viewer, project)
    columns = in_groups(asked.columns)
    table = table_of(viewer, asked, found.page.rows, columns, directions, taste, as_tree=True)
    context = {
        "rows": nested_rows(viewer, project, asked, asked.query, found, table["rows"], parent, level),
        "parent": parent,
        "level": level,
        "indent": range(min(level, LEVELS)),
        "more": found.page.next_token or "",
        "more_words": CHILDREN,
        "span": len(table["columns"]) + 3,
        "everywhere": request.GET.get("everywhere") == "1",
    }
    return render(request, "experiments/nested_rows.html", context)
