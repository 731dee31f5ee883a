"""Workers, what is in their slots, and queues with their lengths: for those who keep them."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Min, QuerySet

from accounts.access import can, require
from accounts.models import Project
from accounts.queries.projects import my_projects
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import NotFound
from runner.models import Admission, Job, Worker
from runner.waiting import is_there

SEE: Final = "runner.see_workers"
LATELY: Final = 50  # jobs that began last, from which is told how long one waits
ADMISSIONS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class WorkerNow:
    """A worker with what it does. jobs: those that the viewer may see; busy: slots that are taken, by whomever."""

    worker: Worker
    is_there: bool
    busy: int
    jobs: Sequence[Job] = ()

    @property
    def others(self) -> int:
        """Jobs of projects that the viewer does not see."""
        return max(0, self.busy - len(self.jobs))

    @property
    def state(self) -> str:
        """In one word: gone, draining, busy, ready."""
        if not self.is_there:
            return "gone"
        if self.worker.is_draining:
            return "draining"
        return "busy" if self.busy >= self.worker.slots else "ready"


@dataclass(slots=True)
class QueueNow:
    """A queue: how many wait in it, since when the first of them, how long one waited lately, and who serves it."""

    name: str
    waiting: int = 0
    first_since: dt.datetime | None = None
    usual_wait_seconds: float | None = None
    under_way: int = 0
    slots: int = 0
    workers: list[str] = field(default_factory=list)

    @property
    def usual_wait_ms(self) -> int | None:
        """The usual wait in milliseconds, as pages show spans of time."""
        return None if self.usual_wait_seconds is None else int(self.usual_wait_seconds * 1000)


def workers_of(viewer: Actor, at: Project | None = None) -> list[WorkerNow]:
    """The workers that did not leave, by name. at: the project through which one sees them; None for the site.

    Raises Refused, NotFound.
    """
    require(viewer, SEE, at)
    seen = _jobs_by_worker(viewer)
    busy = Counter(Job.objects.filter(state__in=Job.HELD).order_by().values_list("worker_id", flat=True))
    return [
        WorkerNow(worker, is_there(worker), busy[worker.pk], seen.get(worker.pk, ()))
        for worker in Worker.objects.filter(left_at=None).order_by("name")
    ]


def projects_of_workers(viewer: Actor) -> list[Project]:
    """The projects on whose own page the viewer sees workers."""
    return [one.project for one in my_projects(viewer) if can(viewer, SEE, one.project)]


def _jobs_by_worker(viewer: Actor) -> Mapping[UUID, list[Job]]:
    found: dict[UUID, list[Job]] = defaultdict(list)
    rows = Job.objects.visible_to(viewer).filter(state__in=Job.HELD, worker__isnull=False)
    for job in rows.select_related("run", "project", "created_by").order_by("started_at"):
        found[job.worker_id].append(job)
    return found


def get_worker(viewer: Actor, worker_id: UUID, at: Project | None = None) -> Worker:
    """One worker, also one that left. Raises NotFound, also where none is seen; Refused to members of the project."""
    if at is not None:
        require(viewer, SEE, at)
    found: Worker | None = Worker.objects.filter(pk=worker_id).first() if can(viewer, SEE, at) else None
    if found is None:
        raise NotFound("No such worker was found.")
    return found


def queues_of(viewer: Actor, at: Project | None = None) -> list[QueueNow]:
    """Every queue that somebody serves or waits in, by name. Raises Refused, NotFound."""
    require(viewer, SEE, at)
    found: dict[str, QueueNow] = {}
    waiting = Job.objects.filter(state=Job.State.QUEUED).order_by().values("queue")
    for row in waiting.annotate(many=Count("pk"), since=Min("created_at")):
        found[row["queue"]] = QueueNow(row["queue"], waiting=row["many"], first_since=row["since"])
    for name, many in _under_way().items():
        found.setdefault(name, QueueNow(name)).under_way = many
    for worker in Worker.objects.filter(left_at=None).order_by("name"):
        if is_there(worker):
            for name in worker.queues:
                queue = found.setdefault(name, QueueNow(name))
                queue.workers.append(worker.name)
                queue.slots += 0 if worker.is_draining else worker.slots
    for queue in found.values():
        queue.usual_wait_seconds = _usual_wait(queue.name)
    return sorted(found.values(), key=lambda queue: queue.name)


def _under_way() -> dict[str, int]:
    rows: QuerySet[Any, Any] = Job.objects.filter(state__in=Job.HELD).order_by().values_list("queue")
    return dict(rows.annotate(many=Count("pk")))


def _usual_wait(queue: str) -> float | None:
    """Seconds from being asked for to being taken, of those that were taken last: the middle one."""
    rows = Job.objects.filter(queue=queue, started_at__isnull=False).order_by("-created_at")
    took = [(begun - asked).total_seconds() for asked, begun in rows.values_list("created_at", "started_at")[:LATELY]]
    return median(took) if took else None


def admissions_of(viewer: Actor) -> list[Admission]:
    """Words that were made lately, the newest first. Raises Refused."""
    require(viewer, "runner.admit_worker")
    rows = Admission.objects.filter(created_at__gt=now() - dt.timedelta(days=30))
    return list(rows.select_related("created_by").order_by("-created_at")[:ADMISSIONS_SHOWN])


def get_admission(viewer: Actor, admission_id: UUID) -> Admission:
    """One of them. Raises NotFound, also for who may not see any."""
    may = can(viewer, "runner.admit_worker")
    found: Admission | None = Admission.objects.filter(pk=admission_id).first() if may else None
    if found is None:
        raise NotFound("No such admission was found.")
    return found
