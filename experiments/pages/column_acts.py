"""What the menu of a column does: another figure, out of the table, a place to the side, wider, pinned, a format."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import find_project
from accounts.actions.settings import keep_setting
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from experiments.pages import taste
from experiments.pages.asked import Asked
from experiments.pages.columns import FIGURES, Column, column_of, in_groups, measured
from kernel.actor import Actor


@require_POST
@signed_in
def keep(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep how the reader likes a column, on the server, and back to the table. The address does not change."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    keep_liked(viewer, project, request.POST.get("do", ""))
    path = reverse("experiments:runs", args=[project.slug])
    return redirect(Asked.parse(path, QueryDict(request.POST.get("table", ""))).all_url)


def keep_liked(viewer: Actor, project: Project | None, do: str) -> None:
    """Keep what one act on a column makes of the reader's taste, in a project or for the table of all runs."""
    liked = taste.taste_of(viewer, project)
    likes = taste.changed(liked, do)
    if likes != liked:
        keep_setting(viewer, name=taste.name_in(project), value=likes.value, project=project)


def redone(asked: Asked, do: str) -> str:
    """The address of the table after one act such as `min:metrics.loss`; what cannot be done changes nothing."""
    verb, _, key = do.partition(":")
    column = column_of(key)
    columns = in_groups(asked.columns)
    if column is not None and column in columns and verb in ACTS:
        asked = ACTS[verb](asked, columns, column)
    return asked.url(asked.all_kept())


def _with(asked: Asked, columns: Sequence[Column]) -> Asked:
    return replace(asked, column_keys=tuple(dict.fromkeys(column.key for column in columns)))


def _show(asked: Asked, columns: Sequence[Column], column: Column, figure: str) -> Asked:
    """Another figure of the metric; an order by the one shown becomes an order by the other."""
    if column.kind != "metric":
        return asked
    other = measured(column.name, figure)
    sort = {column.key: other.key, f"-{column.key}": f"-{other.key}"}.get(asked.sort, asked.sort)
    return replace(_with(asked, [other if one == column else one for one in columns]), sort=sort)


def _figure(figure: str) -> "ColumnAct":
    return lambda asked, columns, column: _show(asked, columns, column, figure)


def _hide(asked: Asked, columns: Sequence[Column], column: Column) -> Asked:
    return _with(asked, [one for one in columns if one != column] or columns)


def _move(asked: Asked, columns: Sequence[Column], column: Column, by: int) -> Asked:
    """One place to the side, within its group."""
    at = columns.index(column)
    to = at + by
    if not 0 <= to < len(columns) or columns[to].group != column.group:
        return asked
    moved = list(columns)
    moved[at], moved[to] = moved[to], moved[at]
    return _with(asked, moved)


def _spark(asked: Asked, columns: Sequence[Column], column: Column) -> Asked:
    """Draw the metric as a small curve in every row, or no longer."""
    return replace(_with(asked, columns), spark="" if asked.spark == column.name else column.name)


ColumnAct = Callable[[Asked, Sequence[Column], Column], Asked]
ACTS: dict[str, ColumnAct] = {
    **{figure: _figure(figure) for figure in FIGURES},
    "hide": _hide,
    "left": lambda asked, columns, column: _move(asked, columns, column, -1),
    "right": lambda asked, columns, column: _move(asked, columns, column, 1),
    "spark": _spark,
}
