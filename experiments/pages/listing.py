"""Short lists of runs, as home and project overview show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Project
from experiments.models import Run
from experiments.pages.figures import Figures, figures_of
from experiments.queries.overview import headline_metrics
from kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Line:
    """One run and the one metric that speaks for it."""

    run: Run
    url: str
    metric: Figures | None


def lines_of(viewer: Actor, runs: Sequence[Run]) -> list[Line]:
    """The runs with their headline metric: one query more for any number of runs."""
    metrics = headline_metrics(viewer, runs)
    return [
        Line(
            run,
            reverse("experiments:run", args=[run.uid.hex]),
            figures_of(metrics[run.pk]) if run.pk in metrics else None,
        )
        for run in runs
    ]


def tracking_uri(request: HttpRequest, project: Project) -> str:
    """What a script of this project puts into MLFLOW_TRACKING_URI."""
    return request.build_absolute_uri(f"/mlflow/{project.slug}")
