"""A project at a glance: its newest runs, its numbers, its experiments."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery

from accounts.models import Project
from artifacts.models import Dataset
from experiments.models import Experiment, MetricDirection, MetricSeries, Run
from experiments.models.runs import UNFINISHED
from experiments.queries.experiments import metric_directions
from experiments.queries.record import SYSTEM_PREFIX
from experiments.queries.search import FoundCount
from experiments.refs import number_in
from experiments.search.limits import COUNT_STOP
from experiments.values import Lifecycle, RunStatus
from kernel.actor import Actor
from kernel.clock import now_ms

EXPERIMENTS_MAX = 1_000
WEEK_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Numbers:
    """Counts of a project's runs that are not deleted, up to 10,000. week: started in the last seven days; failed: of
    the runs of this week, or of the newest 10,000 of them."""

    runs: FoundCount
    running: FoundCount
    week: FoundCount
    failed: int
    experiments: int


def newest_runs(viewer: Actor, *, project: Project | None = None, limit: int = 10) -> list[Run]:
    """The runs that were made last, of one project or of all that the viewer sees."""
    runs = Run.objects.visible_to(viewer).filter(lifecycle=Lifecycle.ACTIVE)
    if project is not None:
        runs = runs.filter(project=project)
    return newest_of(runs, limit)


def newest_of(runs: "QuerySet[Run]", limit: int) -> list[Run]:
    """The last that were made of runs in sight, with what a line shows of them.

    By ids first, where the database walks from the newest; asked for whole rows, SQLite sorted 110,000 (240 ms).
    """
    newest = Run.objects.filter(pk__in=runs.order_by("-id").values("pk")[:limit])
    return list(newest.select_related("project", "experiment", "created_by").order_by("-id"))


def numbers_of(viewer: Actor, project: Project) -> Numbers:
    """How many runs and experiments the project has.

    Each number is read from a stretch of an index that ends with the count: of a million runs, all of them took 470 ms.
    """
    runs = Run.objects.visible_to(viewer).filter(project=project, lifecycle=Lifecycle.ACTIVE)
    week = runs.filter(started_ms__gte=now_ms() - WEEK_MS)
    newest = week.order_by("-started_ms").values("status")[:COUNT_STOP]
    failed = newest.aggregate(failed=Count("status", filter=Q(status=RunStatus.FAILED)))["failed"]
    experiments = Experiment.objects.visible_to(viewer).filter(project=project, lifecycle=Lifecycle.ACTIVE)
    return Numbers(
        runs=_counted(runs),
        running=_counted(_going(runs)),
        week=_counted(week),
        failed=failed,
        experiments=experiments.count(),
    )


def _going(runs: "QuerySet[Run]") -> "QuerySet[Run]":
    return runs.filter(UNFINISHED, status=RunStatus.RUNNING)


def _counted(runs: "QuerySet[Run]") -> FoundCount:
    """How many there are; counting stops where that of a search does."""
    return FoundCount.of(runs.order_by().values("pk")[: COUNT_STOP + 1].count())


def metrics_of(viewer: Actor, runs: Sequence[Run]) -> list[MetricSeries]:
    """What these runs measured themselves, by name: one query for any number of runs."""
    series = (
        MetricSeries.objects.visible_to(viewer)
        .filter(run__in=[run.pk for run in runs], context="")
        .exclude(key__startswith=SYSTEM_PREFIX)
        .order_by("key")
    )
    return list(series)


def directions_in(viewer: Actor, projects: Iterable[Project]) -> dict[UUID, dict[str, bool]]:
    """What each project says of its metrics: higher is better, or lower."""
    found: dict[UUID, dict[str, bool]] = {project.pk: {} for project in projects}
    said = MetricDirection.objects.visible_to(viewer).filter(project__in=list(found))
    for project, key, higher in said.values_list("project_id", "key", "higher_is_better"):
        found[project][key] = higher
    return found


def agreed_directions(viewer: Actor, projects: Iterable[Project]) -> dict[str, bool]:
    """Which way each metric is better, where those of the projects that say so agree."""
    said: dict[str, set[bool]] = {}
    for directions in directions_in(viewer, projects).values():
        for key, higher in directions.items():
            said.setdefault(key, set()).add(higher)
    return {key: ways.pop() for key, ways in said.items() if len(ways) == 1}


def directions_of(viewer: Actor, project: Project | None) -> dict[str, bool]:
    """Which way each metric is better in a project; without one, where all projects in sight agree."""
    if project is not None:
        return metric_directions(viewer, project)
    return agreed_directions(viewer, Project.objects.visible_to(viewer))


def experiments_of(
    viewer: Actor, project: Project, *, lifecycle: str | None = Lifecycle.ACTIVE
) -> QuerySet[Experiment]:
    """The project's experiments by name. lifecycle: None for deleted ones as well."""
    experiments = Experiment.objects.visible_to(viewer).filter(project=project).order_by("name")
    return cast("QuerySet[Experiment]", experiments.filter(lifecycle=lifecycle) if lifecycle else experiments)


def experiments_by_key(viewer: Actor, keys: Sequence[int]) -> QuerySet[Experiment]:
    """Those of these experiments that the viewer sees, of any project, by name."""
    return cast("QuerySet[Experiment]", Experiment.objects.visible_to(viewer).filter(pk__in=keys).order_by("name"))


class _Counted(Subquery):
    """How many rows a query finds that names columns of the one around it."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def experiments_with_runs(viewer: Actor, project: Project, *, lifecycle: str | None, limit: int) -> list[Any]:
    """Experiments with `run_count` and `last_ms`: their runs that are not deleted, up to COUNT_STOP and one, and
    the latest start of those.

    Each from its own stretch of the index of newest runs, which holds all that is asked: joined and grouped, every run
    was read.
    """
    live = Run.objects.filter(experiment=OuterRef("pk"), lifecycle=Lifecycle.ACTIVE).order_by()
    newest = live.filter(started_ms__isnull=False).order_by("-started_ms").values("started_ms")[:1]
    counted = experiments_of(viewer, project, lifecycle=lifecycle).annotate(
        run_count=_Counted(live.values("lifecycle")[: COUNT_STOP + 1]), last_ms=Subquery(newest)
    )
    return list(counted[:limit])


def running_now(viewer: Actor) -> FoundCount:
    """How many runs are going in all that the viewer sees, up to 10,000."""
    return _counted(_going(Run.objects.visible_to(viewer).filter(lifecycle=Lifecycle.ACTIVE)))


@dataclass(frozen=True, slots=True)
class Named:
    """What has a text in its name: at most JUMP_MAX of each kind. is_whole: older runs were looked at, too."""

    runs: list[Run]
    experiments: list[Experiment]
    datasets: list[Dataset]
    projects: list[Project]
    is_whole: bool

    @property
    def any(self) -> bool:
        return bool(self.runs or self.experiments or self.datasets or self.projects)


JUMP_MAX = 12
NEWEST = 200_000  # runs whose names are looked at while somebody types: a million names took 290 ms with each letter
_START_OF_UID = re.compile(r"[0-9a-f]{6,31}")


def named_like(viewer: Actor, text: str, *, newest: int | None = None) -> Named:
    """Runs, experiments, datasets and projects with each word of this text in their name, newest first.

    The beginning of a run's id, six digits or more, and the number of an experiment find them as well. newest: of runs
    only those among the last so many that were logged here are looked at, and older ones not.
    """
    words = text.split()
    runs = Run.objects.visible_to(viewer).filter(lifecycle=Lifecycle.ACTIVE)
    begun, is_whole = _begun(runs, text), True
    if newest is not None:
        last = Run.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        runs, is_whole = runs.filter(pk__gt=last - newest), last <= newest
    experiments = Experiment.objects.visible_to(viewer).filter(lifecycle=Lifecycle.ACTIVE)
    number = number_in(text)
    numbered = Q() if number is None else Q(pk=number)
    by_name = _each(words, "name")
    return Named(
        runs=begun + list(runs.filter(by_name).select_related("project").order_by("-id")[:JUMP_MAX]),
        experiments=list(
            experiments.filter(by_name | numbered if numbered else by_name)
            .select_related("project")
            .order_by("-id")[:JUMP_MAX]
        ),
        datasets=list(
            Dataset.objects.visible_to(viewer)
            .filter(by_name)
            .select_related("project")
            .order_by("-created_at")[:JUMP_MAX]
        ),
        projects=list(
            Project.objects.visible_to(viewer)
            .filter(by_name | _each(words, "slug") | Q(key__iexact=text))
            .order_by("name")[:JUMP_MAX]
        ),
        is_whole=is_whole,
    )


def _each(words: Sequence[str], field: str) -> Q:
    """Every word stands in it, whatever the case."""
    return Q(*(Q(**{f"{field}__icontains": word}) for word in words))


def _begun(runs: "QuerySet[Run]", text: str) -> list[Run]:
    """The runs whose id begins so: a stretch of its index."""
    start = text.lower()
    if not _START_OF_UID.fullmatch(start):
        return []
    low, high = UUID(start.ljust(32, "0")), UUID(start.ljust(32, "f"))
    return list(runs.filter(uid__gte=low, uid__lte=high).select_related("project").order_by("uid")[:JUMP_MAX])
