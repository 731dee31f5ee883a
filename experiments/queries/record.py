"""What one run holds, part by part: each page reads only the parts that it shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Project
from artifacts.models import ArtifactFile
from experiments.metrics.batch import Points
from experiments.metrics.downsample import Curve, sample
from experiments.metrics.store import history, history_of_many
from experiments.models import MetricDirection, MetricSeries, Param, Run, RunInput, RunTag
from kernel.actor import Actor
from kernel.errors import Invalid, NotFound

SYSTEM_PREFIX = "system/"
BUCKETS_MAX = 2_000
SPARK_BUCKETS = 16


def params_of(viewer: Actor, run: Run) -> QuerySet[Param]:
    """The run's parameters by name."""
    return cast("QuerySet[Param]", Param.objects.visible_to(viewer).filter(run=run).order_by("key"))


def tags_of(viewer: Actor, run: Run) -> QuerySet[RunTag]:
    """The run's tags by name."""
    return cast("QuerySet[RunTag]", RunTag.objects.visible_to(viewer).filter(run=run).order_by("key"))


def series_of(viewer: Actor, run: Run) -> QuerySet[MetricSeries]:
    """The run's metrics with their summaries, by name."""
    return cast(
        "QuerySet[MetricSeries]", MetricSeries.objects.visible_to(viewer).filter(run=run).order_by("key", "context")
    )


def inputs_of(viewer: Actor, run: Run) -> QuerySet[RunInput]:
    """The dataset versions that went into the run."""
    inputs = RunInput.objects.visible_to(viewer).filter(run=run).select_related("dataset_version__dataset")
    return cast("QuerySet[RunInput]", inputs.order_by("context", "dataset_version__dataset__name"))


def children_of(viewer: Actor, run: Run) -> QuerySet[Run]:
    """The runs nested in this one that are not deleted."""
    return cast("QuerySet[Run]", Run.objects.visible_to(viewer).filter(parent=run, lifecycle="active"))


def directions_of(viewer: Actor, project: Project) -> dict[str, bool]:
    """Metric name to whether higher is better, where the project said so."""
    said = MetricDirection.objects.visible_to(viewer).filter(project=project)
    return dict(said.values_list("key", "higher_is_better"))


def curve_of(
    viewer: Actor,
    run: Run,
    key: str,
    *,
    context: str = "",
    buckets: int = 200,
    by_time: bool = False,
    window: tuple[float, float] | None = None,
) -> Curve:
    """One metric of the run thinned for a screen. Raises NotFound where the run has no such metric."""
    if not 1 <= buckets <= BUCKETS_MAX:
        raise Invalid(f"A curve comes in 1 to {BUCKETS_MAX:,} buckets, not {buckets:,}.", field="buckets")
    points = history_of(viewer, run, key, context=context)
    return sample(points, buckets, by_time=by_time, window=window)


def history_of(viewer: Actor, run: Run, key: str, *, context: str = "") -> Points:
    """Every point of one metric of the run. Raises NotFound where the run has no such metric."""
    series = series_of(viewer, run).filter(key=key, context=context).first()
    if series is None:
        raise NotFound(f"The run {run.name} has no metric '{key}'.")
    return history(series)


def small_curves(series: Sequence[MetricSeries]) -> dict[int, list[float]]:
    """A few finite values of each series, by its id, for a curve without axes. The series were read for the viewer."""
    thinned = {pk: sample(points, SPARK_BUCKETS) for pk, points in history_of_many(series).items()}
    return {pk: [float(value) for value in curve.y if abs(value) < float("inf")] for pk, curve in thinned.items()}


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of each kind a run holds."""

    params: int
    curves: int
    system: int
    files: int
    inputs: int


def counts_of(viewer: Actor, run: Run) -> Counts:
    """All counts in one query."""
    system = Q(key__startswith=SYSTEM_PREFIX)
    row = (
        Run.objects.visible_to(viewer)
        .filter(pk=run.pk)
        .values_list(
            _counted(Param.objects.filter(run=OuterRef("pk")), "run"),
            _counted(MetricSeries.objects.filter(~system, run=OuterRef("pk")), "run"),
            _counted(MetricSeries.objects.filter(system, run=OuterRef("pk")), "run"),
            _counted(ArtifactFile.objects.filter(root=OuterRef("artifact_root")), "root"),
            _counted(RunInput.objects.filter(run=OuterRef("pk")), "run"),
        )
        .get()
    )
    return Counts(*row)


def _counted(rows: "QuerySet[Any]", by: str) -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values(by).annotate(n=Count("*")).values("n")), 0)
