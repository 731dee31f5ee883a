"""What stands before a job in its queue, and when its turn may come: guessed from jobs like those that are ahead."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from kernel.actor import Actor
from kernel.clock import now
from runner.models import Job, Worker
from runner.waiting import is_there, wait_for

LATELY: Final = 200  # jobs that are over, from which is told how long such jobs take
AHEAD_MAX: Final = 2000  # jobs ahead that are reckoned with one by one


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job stands. position: 1 for the next; ahead: how many wait before it; workers_free: slots of its queue
    that nobody has; expected_seconds: until it begins, None where nothing like it was ever done or nobody serves it."""

    position: int
    ahead: int
    workers_free: int
    expected_seconds: float | None


def standing(viewer: Actor, job: Job) -> Standing | None:
    """Where a job that waits stands in its queue; None where it waits no more, or the viewer may not see it.

    Of the jobs of others only their number is told.
    """
    waiting = Job.objects.visible_to(viewer).filter(pk=job.pk, state=Job.State.QUEUED).first()
    if waiting is None:
        return None
    before = _before(waiting)
    ahead, slots = before.count(), _slots(waiting.queue)
    free = max(0, slots - _held(waiting.queue).count())
    return Standing(ahead + 1, ahead, free, _expected(waiting.queue, before, slots, free - ahead))


def positions(viewer: Actor, jobs: Collection[Job]) -> dict[UUID, int]:
    """The places of several jobs in their queues, of those that wait and that one sees; one question for each queue."""
    seen = Job.objects.visible_to(viewer).filter(pk__in=[job.pk for job in jobs], state=Job.State.QUEUED)
    mine = set(seen.values_list("pk", flat=True))
    found: dict[UUID, int] = {}
    for queue in {job.queue for job in jobs if job.pk in mine}:
        order = _in_order(queue).values_list("pk", flat=True)
        found |= {pk: place for place, pk in enumerate(order, start=1) if pk in mine}
    return found


def _in_order(queue: str) -> QuerySet[Job]:
    return Job.objects.filter(queue=queue, state=Job.State.QUEUED).order_by("-priority", "created_at", "pk")


def _before(job: Job) -> QuerySet[Job]:
    older = Q(created_at__lt=job.created_at) | Q(created_at=job.created_at, pk__lt=job.pk)
    return _in_order(job.queue).filter(Q(priority__gt=job.priority) | Q(priority=job.priority) & older)


def _held(queue: str) -> QuerySet[Job]:
    return Job.objects.filter(queue=queue, lease__isnull=False).order_by()


def _serving() -> list[Worker]:
    """The workers that take jobs now."""
    return [worker for worker in Worker.objects.filter(left_at=None, is_draining=False) if is_there(worker)]


def _slots(queue: str) -> int:
    return sum(worker.slots for worker in _serving() if queue in worker.queues)


def _expected(queue: str, before: QuerySet[Job], slots: int, left: int) -> float | None:
    if slots == 0:
        return None
    if left > 0:
        return 0.0
    usual = _usual(queue)
    if not usual:
        return None
    moment = now()
    under_way = [
        max(0.0, usual.get(recipe, usual[None]) - ((moment - begun).total_seconds() if begun else 0.0))
        for recipe, begun in _held(queue).values_list("recipe", "started_at")
    ]
    ahead = [usual.get(recipe, usual[None]) for recipe in before.values_list("recipe", flat=True)[:AHEAD_MAX]]
    return wait_for(slots, under_way, ahead)


def _usual(queue: str) -> Mapping[UUID | None, float]:
    """Seconds that a job of this queue took lately, by recipe; under None that of any."""
    rows = Job.objects.filter(queue=queue, state=Job.State.FINISHED, started_at__isnull=False).order_by("-created_at")
    took: dict[UUID | None, list[float]] = defaultdict(list)
    for recipe, begun, ended in rows.values_list("recipe", "started_at", "ended_at")[:LATELY]:
        if ended is not None:
            seconds = (ended - begun).total_seconds()
            took[recipe].append(seconds)
            took[None].append(seconds)
    return {recipe: median(seconds) for recipe, seconds in took.items()}
