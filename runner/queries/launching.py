"""What the pages of launching and waiting need to know of jobs, beyond one of them."""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.models import Project
from artifacts.models import DatasetVersion, VersionRecord
from kernel.actor import Actor
from kernel.clock import now
from runner.models import Job, JobOutput, Worker
from runner.queries.jobs import jobs_of
from runner.recipes import DEFAULT_QUEUE, Draft
from runner.waiting import cards_of, is_there

NEXT_FIRST: Final = ("-priority", "created_at", "pk")  # as workers take them
VERSIONS_OFFERED: Final = 200
LIKE_RUNS: Final = 20
COUNTS_WORK: Final = ("epochs", "max_epochs", "num_epochs", "max_steps", "steps", "iterations", "n_estimators")
LATELY: Final = dt.timedelta(days=7)
TOLD_FOR: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Tries:
    """The job that this one tries again, and the one that tries this again, as far as the viewer sees them."""

    before: Job | None
    after: Job | None


@dataclass(frozen=True, slots=True)
class Expected:
    """How long jobs like one took: their median in seconds, and how many there were. is_most: some had less to do and
    count so many times longer; what takes its time once does not grow, so it is at most that."""

    seconds: float
    jobs: int
    is_most: bool = False


def tries_of(viewer: Actor, job: Job) -> Tries:
    """What a job was tried again as, and what it tries again."""
    seen = Job.objects.visible_to(viewer).select_related("run")
    before = seen.filter(pk=job.retry_of_id).first() if job.retry_of_id else None
    return Tries(before, None if job.is_open else seen.filter(retry_of=job).first())


def has_output(viewer: Actor, job: Job) -> bool:
    """Whether it printed anything yet."""
    return JobOutput.objects.visible_to(viewer).filter(job=job).exists()


def my_open_jobs(viewer: Actor, project: Project | None = None) -> QuerySet[Job]:
    """What the viewer asked for and is not over, the newest first."""
    return jobs_of(viewer, project, state="open", mine=True)


def my_jobs_now(viewer: Actor) -> QuerySet[Job]:
    """The same, with what somebody else stopped of it within a day."""
    return jobs_of(viewer, mine=True).filter(Q(state__in=Job.OPEN) | _stopped_by_others(viewer))


def my_numbers_now(viewer: Actor) -> tuple[int, int]:
    """How many of those are not over, and how many somebody else stopped."""
    stopped = Count("pk", filter=~Q(state__in=Job.OPEN))
    found = my_jobs_now(viewer).order_by().aggregate(all=Count("pk"), stopped=stopped)
    return found["all"] - found["stopped"], found["stopped"]


def _stopped_by_others(viewer: Actor) -> Q:
    stopped = Q(state=Job.State.STOPPED, stop_asked_by__isnull=False, ended_at__gte=now() - TOLD_FOR)
    return stopped & ~Q(stop_asked_by=viewer.user_id)


def open_number(viewer: Actor, project: Project) -> int:
    """How many jobs of the project wait or are under way, as far as the viewer sees them."""
    return Job.objects.visible_to(viewer).filter(project=project, state__in=Job.OPEN).count()


def numbers_by_state(viewer: Actor, project: Project) -> dict[str, int]:
    """How many jobs the project has in each state; of those that are over, only the ones of the last week."""
    seen = Job.objects.visible_to(viewer).filter(project=project)
    open_ones = seen.filter(state__in=Job.OPEN).values_list("state").annotate(number=Count("pk"))
    over = seen.filter(state__in=Job.OVER, created_at__gte=now() - LATELY)
    return {**dict(open_ones), **dict(over.values_list("state").annotate(number=Count("pk")))}


def queues_of(viewer: Actor, project: Project) -> list[str]:
    """The queues in which jobs of the project wait or are under way."""
    seen = Job.objects.visible_to(viewer).filter(project=project, state__in=Job.OPEN)
    return sorted(seen.values_list("queue", flat=True).distinct())


def expected_time(viewer: Actor, project: Project, draft: Draft) -> Expected | None:
    """How long finished jobs of the same kind of recipe took: the same trainer, or the same code. None for none."""
    same = Job.objects.visible_to(viewer).filter(
        project=project,
        state=Job.State.FINISHED,
        recipe__kind=draft.kind,
        recipe__trainer=draft.trainer,
        recipe__repository=draft.repository,
        recipe__code=draft.code or None,
    )
    spans = list(same.order_by("-created_at").values_list("started_at", "ended_at", "recipe__params")[:LIKE_RUNS])
    more = [_times_more(draft.params, params) for _, _, params in spans]
    took = [
        (ended - started).total_seconds() * times
        for (started, ended, _), times in zip(spans, more, strict=True)
        if started and ended
    ]
    return Expected(median(took), len(took), is_most=any(times > 1 for times in more)) if took else None


def _times_more(wanted: Mapping[str, Any], then: Mapping[str, Any]) -> float:
    """How many times more there is to do than then, by the parameter that counts it; 1 where it is less or unknown."""
    for name in COUNTS_WORK:
        try:
            times = float(wanted[name]) / float(then[name])
        except (KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError):
            continue
        if math.isfinite(times):
            return max(1.0, times)
    return 1.0


# --- What the form offers


@dataclass(frozen=True, slots=True)
class QueueOffer:
    """A queue that workers serve now. slots: jobs that they do at once; free: those that nobody has; cards: graphics
    cards of that one of them which has the most."""

    name: str
    workers: int
    slots: int
    free: int
    cards: int = 0


def queues_offered() -> list[QueueOffer]:
    """The queues that workers serve now, the default first. Workers are of the whole site; how busy they are is told
    as a number."""
    there = [worker for worker in Worker.objects.filter(left_at=None, is_draining=False) if is_there(worker)]
    names = {name for worker in there for name in worker.queues}
    held = dict(
        Job.objects.filter(queue__in=names, lease__isnull=False).order_by().values_list("queue").annotate(Count("pk"))
    )
    offers = []
    for name in sorted(names, key=lambda one: (one != DEFAULT_QUEUE, one)):
        serving = [worker for worker in there if name in worker.queues]
        slots, cards = sum(worker.slots for worker in serving), max(cards_of(worker) for worker in serving)
        offers.append(QueueOffer(name, len(serving), slots, max(0, slots - held.get(name, 0)), cards))
    return offers


def versions_to_use(viewer: Actor, project: Project) -> list[DatasetVersion]:
    """Versions of the catalogue that a job may be given: not recalled, the newest first."""
    rows: QuerySet[DatasetVersion] = DatasetVersion.objects.visible_to(viewer).filter(dataset__project=project)
    rows = rows.exclude(record__state=VersionRecord.State.WITHDRAWN)
    rows = rows.select_related("dataset__project", "record", "computed").defer("computed__columns")
    return list(rows.order_by("-created_at", "-number")[:VERSIONS_OFFERED])


def versions_by_id(viewer: Actor, project: Project, ids: Iterable[str]) -> list[DatasetVersion]:
    """These versions, recalled ones too, as far as the viewer sees them."""
    rows: QuerySet[DatasetVersion] = DatasetVersion.objects.visible_to(viewer).filter(dataset__project=project)
    wanted = [uid for text in ids if (uid := _uuid(text)) is not None]
    known = rows.filter(pk__in=wanted).select_related("dataset__project", "record", "computed")
    return list(known.defer("computed__columns")) if wanted else []


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
