"""The run table as rows of values: all runs that match, read page by page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from accounts.models import Project
from experiments.exporting.fields import Field, Kind, Value
from experiments.queries.overview import directions_of
from experiments.queries.search import FoundRun, View, search_runs
from experiments.queries.table import Cells, cells_of
from experiments.values import ReviewState
from kernel.actor import Actor

_PAGE = 1_000

# What every export begins with, so that a row can be found again.
IDENTITY = (
    Field("run_id"),
    Field("id"),
    Field("name"),
    Field("status"),
)
SYSTEM_FIELDS = {
    "created": Field("started", Kind.TIME),
    "ended": Field("ended", Kind.TIME),
    "duration": Field("duration_ms", Kind.INTEGER),
    "user": Field("user"),
    "claimed": Field("claimed_user"),
    "dataset": Field("datasets"),
    "source": Field("git_commit"),
    "script": Field("source"),
    "experiment": Field("experiment"),
    "project": Field("project"),
    "verdict": Field("verdict"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which columns: keys of SYSTEM_FIELDS, names of params and tags, and metrics as (name, figure)."""

    system: Sequence[str]
    metrics: Sequence[tuple[str, str]]
    params: Sequence[str]
    tags: Sequence[str]

    @property
    def fields(self) -> list[Field]:
        """The head of the table; metrics are 'metrics.loss' as in a query."""
        return [
            *IDENTITY,
            *(SYSTEM_FIELDS[key] for key in self.system),
            *(Field(_metric_name(*metric), Kind.NUMBER) for metric in self.metrics),
            *(Field(f"params.{name}") for name in self.params),
            *(Field(f"tags.{name}") for name in self.tags),
        ]


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
    is_asked = any(figure == "best" for _, figure in wanted.metrics)
    ways = directions_of(viewer, project) if is_asked else {}
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
        cells = cells_of(
            viewer,
            [run.id for run in page.rows],
            metrics=list({name for name, _ in wanted.metrics}),
            params=wanted.params,
            tags=wanted.tags,
            datasets="dataset" in wanted.system,
        )
        for run in page.rows:
            yield _row(run, cells, wanted, ways)
        after = page.next_token
        if after is None:
            return


def _metric_name(name: str, figure: str) -> str:
    return f"metrics.{name}" if figure == "last" else f"{figure}(metrics.{name})"


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
