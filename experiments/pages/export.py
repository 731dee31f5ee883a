"""The run table as a file: what is shown, or everything that matches, with every column or the chosen ones."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from accounts.access import can
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from experiments.actions.exports import note_export, note_export_of
from experiments.exporting.fields import Field, Rows
from experiments.exporting.files import as_parquet, as_xlsx
from experiments.exporting.texts import as_csv, as_json
from experiments.pages.asked import Asked
from experiments.pages.columns import PROJECT, Column, default_columns, expanded
from experiments.pages.questions import asked_of
from experiments.queries.export import SYSTEM_FIELDS, Wanted, exported_rows
from experiments.queries.overview import directions_of
from experiments.queries.runs import get_run
from experiments.queries.search import View, count_runs, runs_by_project, search_runs
from experiments.queries.table import all_names, offered_names
from kernel.actor import Actor
from kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file."""

    word: str
    media_type: str
    write: Callable[[Sequence[Field], Rows], Iterator[bytes]]


FORMATS: Final = {
    "csv": Format("CSV", "text/csv; charset=utf-8", as_csv),
    "json": Format("JSON", "application/json", as_json),
    "xlsx": Format("XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
    "parquet": Format("Parquet", "application/vnd.apache.parquet", as_parquet),
}


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
    form = FORMATS.get(kind)
    if form is None:
        raise Invalid(f"There is no export as '{kind[:20]}'.", hint=f"Choose {', '.join(FORMATS)}.", field="format")
    wanted = wanted_of(viewer, project, asked, everything=everything)
    scope = {
        "experiments": asked.experiment_ids or None,
        "text": asked.query,
        "view": asked.lives,
    }
    counted = count_runs(viewer, project=project, **scope)  # type: ignore[arg-type]
    rows = exported_rows(viewer, project, wanted, order=asked.order, **scope)  # type: ignore[arg-type]
    content = form.write(wanted.fields, rows)
    about = f" as {form.word}, {asked.lifecycle_words}" + (f", query: {asked.query}" if asked.query else "")
    if project is not None:
        note_taken(viewer, project, what=f"Exported {_runs(str(counted))}{about}")
    else:
        for one, number in runs_by_project(viewer, **scope):  # type: ignore[arg-type]
            note_taken(viewer, one, what=f"Exported {_runs(f'{number:,}')}{about}, with runs of other projects")
    response = StreamingHttpResponse(content, content_type=form.media_type)
    response["Content-Disposition"] = f'attachment; filename="{project.slug if project else "all"}-runs.{kind}"'
    response["Cache-Control"] = "private, no-store"
    return response


def note_taken(viewer: Actor, project: Project, *, what: str) -> None:
    """Put on record that runs of a project were taken out; of a guest of single experiments about one of those runs."""
    if can(viewer, "experiments.see", project):
        note_export(viewer, project, what=what)
        return
    for found in search_runs(viewer, project=project, view=View.ALL, limit=1).rows:
        note_export_of(viewer, get_run(viewer, found.uid, project=project), what=what)


def _runs(number: str) -> str:
    return f"{number} run{'' if number == '1' else 's'}"


def wanted_of(viewer: Actor, project: Project | None, asked: Asked, *, everything: bool) -> Wanted:
    """The columns of the table as it is shown, or all there are."""
    experiments = asked.experiment_ids or None
    if everything:
        metrics, params, tags = all_names(viewer, project, experiments=experiments)
        system = [key for key in SYSTEM_FIELDS if project is None or key != PROJECT.key]
        return Wanted(system, [(name, "last") for name in metrics], params, tags)
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
