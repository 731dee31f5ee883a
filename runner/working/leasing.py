"""Who does a job: a lease that runs out by itself when its worker dies. Quiet bookkeeping, without events.

Whoever wants to say something of a job shows its lease under the row's lock (`runner.actions.jobs`), so that a worker
that lost it says nothing any more.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Count, F, QuerySet

from accounts.models import Project
from kernel.clock import now
from runner.models import Job, RunnerRules, Worker
from runner.working import watching
from runner.working.watching import Held

NEXT_FIRST = ("-priority", "created_at", "pk")
JOBS_AT_ONCE = RunnerRules._meta.get_field("jobs_at_once").default
TRIED_BESIDE = 5  # candidates looked at, where others take the first of them at the same moment


@dataclass(frozen=True, slots=True)
class Taken:
    """A job, and the lease that says whose it is."""

    job: UUID
    lease: UUID


def take(queues: Sequence[str], *, cards: int = 0) -> Taken | None:
    """The next job of these queues, for a while; None where none waits that may begin.

    The higher priority goes first, then the older; not more of a project or of a sweep at once than it may have, and
    none that needs more graphics cards than are here. cards: how many these are.
    """
    for candidate in _waiting(queues, cards)[:TRIED_BESIDE]:
        taken = _take(candidate)
        if taken is not None:
            return taken
    return None


def _waiting(queues: Sequence[str], cards: int) -> QuerySet[Job]:
    """Those that may begin now, the next first."""
    waiting = Job.objects.filter(state=Job.State.QUEUED, lease=None, queue__in=queues)
    waiting = waiting.exclude(recipe__resources__gpus__gt=cards)
    begun = _begun()
    if full := _full_projects(begun):
        waiting = waiting.exclude(project__in=full)
    if full_sweeps := _full_sweeps(begun):
        waiting = waiting.exclude(sweep__in=full_sweeps)
    return waiting.order_by(*NEXT_FIRST).only("pk", "project_id", "sweep_id")


def _begun() -> QuerySet[Job]:
    """All that somebody has: only those have a lease."""
    return Job.objects.filter(lease__isnull=False).order_by()


def _full_projects(begun: QuerySet[Job]) -> list[UUID]:
    under_way = dict(begun.values_list("project").annotate(jobs=Count("pk")))
    allowed = _allowed(under_way)
    return [project for project, jobs in under_way.items() if jobs >= allowed.get(project, JOBS_AT_ONCE)]


def _allowed(projects: Collection[UUID]) -> Mapping[UUID, int]:
    """Jobs at once, of the projects that said something about it."""
    rows = RunnerRules.objects.filter(project__in=projects)
    return dict(rows.values_list("project", "jobs_at_once"))


def _full_sweeps(begun: QuerySet[Job]) -> list[UUID]:
    rows = begun.filter(sweep__isnull=False).values_list("sweep").annotate(jobs=Count("pk"))
    return list(rows.filter(jobs__gte=F("sweep__at_once")).values_list("sweep", flat=True))


def _take(candidate: Job) -> Taken | None:
    """The lease of this job, where it may still begin: asked again while nobody else of its project can take one."""
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).filter(pk=candidate.project_id).values_list("pk").first()
        row = _free(candidate.pk)
        begun = _begun()
        if row is None or candidate.project_id in _full_projects(begun.filter(project=candidate.project_id)):
            return None
        if row.sweep_id in _full_sweeps(begun.filter(sweep=row.sweep_id)):
            return None
        row.lease, row.lease_until = uuid4(), now() + watching.LEASE
        row.save()
        return Taken(row.pk, row.lease)


def _free(job: UUID) -> Job | None:
    rows = Job.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    found: Job | None = rows.filter(pk=job, state=Job.State.QUEUED, lease=None).first()
    return found


@dataclass(frozen=True, slots=True)
class News:
    """What a worker hears of its jobs. lost: those it has no more; stopped: those that somebody wants to end."""

    lost: frozenset[UUID]
    stopped: frozenset[UUID]


def news_of(mine: Mapping[UUID, UUID]) -> News:
    """What became of these jobs (by lease). One question for all of them."""
    rows = Job.objects.filter(pk__in=mine).values_list("pk", "lease", "stop_asked_at")
    known = {pk: (lease, asked) for pk, lease, asked in rows}
    ours = {pk for pk, lease in mine.items() if pk in known and known[pk][0] == lease}
    return News(frozenset(mine.keys() - ours), frozenset(pk for pk in ours if known[pk][1] is not None))


def renew(mine: Mapping[UUID, UUID], stages: Mapping[UUID, str]) -> set[UUID]:
    """Keep these jobs (by lease) for another while, and say what each is at. The ones that it was done for.

    A row that somebody writes at this moment is left for the next time.
    """
    if not mine:
        return set()
    with transaction.atomic():
        rows = Job.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        held = [row for row in rows.filter(pk__in=mine, state__in=Job.OPEN) if row.lease == mine[row.pk]]
        for row in held:
            row.lease_until, row.stage = now() + watching.LEASE, stages.get(row.pk, row.stage)[:120]
            row.save()
    return {row.pk for row in held}


def held_now() -> dict[UUID, Held]:
    """Every lease there is."""
    rows = _begun().values_list("pk", "lease", "lease_until")
    return {pk: Held(lease, until) for pk, lease, until in rows if lease is not None and until is not None}


def take_over(job: UUID, seen: Held) -> UUID | None:
    """The lease of a job whose worker is gone, as somebody saw it; None where it changed, or is changed just now."""
    with transaction.atomic():
        rows = Job.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        row = rows.filter(pk=job, state__in=Job.OPEN, lease=seen.lease, lease_until=seen.until).first()
        if row is None:
            return None
        row.lease, row.lease_until = uuid4(), now() + watching.LEASE
        row.attempts += 1
        row.save()
        return UUID(str(row.lease))


def left_by(worker: Worker) -> dict[UUID, Held]:
    """The leases of this worker's jobs, for who knows that the process that had them is gone."""
    theirs = set(_begun().filter(worker=worker).values_list("pk", flat=True))
    return {job: held for job, held in held_now().items() if job in theirs}
