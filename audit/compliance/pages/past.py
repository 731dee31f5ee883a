"""The history of one object: who did what to it, when, in which role then, through which door, old and new values."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import find_project
from accounts.models import Membership, Project
from accounts.pages.doors import actor_of, signed_in
from accounts.pages.history import before_of
from audit.compliance.kinds import word_of
from audit.compliance.models import Finding, NotApplicable, Review, Waiver
from audit.compliance.pages.log_words import kind_words, lines_of, url_of
from audit.compliance.queries.log_things import things_named
from audit.compliance.queries.past import PastPage, past_of, past_of_token, people_meant
from experiments.models import Run
from kernel.actor import Actor
from registry.models import PromotionRequest

A_PAGE = 50


@require_safe
@signed_in
def page(request: HttpRequest, slug: str, of: str, thing: str) -> HttpResponse:
    """The history of an object of a project, newest first, in pages. `of`: its kind; `thing`: its id."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    row, past = past_of(viewer, project, of, thing, before=before_of(request), limit=A_PAGE)
    context = {
        "project": project,
        "kind": kind_words(row._meta.label_lower),
        "title": title_of(row),
        "back_url": url_of(project, row),
        **_shown(viewer, project, past, reverse("compliance:past", args=[slug, of, thing]), request),
    }
    return render(request, "compliance/past.html", context)


@require_safe
@signed_in
def token(request: HttpRequest, token: UUID) -> HttpResponse:
    """The history of one of one's own tokens."""
    viewer = actor_of(request)
    row, past = past_of_token(viewer, token, before=before_of(request), limit=A_PAGE)
    address = reverse("compliance:token_past", args=[token])
    back = {"kind": "token", "title": row.name, "back_url": reverse("accounts:tokens")}
    return render(request, "compliance/past.html", {**back, **_shown(viewer, None, past, address, request)})


def _shown(
    viewer: Actor, project: Project | None, past: PastPage, address: str, request: HttpRequest
) -> dict[str, Any]:
    return {
        "lines": lines_of(project, past.events, things_named(viewer, past.events), people_meant(past.events)),
        "next_url": f"{address}?before={past.next_id.hex}" if past.next_id else "",
        "first_url": address if request.GET.get("before") else "",
    }


def title_of(row: Any) -> str:
    """What an object is called."""
    match row:
        case Run():
            return f"{row.name} {row.readable_id}"
        case Membership():
            return f"{row.user or row.group}, {row.get_role_display()}"
        case PromotionRequest():
            return f"{row.version} to {row.target}"
        case Review():
            return f"round {row.number} of {row.run.readable_id}"
        case Finding():
            return f"{row.text[:60]} ({row.run.readable_id})"
        case Waiver() | NotApplicable():
            return f"{row.rule} of {row.run.readable_id}"
        case _:
            return str(row)


def address_of(project: Project, row: Any) -> str:
    """Where an object's history is."""
    return reverse("compliance:past", args=[project.slug, word_of(type(row)), row.ledger_id])
