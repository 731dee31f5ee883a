"""The cells of a page of runs, and the columns that a project's runs offer. Only what is shown is read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet
from django.db.models.functions import Left

from accounts.models import Project
from experiments.models import MetricSeries, Param, Run, RunInput, RunTag
from experiments.queries.record import small_curves
from experiments.values import Lifecycle
from kernel.actor import Actor

OFFER_FROM = 200  # newest runs whose names of metrics, params and tags are offered: as columns, in the query line
OFFERED_MAX = 300
SPARK_POINTS = 2_000  # the longest curve that a row of the table draws


class Measured(NamedTuple):
    """A metric's figures in one run; NaN where it has only NaN."""

    last: float
    low: float
    high: float

    def figure(self, figure: str, higher_is_better: bool | None) -> float | None:
        """last, min, max or best; None for the best of a metric of which nobody said which way is better."""
        if figure == "best":
            return None if higher_is_better is None else self.high if higher_is_better else self.low
        return {"last": self.last, "min": self.low, "max": self.high}[figure]


@dataclass(frozen=True, slots=True)
class Cells:
    """Values by (run, name). datasets: the names of versions by run."""

    metrics: dict[tuple[int, str], Measured] = field(default_factory=dict)
    params: dict[tuple[int, str], str] = field(default_factory=dict)
    tags: dict[tuple[int, str], str] = field(default_factory=dict)
    datasets: dict[int, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Names:
    """What runs hold: each name with how many of the runs looked at have it. varying: how many
    values each param has that has several."""

    runs: int
    metrics: dict[str, int]
    params: dict[str, int]
    tags: dict[str, int]
    varying: dict[str, int]

    def share(self, count: int) -> float:
        """How common that is among the runs looked at, in quarters: small differences mean nothing."""
        return round(4 * count / self.runs) / 4 if self.runs else 0.0


def cells_of(
    viewer: Actor,
    runs: Sequence[int],
    *,
    metrics: Sequence[str] = (),
    params: Sequence[str] = (),
    tags: Sequence[str] = (),
    datasets: bool = False,
) -> Cells:
    """The cells of these runs (by primary key) for these columns: one query per kind that is asked for."""
    cells = Cells()
    if not runs:
        return cells
    if metrics:
        rows = _of(MetricSeries, viewer, runs, metrics).filter(context="")
        for run, key, *values in rows.values_list("run_id", "key", "last_value", "min_value", "max_value"):
            cells.metrics[run, key] = Measured(*(math.nan if value is None else value for value in values))
    for model, keys, found in ((Param, params, cells.params), (RunTag, tags, cells.tags)):
        if keys:
            found.update(
                {
                    (run, key): value
                    for run, key, value in _of(model, viewer, runs, keys).values_list("run_id", "key", "value")
                }
            )
    if datasets:
        inputs = rows_of(viewer, RunInput, runs).select_related("dataset_version__dataset")
        for one in inputs.order_by("dataset_version__dataset__name"):
            cells.datasets.setdefault(one.run_id, []).append(str(one.dataset_version))
    return cells


def sparks_of(viewer: Actor, runs: Sequence[int], key: str) -> dict[int, list[float]]:
    """A few values of a metric of each of these runs, for small curves. Long ones are left out: see SPARK_POINTS."""
    series = list(_of(MetricSeries, viewer, runs, [key]).filter(context=""))
    small = small_curves(series, most=SPARK_POINTS)
    return {one.run_id: small[one.pk] for one in series if one.pk in small}


def _of(model: Any, viewer: Actor, runs: Sequence[int], keys: Sequence[str]) -> "QuerySet[Any]":
    return rows_of(viewer, model, runs).filter(key__in=keys)


def rows_of(viewer: Actor, model: Any, runs: Sequence[int]) -> "QuerySet[Any]":
    """What these runs hold, of those that the viewer sees.

    Which they see is asked of the runs by themselves: joined to the rows, SQLite began with all runs of their projects
    (220,000: 0.6 s for the names in the newest 200).
    """
    seen = Run.objects.visible_to(viewer).filter(pk__in=list(runs))
    found: QuerySet[Any] = model.objects.filter(run__in=seen.values("pk"))
    return found


def offered_names(viewer: Actor, project: Project | None, *, experiments: Sequence[int] | None = None) -> Names:
    """The names that the newest runs in scope use: what a column picker offers. One query per kind."""
    newest = newest_in(viewer, project, experiments)
    params = rows_of(viewer, Param, newest).order_by("key").values("key")
    values = params.annotate(runs=Count("run"), values=Count(Left("value", 40), distinct=True))
    counted = list(values.values_list("key", "runs", "values")[:OFFERED_MAX])
    return Names(
        runs=len(newest),
        metrics=names_among(rows_of(viewer, MetricSeries, newest).filter(context=""), OFFERED_MAX),
        params={key: count for key, count, _ in counted},
        tags=names_among(rows_of(viewer, RunTag, newest), OFFERED_MAX),
        varying={key: different for key, _, different in counted if different > 1},
    )


def newest_in(viewer: Actor, project: Project | None, experiments: Sequence[int] | None) -> list[int]:
    """The runs whose names are offered, by primary key: the newest in scope, of all projects where none is named."""
    runs = Run.objects.visible_to(viewer).filter(lifecycle=Lifecycle.ACTIVE)
    if project is not None:
        runs = runs.filter(project=project)
    if experiments is not None:
        runs = runs.filter(experiment__in=experiments)
    return list(runs.order_by("-id").values_list("pk", flat=True)[:OFFER_FROM])


def names_among(rows: "QuerySet[Any]", most: int) -> dict[str, int]:
    """The first keys of rows that runs have, each with how many of the runs have it."""
    counted = rows.order_by("key").values("key").annotate(runs=Count("run"))
    return dict(counted.values_list("key", "runs")[:most])


def all_names(
    viewer: Actor,
    project: Project | None,
    *,
    experiments: Sequence[int] | None = None,
    runs: Sequence[int] | None = None,
) -> tuple[list[str], list[str], list[str]]:
    """Every name of a metric, a param and a tag that the runs in scope have. Reads all their keys: for an export.

    runs: only of these, by primary key.
    """
    found = []
    for model in (MetricSeries, Param, RunTag):
        rows = model.objects.visible_to(viewer)
        if project is not None:
            rows = rows.filter(run__project=project)
        if experiments is not None:
            rows = rows.filter(experiment__in=experiments)
        if runs is not None:
            rows = rows.filter(run__in=runs)
        if model is MetricSeries:
            rows = rows.filter(context="")
        found.append(sorted(rows.values_list("key", flat=True).distinct()))
    metrics, params, tags = found
    return metrics, params, tags
