"""What waits for a verdict in a project, and what auditors do beside it: samples, findings, the audit trail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, sees_experiments, signed_in
from accounts.queries.people import people_who
from audit.compliance.actions.sampling import draw_sample, review_trail
from audit.compliance.models import Draw, Review
from audit.compliance.pages.findings import is_overdue
from audit.compliance.pages.report_links import queue_url
from audit.compliance.queries.reviews import (
    counts_by_state,
    draws_in,
    newest_rounds,
    open_findings,
    queue,
    runs_asked,
    trail_end,
    trail_reviews_in,
)
from audit.compliance.reviewers import REVIEW
from audit.compliance.trail import TRAIL_DAYS, trail_is_overdue
from experiments.values import ReviewState
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound

A_PAGE = 50
SHOWN = 5
FINDINGS = 20
TEXT_MAX = 4000
WAITING = "waiting"
# What a filter is called, and which states it shows.
FILTERS = {
    WAITING: ("To review", (ReviewState.SUBMITTED, ReviewState.IN_REVIEW)),
    "flagged": ("Flagged", (ReviewState.FLAGGED,)),
    "changed": ("Changed since review", (ReviewState.CHANGED,)),
    "compliant": ("Compliant", (ReviewState.COMPLIANT,)),
}


class Sample(forms.Form):
    """How a sample is drawn."""

    method = forms.ChoiceField(choices=Draw.Method.choices, label="Draw")
    question = forms.CharField(
        required=False,
        max_length=TEXT_MAX,
        label="Of which runs",
        help_text="A query, as above the runs; nothing for all. For “all of a model” its name.",
    )
    size = forms.IntegerField(required=False, min_value=1, label="How many", initial=5)
    seed = forms.CharField(
        required=False, max_length=64, help_text="Of a draw at random: the same seed draws the same runs again."
    )


class Trail(forms.Form):
    """That the audit trail was looked through."""

    up_to = forms.IntegerField(min_value=0, label="Looked through up to place")
    note = forms.CharField(
        max_length=TEXT_MAX, label="What was looked at and found", widget=forms.Textarea(attrs={"rows": 3})
    )


FORMS: dict[str, type[forms.Form]] = {"draw": Sample, "trail": Trail}


@dataclass(frozen=True, slots=True)
class Filter:
    """One state to look at, with how many runs there are in it."""

    key: str
    label: str
    number: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """One round in the queue."""

    review: Review
    is_overdue: bool


@require_safe
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The queue, what blocks most first."""
    return _page(request, find_project(actor_of(request), slug), {})


def _page(request: HttpRequest, project: Project, bound: Mapping[str, forms.Form]) -> HttpResponse:
    viewer = actor_of(request)
    if not sees_experiments(viewer, project):
        require(viewer, "experiments.see", project)
    state = request.GET.get("state", WAITING)
    state = state if state in FILTERS else WAITING
    rounds = queue(viewer, project) if state == WAITING else newest_rounds(viewer, project, FILTERS[state][1])
    paged = Paginator(rounds, A_PAGE).get_page(request.GET.get("page"))
    may_assign = bool(can(viewer, "compliance.assign", project))
    findings = list(open_findings(viewer, project)[: FINDINGS + 1])
    trails = trail_reviews_in(viewer, project)
    end = trail_end(viewer, project)
    context = {
        "at": "reviews",
        "project": project,
        "state": state,
        "report_url": queue_url(viewer, project, [str(one.label).lower() for one in FILTERS[state][1]]),
        "filters": filters_of(counts_by_state(viewer, project)),
        "paged": paged,
        "rows": [Waiting(one, is_overdue(one) and one.is_open) for one in paged],
        "ticks": may_assign and state == WAITING,
        "may_decide": bool(can(viewer, "compliance.decide_review", project)),
        "me": viewer.user_id,
        "reviewers": people_who(REVIEW, project) if may_assign else [],
        "here": request.get_full_path() if request.method != "POST" else url_of(project),
        "findings": [(one, is_overdue(one)) for one in findings[:FINDINGS]],
        "more_findings": len(findings) > FINDINGS,
        "draws": draws_in(viewer, project)[:SHOWN],
        "trails": trails[:SHOWN],
        "trail_overdue": trail_is_overdue(project, trails[0].at if trails else None),
        "trail_days": TRAIL_DAYS,
        "trail_end": end,
        "may_assign": may_assign,
        "may_review_trail": bool(can(viewer, "compliance.review_trail", project)),
        "forms": {
            "draw": bound.get("draw") or Sample(prefix="draw"),
            "trail": bound.get("trail") or Trail(initial={"up_to": end}, prefix="trail"),
        },
        "opened": list(bound),
    }
    return render(request, "compliance/queue.html", context)


def filters_of(counts: Mapping[str, int]) -> list[Filter]:
    """The states on top, each with its number."""
    return [
        Filter(key, label, sum(counts.get(state, 0) for state in states)) for key, (label, states) in FILTERS.items()
    ]


def url_of(project: Project) -> str:
    """The address of a project's queue."""
    return reverse("compliance:queue", args=[project.slug])


# --- Acts


def _draw(actor: Actor, project: Project, asked: Mapping[str, Any]) -> str:
    runs = runs_asked(actor, project, asked["method"], asked["question"])
    drawn = draw_sample(
        actor,
        project,
        runs=runs,
        method=asked["method"],
        size=asked["size"] or 0,
        seed=asked["seed"],
        question=asked["question"],
    )
    return f"{drawn} runs drawn. They wait in the queue."


def _trail(actor: Actor, project: Project, asked: Mapping[str, Any]) -> str:
    review_trail(actor, project, up_to=asked["up_to"], note=asked["note"].replace("\r\n", "\n"))
    return "Recorded."


ACTS: dict[str, Callable[[Actor, Project, Mapping[str, Any]], str]] = {"draw": _draw, "trail": _trail}


@require_POST
@signed_in
def act(request: HttpRequest, slug: str, verb: str) -> HttpResponse:
    """Draw a sample, or record that the audit trail was looked through."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    if verb not in ACTS:
        raise NotFound(f"A queue has no act '{verb[:40]}'.")
    form = FORMS[verb](request.POST, prefix=verb)
    if form.is_valid():
        try:
            messages.success(request, ACTS[verb](viewer, project, form.cleaned_data))
        except MledError as error:
            if verb == "draw" and isinstance(error, Invalid | NotFound) and error.field not in form.fields:
                error.field = "question"  # what was asked is no query, or names no model
            fill_in_error(form, error)
        else:
            return redirect(url_of(project))
    return _page(request, project, {verb: form})
