"""What a report would speak of, while its form is filled in: how many runs, which signed head, under which name."""

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import find_project
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from accounts.roles import Reach
from audit.compliance.models import Report
from audit.compliance.pages.report_words import KINDS, OF_RUNS, default_title, scope_for
from audit.compliance.queries.as_of import moment_of
from audit.compliance.queries.report_standing import Matching, required_reach, runs_matching, signed_head
from audit.ledger.models import Checkpoint
from experiments.pages.asked import numbers_in
from experiments.search.errors import QueryError
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Invalid

Scope = Report.Scope


@dataclass(frozen=True, slots=True)
class Preview:
    """What the report would be. matching: None where it is not about runs, or where the query is wrong: see problem.

    head: None before the first; head_problem: what is wrong with the moment; named: its title if nobody gives it one.
    """

    matching: Matching | None
    problem: str
    head: Checkpoint | None
    head_problem: str
    is_now: bool
    named: str


@require_safe
@signed_in
def part(request: HttpRequest, slug: str) -> HttpResponse:
    """What the form as it is filled in would make a report of, asked again while one types."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    reach = required_reach(viewer, project)
    context = {
        "facts": preview_of(viewer, project, request.GET),
        "project": project,
        "own_only": reach is Reach.OWN,
        "again": True,
    }
    return render(request, "compliance/report_facts.html", context)


def preview_of(viewer: Actor, project: Project, given: QueryDict) -> Preview:
    """What a form as it is filled in asks for; what is wrong is said, and not raised."""
    kind = given.get("kind", "")
    scope = scope_for(kind, given.get("scope", ""))
    matching, problem = _matching(viewer, project, kind, scope, given)
    is_now = given.get("moment") != "then"
    at, head_problem = (None, "") if is_now else _moment(given.get("at", "").strip())
    head = None if head_problem else signed_head(viewer, project, at)
    about = given.get(scope, "").strip() if scope in (Scope.RUN, Scope.VERSION) else ""
    return Preview(
        matching, problem, head, head_problem, is_now, default_title(kind, about, now()) if kind in KINDS else ""
    )


def _matching(viewer: Actor, project: Project, kind: str, scope: str, given: QueryDict) -> tuple[Matching | None, str]:
    if scope == Scope.PROJECT and kind in OF_RUNS:
        return runs_matching(viewer, project, text="", experiments=None, lifecycle="active"), ""
    if scope != Scope.RUNS:
        return None, ""
    experiments = numbers_in(given.getlist("experiment"))
    try:
        asked = {"text": given.get("q", ""), "lifecycle": given.get("lifecycle", "")}
        return runs_matching(viewer, project, experiments=experiments, **asked), ""
    except QueryError as error:
        return None, f"{error.message} {error.hint}".strip()


def _moment(text: str) -> tuple[dt.datetime | None, str]:
    """The moment that was typed, and what is wrong with it."""
    if not text:
        return None, "Choose a day and time, in UTC."
    try:
        at = moment_of(text, "at")
    except Invalid as error:
        return None, f"{error.message} {error.hint}".strip()
    return at, "" if at <= now() else "A report cannot speak of the future."
