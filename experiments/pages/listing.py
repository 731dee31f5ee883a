"""Short lists of runs, as home and project overview show them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Project
from experiments.models import MetricSeries, Run
from experiments.pages.figures import Figures, figures_of, weight_of
from experiments.queries.overview import directions_in, metrics_of
from kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Line:
    """One run and the one metric that speaks for it."""

    run: Run
    url: str
    metric: Figures | None


def lines_of(viewer: Actor, runs: Sequence[Run]) -> list[Line]:
    """The runs with the metric that tells most: two queries more for any number of runs."""
    directions = directions_in(viewer, {run.project for run in runs})
    measured: dict[int, list[MetricSeries]] = defaultdict(list)
    for series in metrics_of(viewer, runs):
        measured[series.run_id].append(series)
    return [
        Line(
            run,
            reverse("experiments:run", args=[run.uid.hex]),
            _headline(run, measured[run.pk], directions[run.project_id]),
        )
        for run in runs
    ]


def _headline(run: Run, measured: Sequence[MetricSeries], directions: Mapping[str, bool]) -> Figures | None:
    goal = run.project.goal_metric
    first = min(measured, key=lambda one: weight_of(one.key, goal=goal, directions=directions), default=None)
    return None if first is None else figures_of(first, directions.get(first.key))


def tracking_uri(request: HttpRequest, project: Project) -> str:
    """What a script of this project puts into MLFLOW_TRACKING_URI."""
    return request.build_absolute_uri(f"/mlflow/{project.slug}")
