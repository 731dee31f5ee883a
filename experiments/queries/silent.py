"""Running runs of which nothing was heard for longer than their project allows.

Only runs whose client was heard at all: one that was entered by hand or came with an import has no sign of life here,
and stays as its source says.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from experiments import hooks
from experiments.models import Run
from experiments.models.runs import UNFINISHED
from experiments.values import BY_HAND, Lifecycle, RunStatus
from kernel.actor import Actor
from kernel.clock import now

MINUTES = 24 * 60  # where the project says nothing
AT_ONCE = 200
GOING_ON = (RunStatus.RUNNING, RunStatus.SCHEDULED)


def silent_runs(viewer: Actor) -> Iterator[tuple[Run, dt.datetime]]:
    """Some of them, the longest silent first, each with the moment since which it should have been heard.

    One that has nested runs which go on, or went on until lately, is not dead.
    """
    allowed = _allowed()
    said = [project for projects in allowed.values() for project in projects]
    groups = [(MINUTES, ~Q(project__in=said)), *((minutes, Q(project__in=of)) for minutes, of in allowed.items())]
    for minutes, of_these in groups:
        if minutes:
            since = now() - dt.timedelta(minutes=minutes)
            for run in _silent(viewer, since).filter(of_these)[:AT_ONCE]:
                yield run, since


def _allowed() -> dict[int, list[UUID]]:
    found: dict[int, list[UUID]] = defaultdict(list)
    for say in hooks.silence_allowed:
        for project, minutes in say().items():
            found[minutes].append(project)
    return found


def _silent(viewer: Actor, since: dt.datetime) -> QuerySet[Run]:
    runs: QuerySet[Run] = Run.objects.visible_to(viewer).filter(
        UNFINISHED, status=RunStatus.RUNNING, lifecycle=Lifecycle.ACTIVE, heartbeat_at__lt=since, locked_at=None
    )
    for condition in hooks.looked_after:
        runs = runs.exclude(condition())
    return runs.exclude(source_type=BY_HAND).filter(~Exists(_living(since, OuterRef("pk")))).order_by("heartbeat_at")


def _living(since: dt.datetime, parent: Run | OuterRef) -> QuerySet[Run]:
    """The nested runs of a run that go on, or did until lately."""
    going_on = Q(status__in=GOING_ON, lifecycle=Lifecycle.ACTIVE)
    living: QuerySet[Run] = Run.objects.filter(going_on | Q(heartbeat_at__gte=since), parent=parent)
    return living


def is_silent(run: Run, since: dt.datetime) -> bool:
    """Whether that still holds, for who holds the run."""
    if run.status != RunStatus.RUNNING or run.heartbeat_at is None or run.heartbeat_at >= since:
        return False
    return not _living(since, run).exists()
