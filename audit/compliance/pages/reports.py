"""The reports of a project: those that are being made, and those that are there, each with its digest and files."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import find_project
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from accounts.roles import Reach
from audit.compliance.models import Report
from audit.compliance.pages.report_words import (
    KINDS,
    Files,
    Making,
    by_format,
    making_of,
    pairs_of,
    scope_words,
    short_time,
    with_pairs,
)
from audit.compliance.queries.report_standing import began_of, files_of_reports, required_reach, subject_words
from audit.compliance.queries.reports import progress_of, reports_of
from kernel.actor import Actor
from kernel.clock import from_ms, now
from kernel.errors import Invalid

A_PAGE = 25
LATELY = dt.timedelta(minutes=10)  # within that the log covers what was finished, or something is wrong with it
OPEN_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Row:
    """A report that is over. of: what it speaks of in a few words.

    files: empty while they wait for the log; again_url: the form, filled in as it was.
    """

    report: Report
    short: str
    counted: int | None
    files: Sequence[Files]
    again_url: str
    as_of: str
    of: str


@require_safe
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """What is being made, and what is there, the newest first."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    reach = required_reach(viewer, project)
    over = reports_of(viewer, project).exclude(state__in=Report.OPEN).order_by("-finished_at", "-pk")
    paged = Paginator(over, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "at": "reports",
        "project": project,
        "paged": paged,
        "rows": rows_of(viewer, project, list(paged)),
        "own_only": reach is Reach.OWN,
        **open_context(viewer, project, since=now()),
    }
    return render(request, "compliance/reports.html", context)


@require_safe
@signed_in
def being_made(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The part of the page that asks for itself again while something is open. `since`: when the page was drawn."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    required_reach(viewer, project)
    context = {"project": project, **open_context(viewer, project, since=moment_in(request.GET.get("since", "")))}
    return render(request, "compliance/reports_open.html", context)


def moment_in(text: str) -> dt.datetime:
    """The moment that an address gives in milliseconds. Raises Invalid."""
    moment = from_ms(int(text)) if text.isascii() and text.isdigit() and len(text) < 14 else None
    if moment is None:
        raise Invalid("'since' is a time in milliseconds.", field="since")
    return moment


def open_context(viewer: Actor, project: Project, *, since: dt.datetime) -> dict[str, object]:
    """What is being made, and what ended since the page was drawn: nothing on the page has to move for that."""
    at = now()
    rows = reports_of(viewer, project)
    open_ones = list(rows.filter(state__in=Report.OPEN).order_by("requested_at", "pk")[: OPEN_SHOWN + 1])
    fresh = list(rows.filter(state=Report.State.DONE, finished_at__gt=at - LATELY)[:OPEN_SHOWN])
    ended = list(rows.exclude(state__in=Report.OPEN).filter(finished_at__gt=since).order_by("finished_at"))
    began = began_of(viewer, open_ones)
    making = [
        making_of(one, progress_of(viewer, one), at=at, began=began.get(one.pk)) for one in open_ones[:OPEN_SHOWN]
    ]
    covered = {one.pk: progress_of(viewer, one) for one in fresh}
    making += [
        making_of(one, covered[one.pk], at=at, began=None) for one in fresh if covered[one.pk].waits_for == "checkpoint"
    ]
    waiting = {one.report.pk for one in making}
    return {
        "making": making,
        "more_open": len(open_ones) > OPEN_SHOWN,
        "ended": rows_of(viewer, project, [one for one in ended if one.pk not in waiting]),
        "no_worker": stuck_since(making),
        "since_ms": int(since.timestamp() * 1000),
    }


def stuck_since(making: Sequence[Making]) -> dt.datetime | None:
    """Since when something waits for a worker and none is running; None where nothing does."""
    waits = [one.progress.since for one in making if one.progress.waits_for == "worker"]
    return min(waits, default=None)


def rows_of(viewer: Actor, project: Project, reports: Sequence[Report]) -> list[Row]:
    """Reports that are over as rows of the table."""
    files = files_of_reports(viewer, reports)
    form = reverse("compliance:new_report", args=[project.slug])
    return [
        Row(
            report=one,
            short=KINDS[one.kind].short,
            counted=one.records,
            files=by_format(files.get(one.pk, [])),
            again_url=with_pairs(form, pairs_of(one)),
            as_of=short_time(one.head_at, this=now()) if one.head_at else "",
            of=scope_words(one, subject_words(viewer, one)),
        )
        for one in reports
    ]


def url_of(report: Report) -> str:
    """The page of one report."""
    return reverse("compliance:report", args=[report.project.slug, report.pk])
