"""Which runs wait for their archive, and whether the archives that were made are what the log says."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from django.db.models import Max, Sum

from accounts.access import require
from accounts.models import Project
from experiments.models import MetricArchive, MetricSegment, Run
from experiments.values import ENDED
from kernel.actor import Actor
from kernel.errors import NotFound

KEEP: Final = "content.keep"
LEAST_POINTS: Final = 1_000  # fewer take less room in the database than a file and the event of it
RUNS_AT_ONCE: Final = 10_000


def runs_to_archive(
    viewer: Actor, *, sealed_before: dt.datetime, project: Project | None = None, after: int = 0
) -> Iterator[tuple[int, list[Run]]]:
    """Ended runs that nobody wrote to since then and that have points outside of an archive, by primary key behind
    `after`: portion by portion, each with the primary key up to which it looked."""
    require(viewer, KEEP)
    newest = Run.objects.aggregate(newest=Max("pk"))["newest"] or 0
    while after < newest:
        since, after = after, min(after + RUNS_AT_ONCE, newest)
        yield after, _waiting(since, after, sealed_before, project)


def _waiting(since: int, until: int, sealed_before: dt.datetime, project: Project | None) -> list[Run]:
    runs = Run.objects.filter(pk__gt=since, pk__lte=until, status__in=ENDED, sealed_at__lt=sealed_before)
    if project is not None:
        runs = runs.filter(project=project)
    points = MetricSegment.objects.filter(series__run__in=runs, archive=None).order_by().values("series__run")
    many = points.annotate(points=Sum("count")).filter(points__gte=LEAST_POINTS).values_list("series__run", flat=True)
    return list(Run.objects.filter(pk__in=list(many)).select_related("project").order_by("pk"))


def archive_of(viewer: Actor, run: Run) -> MetricArchive | None:
    """Where the points of a run lie, if they are archived and the viewer may have its files."""
    return MetricArchive.objects.visible_to(viewer).filter(run=run).first()  # type: ignore[no-any-return]


def get_archive(viewer: Actor, run: Run) -> MetricArchive:
    """The same. Raises NotFound where there is none, Refused for who may not have the run's files."""
    require(viewer, "experiments.download", run)
    archive = archive_of(viewer, run)
    if archive is None:
        raise NotFound(f"The points of {run.readable_id} are not archived.", hint="Its curves show all of them.")
    return archive


def places_of_archive(digest: str) -> list[str]:
    """For whoever looks after content: the runs whose archived points have this content."""
    runs = MetricArchive.objects.filter(blob_id=digest).order_by("pk").values_list("run__uid", flat=True)
    return [f"run {uid.hex}: archived points" for uid in runs[:10]]
