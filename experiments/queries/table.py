"""The cells of a page of runs, and the columns that a project's runs offer. Only what is shown is read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from accounts.models import Project
from experiments.models import MetricSeries, Param, Run, RunInput, RunTag
from experiments.values import Lifecycle
from kernel.actor import Actor

OFFER_FROM = 200  # newest runs whose names of metrics, params and tags are offered as columns
OFFERED_MAX = 300


@dataclass(frozen=True, slots=True)
class Cells:
    """Values by (run, name). datasets: the names of versions by run."""

    metrics: dict[tuple[int, str], float] = field(default_factory=dict)
    params: dict[tuple[int, str], str] = field(default_factory=dict)
    tags: dict[tuple[int, str], str] = field(default_factory=dict)
    datasets: dict[int, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Names:
    """What runs hold, by name, each in order."""

    metrics: list[str]
    params: list[str]
    tags: list[str]


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
        for run, key, value in rows.values_list("run_id", "key", "last_value"):
            cells.metrics[run, key] = math.nan if value is None else value
    for model, keys, found in ((Param, params, cells.params), (RunTag, tags, cells.tags)):
        if keys:
            found.update(
                {
                    (run, key): value
                    for run, key, value in _of(model, viewer, runs, keys).values_list("run_id", "key", "value")
                }
            )
    if datasets:
        inputs = RunInput.objects.visible_to(viewer).filter(run__in=runs).select_related("dataset_version__dataset")
        for one in inputs.order_by("dataset_version__dataset__name"):
            cells.datasets.setdefault(one.run_id, []).append(str(one.dataset_version))
    return cells


def _of(model: Any, viewer: Actor, runs: Sequence[int], keys: Sequence[str]) -> "QuerySet[Any]":
    found: QuerySet[Any] = model.objects.visible_to(viewer).filter(run__in=runs, key__in=keys)
    return found


def offered_names(viewer: Actor, project: Project, *, experiments: Sequence[int] | None = None) -> Names:
    """The names that the newest runs in scope use: what a column picker offers. One query per kind."""
    runs = Run.objects.visible_to(viewer).filter(project=project, lifecycle=Lifecycle.ACTIVE)
    if experiments is not None:
        runs = runs.filter(experiment__in=experiments)
    newest = list(runs.order_by("-id").values_list("pk", flat=True)[:OFFER_FROM])
    return Names(
        metrics=_names(MetricSeries.objects.visible_to(viewer).filter(run__in=newest, context="")),
        params=_names(Param.objects.visible_to(viewer).filter(run__in=newest)),
        tags=_names(RunTag.objects.visible_to(viewer).filter(run__in=newest)),
    )


def _names(rows: "QuerySet[Any]") -> list[str]:
    return list(rows.order_by("key").values_list("key", flat=True).distinct()[:OFFERED_MAX])
