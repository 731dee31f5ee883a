"""Acts on rounds of the queue: on ticked ones at once, or on one."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.access import find_project, require
from accounts.models import Project, User
from accounts.pages.doors import actor_of, signed_in
from accounts.queries.people import people_who
from audit.compliance.actions.reviews import assign_review, start_review, withdraw_drawn
from audit.compliance.models import Review
from audit.compliance.pages.rules import day_of
from audit.compliance.queries.reviews import get_review, get_reviews
from audit.compliance.reviewers import REVIEW
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound

MOST = 200
TOLD = 3


@dataclass(frozen=True, slots=True)
class Given:
    """What the form says beside the ticked rounds. keeps_due: no day was given, so that each keeps its own."""

    who: User | None
    due: dt.date | None
    keeps_due: bool
    reason: str


def _assign(actor: Actor, review: Review, given: Given) -> None:
    assign_review(actor, review, assigned_to=given.who, due=review.due if given.keeps_due else given.due)


def _take(actor: Actor, review: Review, given: Given) -> None:
    me = next((one for one in people_who(REVIEW, review.run.project) if one.pk == actor.user_id), None)
    if me is None:
        raise Invalid("Only who reviews in this project takes a run.")
    if review.assigned_to_id != me.pk:
        assign_review(actor, review, assigned_to=me, due=review.due)


def _start(actor: Actor, review: Review, given: Given) -> None:
    start_review(actor, review)


def _withdraw(actor: Actor, review: Review, given: Given) -> None:
    withdraw_drawn(actor, review, reason=given.reason)


# What is done with each round, the permission it takes in the project, and how it is told.
MANY: Mapping[str, tuple[Callable[[Actor, Review, Given], None], str, str]] = {
    "assign": (_assign, "compliance.assign", "assigned"),
    "take": (_take, "compliance.assign", "taken by you"),
    "start": (_start, "compliance.decide_review", "in review"),
    "withdraw": (_withdraw, "compliance.assign", "taken out of the sample"),
}


@require_POST
@signed_in
def many(request: HttpRequest, slug: str, verb: str) -> HttpResponse:
    """Do one thing with the ticked rounds, each on its own: what cannot be done is told, the rest is done."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    if verb not in MANY:
        raise NotFound(f"The queue has no act '{verb[:40]}'.")
    act, permission, done = MANY[verb]
    require(viewer, permission, project)
    back = redirect(_back_of(request, project))
    try:
        rounds = get_reviews(viewer, project, _ids_in(request))
        given = _given(request, project)
    except Invalid as error:
        messages.error(request, str(error))
        return back
    failed = [(review, why) for review in rounds if (why := _tried(act, viewer, review, given))]
    if len(rounds) > len(failed):
        number = len(rounds) - len(failed)
        messages.success(request, f"{number} run{'s' * (number != 1)} {done}.")
    if failed:
        told = " ".join(f"{review.run.readable_id}: {why}" for review, why in failed[:TOLD])
        more = f" And {len(failed) - TOLD} more." if len(failed) > TOLD else ""
        messages.error(request, f"{len(failed)} not: {told}{more}")
    return back


def _tried(act: Callable[[Actor, Review, Given], None], actor: Actor, review: Review, given: Given) -> str:
    """Why it could not be done; '' where it was."""
    try:
        act(actor, review, given)
    except MledError as error:
        return str(error)
    return ""


def _ids_in(request: HttpRequest) -> Sequence[UUID]:
    """The ticked rounds: a button's own, else those that a script kept over pages, else the boxes."""
    one, kept = request.POST.get("one", ""), request.POST.get("chosen", "")
    texts = [one] if one else kept.split(",") if kept else request.POST.getlist("runs")
    if not texts:
        raise Invalid("Tick the runs first.")
    if len(texts) > MOST:
        raise Invalid(f"At most {MOST} at once.")
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise Invalid("One of these is no round of review.") from None


def _given(request: HttpRequest, project: Project) -> Given:
    due = request.POST.get("due", "")
    return Given(
        reviewer_named(project, request.POST.get("assigned_to", "")),
        day_of(due, field="due") if due else None,
        not due,
        request.POST.get("reason", ""),
    )


@require_POST
@signed_in
def assign(request: HttpRequest, slug: str, review: UUID) -> HttpResponse:
    """Say who reviews a round, until when, and back to where it was said."""
    viewer = actor_of(request)
    found = get_review(viewer, review, project=find_project(viewer, slug))
    try:
        who, due = reviewer_named(found.run.project, request.POST.get("assigned_to", "")), request.POST.get("due")
        assign_review(viewer, found, assigned_to=who, due=day_of(due, field="due") if due else None)
    except Invalid as error:
        messages.error(request, f"{found.run.readable_id}: {error}")
    else:
        messages.success(request, f"{found.run.readable_id}: {who or 'nobody'} reviews it.")
    return redirect(_back_of(request, found.run.project))


def _back_of(request: HttpRequest, project: Project) -> str:
    """Where it was said, else the queue."""
    queue, back = reverse("compliance:queue", args=[project.slug]), request.POST.get("back", "")
    is_here = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return back if is_here and back.startswith(queue) else queue


def reviewer_named(project: Project, key: str) -> User | None:
    """Somebody who reviews in the project by their id; None for nobody. Raises Invalid."""
    if not key:
        return None
    found = next((one for one in people_who(REVIEW, project) if str(one.pk) == key), None)
    if found is None:
        raise Invalid("That person does not review in this project.", field="assigned_to")
    return found
