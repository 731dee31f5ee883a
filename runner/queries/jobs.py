"""Jobs of a project and of a run, for those who may see the run."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.access import not_found
from accounts.models import Project
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import Invalid
from kernel.paging import decode_token, encode_token, question_digest
from runner.models import Job, Sweep

PAGE: Final = 50
PAGE_MAX: Final = 1000
NEWEST_FIRST: Final = ("-created_at", "-id")
# Of lists they are fetched by a statement each: joined, SQLite reads all jobs before it sorts (bench/jobs.py, 100,000
# jobs: 690 ms for the newest 50, 5 without).
PLACES: Final = ("project", "experiment", "run__project", "recipe", "created_by", "worker", "stop_asked_by")


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, the newest first. next: the token of the page after; '' at the end."""

    rows: list[Job]
    next: str


def get_job(viewer: Actor, job_id: UUID, *, project: Project | None = None) -> Job:
    """One job with its run, recipe, worker and whoever asked for it. Raises NotFound, the same for invisible."""
    rows = _with_their_places(viewer) if project is None else _with_their_places(viewer).filter(project=project)
    found: Job | None = rows.filter(pk=job_id).first()
    if found is None:
        raise not_found(Job)
    return found


def job_of(viewer: Actor, run: Run) -> Job | None:
    """The job that made this run; None for a run that was logged from elsewhere."""
    found: Job | None = _with_their_places(viewer).filter(run=run).first()
    return found


def jobs_of(
    viewer: Actor,
    project: Project | None = None,
    *,
    state: str | Collection[str] = (),
    queue: str = "",
    mine: bool | None = None,
    sweep: Sweep | None = None,
) -> QuerySet[Job]:
    """The jobs of a project, or of all that one sees; state: one or several, `open` for those that are not over."""
    rows = Job.objects.visible_to(viewer).prefetch_related(*PLACES)
    if project is not None:
        rows = rows.filter(project=project)
    wanted = _states_named([state] if isinstance(state, str) else state)
    if wanted:
        rows = rows.filter(state__in=wanted)
    if queue:
        rows = rows.filter(queue=queue)
    if mine is not None:
        own = Q(created_by=viewer.user_id)
        rows = rows.filter(own if mine else ~own)
    if sweep is not None:
        rows = rows.filter(sweep=sweep)
    return rows.order_by(*NEWEST_FIRST)


def _states_named(names: Collection[str]) -> list[str]:
    """The states that these words stand for, in their order; none for no word. Raises Invalid."""
    wanted: set[str] = set()
    for name in filter(None, names):
        if name != "open" and name not in Job.State.values:
            known = ", ".join(["open", *Job.State.values])
            raise Invalid(f"'{name[:40]}' is no state of a job.", hint=f"There are: {known}.", field="state")
        wanted |= set(Job.OPEN) if name == "open" else {name}
    return [one for one in Job.State.values if one in wanted]


def jobs_page(
    viewer: Actor, project: Project | None = None, *, after: str | None = None, limit: int = PAGE, **narrowed: Any
) -> JobPage:
    """One page of what `jobs_of` gives, in one statement however many there are. Raises Invalid for a bad token."""
    asked = sorted((name, str(value)) for name, value in narrowed.items())
    question = question_digest("jobs", project and project.pk, asked)
    rows, position = jobs_of(viewer, project, **narrowed), decode_token(question, after)
    if position is not None:
        rows = rows.filter(_older(position))
    found = list(rows[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    return JobPage(found[:limit], encode_token(question, [last.created_at.isoformat(), last.pk.hex]) if last else "")


def _older(position: list[object]) -> Q:
    try:
        at, pk = dt.datetime.fromisoformat(str(position[0])), UUID(str(position[1]))
    except (ValueError, IndexError):
        raise Invalid(
            "The page token is not one that this server gave out.",
            hint="Start again without a page token.",
            field="page_token",
        ) from None
    # The first part alone lets the database begin in its index; the second settles those of one moment.
    return Q(created_at__lte=at) & (Q(created_at__lt=at) | Q(pk__lt=pk))


def _with_their_places(viewer: Actor) -> QuerySet[Job]:
    rows = Job.objects.visible_to(viewer)
    return rows.select_related(
        "project", "experiment", "run__project", "recipe", "created_by", "worker", "stop_asked_by"
    )
