"""The params of many runs beside one of their results: what an analysis of them reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models.functions import Left

from accounts.models import Project
from experiments.compare.correlation import Floats
from experiments.compare.matrix import Figure
from experiments.models import MetricSeries, Param
from experiments.queries.search import FoundRun, View, search_runs
from kernel.actor import Actor

RUNS_MAX = 2_000
PARAMS_MAX = 60
_TEXT = 200  # characters of a value: longer ones are no levels of a parameter


@dataclass(frozen=True, slots=True)
class Gathered:
    """Runs in the order found. params: by name a value for each run, None where it has none. more: more match."""

    runs: list[FoundRun]
    params: dict[str, list[str | None]]
    more: bool


def gather(viewer: Actor, project: Project, *, experiments: Sequence[int] | None, text: str, view: View) -> Gathered:
    """The newest RUNS_MAX runs that match, with their params. Raises QueryError as the search does."""
    page = search_runs(viewer, project=project, experiments=experiments, text=text, view=view, limit=RUNS_MAX)
    place = {run.id: at for at, run in enumerate(page.rows)}
    rows = Param.objects.visible_to(viewer).filter(run__in=list(place)).annotate(short=Left("value", _TEXT))
    params: dict[str, list[str | None]] = {}
    for run, key, value in rows.values_list("run_id", "key", "short").iterator(chunk_size=5_000):
        params.setdefault(key, [None] * len(place))[place[run]] = value
    return Gathered(list(page.rows), dict(sorted(params.items())), page.next_token is not None)


def offered_results(viewer: Actor, runs: Sequence[FoundRun]) -> list[str]:
    """The metrics that these runs have, each name once."""
    rows = MetricSeries.objects.visible_to(viewer).filter(run__in=[run.id for run in runs], context="")
    return sorted(rows.values_list("key", flat=True).distinct())


def results_of(
    viewer: Actor, runs: Sequence[FoundRun], key: str, figure: Figure, higher_is_better: bool | None
) -> Floats:
    """One figure of a metric for each run, NaN where a run has none. Without a direction the best is the last."""
    column = {Figure.MIN: "min_value", Figure.MAX: "max_value"}.get(figure, "last_value")
    if figure is Figure.BEST and higher_is_better is not None:
        column = "max_value" if higher_is_better else "min_value"
    rows = MetricSeries.objects.visible_to(viewer).filter(run__in=[run.id for run in runs], key=key, context="")
    found = dict(rows.values_list("run_id", column))
    values = (found.get(run.id) for run in runs)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
