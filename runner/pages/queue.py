"""The queue of a project: what waits, what is under way, and what was over lately."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from kernel.actor import Actor
from kernel.errors import Conflict, NotFound, Refused
from runner.actions.jobs import stop_job
from runner.models import Job
from runner.pages.jobs_words import Badge, badge_of, lasted_words, told_of
from runner.pages.paging import paged
from runner.queries.jobs import get_job, jobs_of
from runner.queries.launching import NEXT_FIRST, numbers_by_state, queues_of
from runner.queries.queue import positions

LATELY_SHOWN: Final = 10
GOING_SHOWN: Final = 100
STOPPED_AT_ONCE: Final = 500
LAST_OVER_FIRST: Final = ("-ended_at", "-pk")
# The tabs: what each lists. "" is where the page opens.
VIEWS: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "": ("Waiting and under way", Job.OPEN),
    "over": ("Over", Job.OVER),
    "failed": ("Failed", (Job.State.FAILED,)),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The question in the address."""

    project: Project
    view: str
    mine: bool
    queue: str
    page: str

    def url(self, **changed: str) -> str:
        """The address of this question with something changed; a page further on belongs to one question alone."""
        pairs = {"show": self.view, "who": "me" if self.mine else "", "queue": self.queue, **changed}
        kept = {name: value for name, value in pairs.items() if value}
        return reverse("runner:queue", args=[self.project.slug]) + (f"?{urlencode(kept)}" if kept else "")

    @property
    def listed_url(self) -> str:
        """Where the list of an open page asks for itself again."""
        pairs = self.url(page=self.page).partition("?")[2]
        return reverse("runner:queue_listed", args=[self.project.slug]) + (f"?{pairs}" if pairs else "")


@dataclass(frozen=True, slots=True)
class Row:
    """One job of the list. told: why it ended so; place: in its queue, over all projects that share it; None unless it
    waits."""

    job: Job
    badge: Badge
    lasted: str
    told: str
    place: int | None
    may_stop: bool


@require_safe
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The page."""
    viewer, asked = _asked(request, slug)
    project = asked.project
    numbers = numbers_by_state(viewer, project)
    tabs = [
        {"label": label, "url": asked.url(show=key), "is_open": key == asked.view, "number": _sum(numbers, states)}
        for key, (label, states) in VIEWS.items()
    ]
    queues = sorted({*queues_of(viewer, project), *filter(None, [asked.queue])})
    context = {
        "at": "queue",
        "tabs": tabs,
        "queues": queues,
        "may_launch": bool(can(viewer, "runner.launch", project)),
        "may_see_workers": bool(can(viewer, "runner.see_workers", project)),
        **_list(viewer, asked),
    }
    return render(request, "runner/queue.html", context)


@require_safe
@signed_in
def listed(request: HttpRequest, slug: str) -> HttpResponse:
    """The list alone, as a page that is open asks for it again."""
    viewer, asked = _asked(request, slug)
    response = render(request, "runner/queue_list.html", _list(viewer, asked))
    response["Cache-Control"] = "private, no-store"
    return response


def _asked(request: HttpRequest, slug: str) -> tuple[Actor, Asked]:
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, "experiments.see", project)
    view = request.GET.get("show", "")
    if view not in VIEWS:
        raise NotFound(f"The queue has no list '{view[:40]}'.", field="show")
    mine = request.GET.get("who") == "me"
    return viewer, Asked(project, view, mine, request.GET.get("queue", "")[:40], request.GET.get("page", "")[:9])


def _list(viewer: Actor, asked: Asked) -> dict[str, Any]:
    page = paged(_jobs(viewer, asked, *_listed(asked)), asked.page)
    rows = rows_of(viewer, page.rows)
    is_start = not asked.view and page.number == 1
    going = rows_of(viewer, _jobs(viewer, asked, Job.HELD, ("started_at",))[:GOING_SHOWN]) if is_start else []
    lately = _jobs(viewer, asked, VIEWS["over"][1], LAST_OVER_FIRST)[:LATELY_SHOWN] if is_start else []
    return {
        "project": asked.project,
        "asked": asked,
        "going": going,
        "rows": rows,
        "lately": rows_of(viewer, lately),
        "paged": page,
        "ticks": any(row.may_stop for row in [*going, *rows]),
        "before_url": asked.url(page=str(page.number - 1)) if page.number > 1 else "",
        "next_url": asked.url(page=str(page.number + 1)) if page.has_next else "",
        "is_narrowed": asked.mine or bool(asked.queue),
    }


def _listed(asked: Asked) -> tuple[Sequence[str], Sequence[str]]:
    """The states of the paged list, and its order: what waits in the order in which it goes."""
    return ((Job.State.QUEUED,), ("queue", *NEXT_FIRST)) if not asked.view else (VIEWS[asked.view][1], LAST_OVER_FIRST)


def _jobs(viewer: Actor, asked: Asked, states: Sequence[str], order: Sequence[str]) -> QuerySet[Job]:
    mine = True if asked.mine else None
    rows = jobs_of(viewer, asked.project, state=states, queue=asked.queue, mine=mine)
    if (
        order == LAST_OVER_FIRST
    ):  # said so that the index of their ends serves: else all of them are sorted, bench/jobs.py
        rows = rows.filter(ended_at__isnull=False)
    return rows.order_by(*order)


def rows_of(viewer: Actor, jobs: Iterable[Job]) -> list[Row]:
    """What the list says of each."""
    found = list(jobs)
    places = positions(viewer, found)
    return [
        Row(job, badge_of(job), lasted_words(job), told_of(job), places.get(job.pk), _may_stop(viewer, job))
        for job in found
    ]


def _may_stop(viewer: Actor, job: Job) -> bool:
    return job.is_open and job.stop_asked_at is None and bool(can(viewer, "runner.stop", job))


def _sum(numbers: Mapping[str, int], states: Sequence[str]) -> int:
    return sum(numbers.get(state, 0) for state in states)


@require_POST
@signed_in
def act(request: HttpRequest, slug: str, verb: str) -> HttpResponse:
    """Stop the ticked ones, each of them an act of its own; what is over by now, or not one's own, is told."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    if verb not in ACTS:
        raise NotFound(f"A queue has no act '{verb[:40]}'.")
    done, left = 0, []
    for job in _ticked(viewer, project, _ids(request)):
        try:
            stop_job(viewer, job, reason=request.POST.get("reason", "").strip())
            done += 1
        except (Conflict, Refused) as error:
            left.append(f"{job.run.readable_id}: {error.message}")
    if done:
        messages.success(request, f"{done} job{'' if done == 1 else 's'} stopped, or asked to stop.")
    for words in left[:5]:
        messages.error(request, words)
    if len(left) > 5:
        messages.error(request, f"And {len(left) - 5} more.")
    if not done and not left:
        messages.warning(request, "Tick the jobs to stop first.")
    asked = request.POST.get("back", "")
    here = reverse("runner:queue", args=[project.slug])
    return redirect(asked if asked.partition("?")[0] == here else here)


def _ids(request: HttpRequest) -> list[str]:
    """Those that were ticked, on all pages of the list where scripts run."""
    chosen = request.POST.get("chosen", "")
    return chosen.split(",") if chosen else request.POST.getlist("runs")


def _ticked(viewer: Actor, project: Project, ids: Sequence[str]) -> list[Job]:
    found = []
    for text in ids[:STOPPED_AT_ONCE]:
        try:
            found.append(get_job(viewer, UUID(hex=text), project=project))
        except (ValueError, NotFound) as error:
            raise NotFound("There is no such job here.", hint="Load the queue again.") from error
    return found


ACTS: Final = ("stop",)  # of several jobs at once
