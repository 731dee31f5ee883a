"""What this room knows of the life of runs: how long a project lets them be silent, and whose life it looks after."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final
from uuid import UUID

from django.db.models import Q

from experiments.actions.lost import take_for_dead
from experiments.models import Run
from experiments.values import Lifecycle, RunStatus
from kernel.actor import system
from kernel.clock import now
from runner.models import Job, RunnerRules, Sweep

DEEPEST: Final = 10
JUST_NOW: Final = dt.timedelta(seconds=1)


def silence_allowed() -> Mapping[UUID, int]:
    """Minutes by project, where a project has rules."""
    return dict(RunnerRules.objects.values_list("project_id", "silent_minutes"))


def looked_after() -> Q:
    """Runs of jobs that are not over, which end by their lease, and parents of sweeps that go on."""
    return Q(job__state__in=Job.OPEN) | Q(sweep__state=Sweep.State.RUNNING)


def end_nested(job_id: UUID) -> None:
    """After a job is over: what its process had begun within its run and not ended, nobody ends any more."""
    job = Job.objects.select_related("run").get(pk=job_id)
    for run in _running_within(job.run):
        take_for_dead(system(), run, since=now() + JUST_NOW, reason="The job that began it is over.")


def _running_within(run: Run, depth: int = 0) -> Iterator[Run]:
    """Nested runs that a client began and that are running still, the deepest first."""
    if depth == DEEPEST:
        return
    for child in Run.objects.filter(parent=run, lifecycle=Lifecycle.ACTIVE, locked_at=None, job=None):
        yield from _running_within(child, depth + 1)
        if child.status == RunStatus.RUNNING and child.heartbeat_at is not None:
            yield child
