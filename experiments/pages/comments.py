"""The note of a run and what people say about it, on one tab."""

import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from accounts.access import Allowed, can, require
from accounts.markdown import as_html
from accounts.pages.doors import actor_of, signed_in
from experiments.actions.comments import COMMENT_MAX, REMOVE, SAY, add_comment, edit_comment, remove_comment
from experiments.mentions import handle_of, pattern_of
from experiments.models import Comment, Run
from experiments.pages.frame import run_frame, tab_url
from experiments.pages.notes import Changed, differences, note_context
from experiments.pages.steps import came_from, with_pairs
from experiments.queries.comments import comments_of, get_comment, people_to_mention
from experiments.queries.runs import get_run
from kernel.actor import Actor
from kernel.errors import Conflict, MledError, NotFound, Refused

OFFERED = 8


@dataclass(slots=True)
class Said:
    """A comment as it is drawn. draft: what its author is writing instead; changed: how that differs from what it
    says now, where it was changed meanwhile."""

    comment: Comment
    html: SafeString
    is_mine: bool
    may_remove: bool
    needs_reason: bool
    draft: str | None = None
    problem: str = ""
    changed: list[Changed] | None = None


@require_safe
@signed_in
def page(request: HttpRequest, run: str) -> HttpResponse:
    """The tab; with `?edit=` one's own comment, or the note, as a form."""
    found, context = run_frame(request, run, "notes")
    viewer = actor_of(request)
    context |= _context(request, viewer, found)
    for said in context["comments"]:
        if request.GET.get("edit") == said.comment.pk.hex and said.is_mine:
            said.draft = said.comment.text
    return render(request, "experiments/run_notes.html", context)


@require_POST
@signed_in
def add(request: HttpRequest, run: str) -> HttpResponse:
    """Say something."""
    viewer = actor_of(request)
    found = get_run(viewer, run)
    text = request.POST.get("text", "")
    try:
        comment = add_comment(viewer, found, text=text, key=_key(request.POST.get("key", "")))
    except (NotFound, Refused):
        raise
    except MledError as error:
        return _again(request, run, draft=text, problem=str(error))
    return _back(request, found, comment)


@require_POST
@signed_in
def edit(request: HttpRequest, run: str, comment: UUID) -> HttpResponse:
    """Change one's own comment. Where it was changed meanwhile, both texts are shown."""
    viewer = actor_of(request)
    found = get_run(viewer, run)
    one = get_comment(viewer, found, comment)
    text, version = request.POST.get("text", ""), request.POST.get("version", "")
    try:
        edit_comment(viewer, one, text=text, version=int(version) if version.isdecimal() and len(version) < 9 else 0)
    except (NotFound, Refused):
        raise
    except MledError as error:
        return _again(
            request, run, comment=one, draft=text, problem=str(error), is_conflict=isinstance(error, Conflict)
        )
    return _back(request, found, one)


@require_POST
@signed_in
def remove(request: HttpRequest, run: str, comment: UUID) -> HttpResponse:
    """Take back a comment."""
    viewer = actor_of(request)
    found = get_run(viewer, run)
    one = get_comment(viewer, found, comment)
    try:
        remove_comment(viewer, one, reason=request.POST.get("reason", "").strip())
    except (NotFound, Refused):
        raise
    except MledError as error:
        messages.error(request, str(error))
    return _back(request, found, one)


@require_safe
@signed_in
def people(request: HttpRequest, run: str) -> HttpResponse:
    """Whom a comment can mention, by what is written behind the @."""
    viewer = actor_of(request)
    found = get_run(viewer, run)
    require(viewer, SAY, found)
    everybody = people_to_mention(viewer, found)
    words = request.GET.get("q", "").strip().casefold()
    near = [user for user in everybody if _fits(user.name, words) or user.email.casefold().startswith(words)]
    offered = [
        {"name": user.name, "email": user.email, "handle": handle_of(user, everybody)} for user in near[:OFFERED]
    ]
    return JsonResponse({"people": offered})


def _fits(name: str, words: str) -> bool:
    """Whether the name, or one of its parts, begins with the words."""
    folded = name.casefold()
    return folded.startswith(words) or any(part.startswith(words) for part in folded.split())


def _context(request: HttpRequest, viewer: Actor, run: Run) -> dict[str, Any]:
    rows = list(comments_of(viewer, run))
    mentions = pattern_of(people_to_mention(viewer, run)) if any("@" in one.text for one in rows) else None
    return {
        **note_context(request, viewer, run),
        "comments": [_said(viewer, one, as_html(one.text, mentions)) for one in rows],
        "standing": sum(one.removed_at is None for one in rows),
        "may_comment": bool(can(viewer, SAY, run)) and not run.is_deleted,
        "key": uuid.uuid4().hex,
        "longest": COMMENT_MAX,
    }


def _said(viewer: Actor, comment: Comment, html: SafeString) -> Said:
    allowed = can(viewer, REMOVE, comment)
    is_mine = comment.created_by_id == viewer.user_id
    may_remove = comment.removed_at is None and bool(allowed)
    return Said(comment, html, is_mine, may_remove, isinstance(allowed, Allowed) and allowed.needs_reason)


def _again(
    request: HttpRequest,
    run: str,
    *,
    draft: str,
    problem: str,
    comment: Comment | None = None,
    is_conflict: bool = False,
) -> HttpResponse:
    """The tab with what was written still in its form."""
    found, context = run_frame(request, run, "notes")
    context |= _context(request, actor_of(request), found)
    if comment is None:
        context |= {"draft": draft, "problem": problem, "key": request.POST.get("key", "")}
    for said in context["comments"]:
        if comment is not None and said.comment.pk == comment.pk:
            said.draft, said.problem = draft, problem
            said.changed = list(differences(said.comment.text, draft.replace("\r\n", "\n"))) if is_conflict else None
    return render(request, "experiments/run_notes.html", context)


def _back(request: HttpRequest, run: Run, comment: Comment) -> HttpResponse:
    return redirect(f"{with_pairs(tab_url(run, 'notes'), came_from(request))}#comment-{comment.pk.hex}")


def _key(text: str) -> UUID | None:
    try:
        return UUID(hex=text) if text else None
    except ValueError:
        return None
