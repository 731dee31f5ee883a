"""What one run holds, at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from artifacts.models import ArtifactFile
from artifacts.storage.base import BlobDamaged
from experiments.metrics.downsample import sample
from experiments.metrics.seal import readable
from experiments.models import Comment, MetricSegment, MetricSeries, Param, Run, RunInput
from experiments.values import Lifecycle
from kernel.actor import Actor

SYSTEM_PREFIX = "system/"
SPARK_BUCKETS = 10
SPARK_POINTS = 50_000


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of each kind a run holds. children: nested runs that are not deleted; comments: those that stand."""

    params: int
    curves: int
    system: int
    files: int
    inputs: int
    children: int
    comments: int = 0


def counts_of(viewer: Actor, run: Run) -> Counts:
    """All counts in one query."""
    system = Q(key__startswith=SYSTEM_PREFIX)
    nested = Run.objects.visible_to(viewer).filter(lifecycle=Lifecycle.ACTIVE)
    row = (
        Run.objects.visible_to(viewer)
        .filter(pk=run.pk)
        .values_list(
            _counted(Param.objects.filter(run=OuterRef("pk")), "run"),
            _counted(MetricSeries.objects.filter(~system, run=OuterRef("pk"), context=""), "run"),
            _counted(MetricSeries.objects.filter(system, run=OuterRef("pk"), context=""), "run"),
            _counted(ArtifactFile.objects.filter(root=OuterRef("artifact_root")), "root"),
            _counted(RunInput.objects.filter(run=OuterRef("pk")), "run"),
            _counted(nested.filter(parent=OuterRef("pk")), "parent"),
            _counted(Comment.objects.filter(run=OuterRef("pk"), removed_at=None), "run"),
        )
        .get()
    )
    return Counts(*row)


def place_in(viewer: Actor, run: Run, parent: Run) -> tuple[int, int]:
    """Which of the parent's runs it is, in the order of their numbers, and how many there are."""
    siblings = Run.objects.visible_to(viewer).filter(parent=parent, lifecycle=Lifecycle.ACTIVE)
    row = siblings.aggregate(place=Count("pk", filter=Q(number__lte=run.number)), total=Count("pk"))
    return row["place"], row["total"]


def _counted(rows: "QuerySet[Any]", by: str) -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values(by).annotate(n=Count("*")).values("n")), 0)


def small_curves(series: Sequence[MetricSeries], *, most: int | None = None) -> dict[int, list[float]]:
    """A few finite values of each series by its id, for a curve without axes. The series were read for their viewer.

    Series of more than `most` points (SPARK_POINTS) are left out: an ornament is not worth reading them whole, and not
    worth an error where an archive is damaged.
    """
    counted = MetricSegment.objects.filter(series__in=[one.pk for one in series]).values("series")
    limit = SPARK_POINTS if most is None else most
    short = set(counted.annotate(n=Sum("count")).filter(n__lte=limit).values_list("series", flat=True))
    read = readable([one for one in series if one.pk in short])
    thinned = {one.pk: sample(points, SPARK_BUCKETS) for one, points in read if not isinstance(points, BlobDamaged)}
    return {pk: [float(value) for value in curve.y if abs(value) < float("inf")] for pk, curve in thinned.items()}
