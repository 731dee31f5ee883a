"""The run table as a file: what is shown, or everything that matches, with every column or the chosen ones."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from experiments.actions.exports import note_runs_taken
from experiments.exporting.columns import SYSTEM_FIELDS, Wanted
from experiments.exporting.formats import format_of
from experiments.pages.asked import Asked
from experiments.pages.columns import PROJECT, Column, default_columns, expanded
from experiments.pages.questions import asked_of
from experiments.queries.export import every_column, exported_rows
from experiments.queries.overview import directions_of
from experiments.queries.table import offered_names
from kernel.actor import Actor


@require_safe
@signed_in
def runs_file(request: HttpRequest, slug: str, kind: str) -> HttpResponseBase:
    """All runs that match, in the order of the table. `all=1`: every column that any of the project's runs has."""
    viewer = actor_of(request)
    project, asked = asked_of(request, slug)
    return file_of(viewer, project, asked, kind, everything=request.GET.get("all") == "1")


def file_of(viewer: Actor, project: Project | None, asked: Asked, kind: str, *, everything: bool) -> HttpResponseBase:
    """The file that answers a question, written while it is read; without a project of all runs in sight.

    It is on record in each project whose runs are in it. Raises QueryError, Invalid for an unknown format.
    """
    form = format_of(kind)
    wanted = wanted_of(viewer, project, asked, everything=everything)
    scope: dict[str, Any] = {
        "experiments": asked.experiment_ids or None,
        "text": asked.query,
        "view": asked.lives,
    }
    content = form.write(wanted.fields, exported_rows(viewer, project, wanted, order=asked.order, **scope))
    note_runs_taken(viewer, project, word=form.word, **scope)
    response = StreamingHttpResponse(content, content_type=form.media_type)
    response["Content-Disposition"] = f'attachment; filename="{project.slug if project else "all"}-runs.{kind}"'
    response["Cache-Control"] = "private, no-store"
    return response


def wanted_of(viewer: Actor, project: Project | None, asked: Asked, *, everything: bool) -> Wanted:
    """The columns of the table as it is shown, or all there are."""
    experiments = asked.experiment_ids or None
    if everything:
        return every_column(viewer, project, experiments=experiments, text=asked.query, view=asked.lives)
    names = offered_names(viewer, project, experiments=experiments)
    directions = directions_of(viewer, project)
    many, goal = len(asked.experiment_ids) != 1, project.goal_metric if project else ""
    by_default = default_columns(names, directions, goal, many_experiments=many)
    shown = expanded(asked.columns, names) or ([] if project else [PROJECT]) + by_default
    return Wanted(
        [column.key for column in shown if column.key in SYSTEM_FIELDS],
        list(dict.fromkeys((column.name, column.figure) for column in shown if column.kind == "metric")),
        _named(shown, "param"),
        _named(shown, "tag"),
    )


def _named(columns: Sequence[Column], kind: str) -> list[str]:
    return list(dict.fromkeys(column.name for column in columns if column.kind == kind))
