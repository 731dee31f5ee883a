"""The run table as rows of values: all runs that match, read page by page."""

from collections.abc import Iterator, Mapping, Sequence

from accounts.models import Project
from experiments.exporting.columns import SYSTEM_FIELDS, Wanted
from experiments.exporting.fields import Value
from experiments.queries.overview import directions_of
from experiments.queries.search import FoundRun, View, search_runs
from experiments.queries.table import Cells, all_names, cells_of
from experiments.values import ReviewState
from kernel.actor import Actor

_PAGE = 1_000
_LOOKED_AT = 5_000  # runs whose names are read one by one


def every_column(
    viewer: Actor, project: Project | None, *, experiments: Sequence[int] | None, text: str, view: View
) -> Wanted:
    """Every column that the runs which match have anything in; where thousands match, that any in scope has.

    Raises QueryError.
    """
    found = search_runs(
        viewer, project=project, experiments=experiments, text=text, order=(), view=view, limit=_LOOKED_AT
    )
    runs = None if found.next_token else [run.id for run in found.rows]
    metrics, params, tags = all_names(viewer, project, experiments=experiments, runs=runs)
    system = [key for key in SYSTEM_FIELDS if project is None or key != "project"]
    return Wanted(system, [(name, "last") for name in metrics], params, tags)


def rows_of_page(
    viewer: Actor, runs: Sequence[FoundRun], wanted: Wanted, ways: Mapping[str, bool]
) -> list[list[Value]]:
    """The rows of runs that a search found for the viewer. ways: which way each metric is better."""
    cells = cells_of(
        viewer,
        [run.id for run in runs],
        metrics=list({name for name, _ in wanted.metrics}),
        params=wanted.params,
        tags=wanted.tags,
        datasets="dataset" in wanted.system,
    )
    return [_row(run, cells, wanted, ways) for run in runs]


def ways_for(viewer: Actor, project: Project | None, wanted: Wanted) -> dict[str, bool]:
    """Which way each metric is better, where the best of one is wanted."""
    is_asked = any(figure == "best" for _, figure in wanted.metrics)
    return dict(directions_of(viewer, project)) if is_asked else {}


def exported_rows(
    viewer: Actor,
    project: Project | None,
    wanted: Wanted,
    *,
    experiments: Sequence[int] | None,
    text: str,
    order: Sequence[str],
    view: View,
) -> Iterator[list[Value]]:
    """A row for each run that matches, in this order; without a project of all that the viewer sees.

    Raises QueryError before the first.
    """
    after: str | None = None
    ways = ways_for(viewer, project, wanted)
    while True:
        page = search_runs(
            viewer,
            project=project,
            experiments=experiments,
            text=text,
            order=order,
            view=view,
            limit=_PAGE,
            after=after,
        )
        yield from rows_of_page(viewer, page.rows, wanted, ways)
        after = page.next_token
        if after is None:
            return


def _figure(run: FoundRun, name: str, figure: str, cells: Cells, ways: Mapping[str, bool]) -> float | None:
    measured = cells.metrics.get((run.id, name))
    return measured.figure(figure, ways.get(name)) if measured else None


def _row(run: FoundRun, cells: Cells, wanted: Wanted, ways: Mapping[str, bool]) -> list[Value]:
    return [
        run.uid,
        run.readable_id,
        run.name,
        run.status,
        *(_system(key, run, cells) for key in wanted.system),
        *(_figure(run, name, figure, cells, ways) for name, figure in wanted.metrics),
        *(cells.params.get((run.id, name)) for name in wanted.params),
        *(cells.tags.get((run.id, name)) for name in wanted.tags),
    ]


def _system(key: str, run: FoundRun, cells: Cells) -> Value:
    match key:
        case "created":
            return run.started_ms
        case "ended":
            return run.ended_ms
        case "duration":
            return run.duration_ms
        case "user":
            return run.user_email or run.user or None
        case "claimed":
            return run.claimed_user or None
        case "source":
            return run.git_commit or None
        case "script":
            return run.source_name or None
        case "experiment":
            return run.experiment_name
        case "project":
            return run.project_slug
        case "dataset":
            return ", ".join(cells.datasets.get(run.id, [])) or None
        case _:
            return str(ReviewState(run.review_state).label)
