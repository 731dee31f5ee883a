"""A board's own page: the invitation with its form, and the entries once one was given."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.queries.people import my_account
from boards.actions.entries import change_entry, submit_entry, withdraw_entry
from boards.actions.exports import note_entries_taken
from boards.actions.moderation import keep_claim
from boards.claims import SubmissionRequired, as_contributor, checked_secret, new_secret, with_claim
from boards.models import Board, Submission
from boards.pages.form import EntryForm, blank, filled, result_words
from boards.pages.matters import against_best, matters_of
from boards.pages.question import Question
from boards.pages.table import table_of
from boards.pages.visiting import (
    Visit,
    is_known,
    keep_in_browser,
    mark_as_new,
    take_from_browser,
    told_as_new,
    told_once,
    visit,
    visitor_of,
)
from boards.queries.boards import boards_open_to
from boards.queries.entries import Asked, entries_of, find_entry, latest_number, own_entries, own_entry, told
from boards.queries.relations import gathered
from boards.sheet import sheet_of
from experiments.exporting.formats import format_of
from experiments.refs import number_in
from experiments.rest.tables import streamed
from kernel.errors import Conflict, Invalid, MledError

BOARDS_MAX = 200
P = ParamSpec("P")


def opened_by_an_entry(
    view: Callable[Concatenate[HttpRequest, str, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]:
    """Below the board's own page: before an entry the invitation, with status 403."""

    @wraps(view)
    def door(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, slug, *args, **kwargs)
        except SubmissionRequired as error:
            return _rendered(request, visit(request, slug), "boards/closed.html", {}, status=error.status)

    return door


@require_safe
def boards(request: HttpRequest) -> HttpResponse:
    """The boards that are open to all."""
    rows = boards_open_to(visitor_of(request))[:BOARDS_MAX]
    return _private(render(request, "boards/boards.html", {"at": "boards", "boards": rows, "frame": _frame(request)}))


@require_http_methods(["GET", "HEAD", "POST"])
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """The form until an entry was given, then the entries; a post submits one."""
    came = visit(request, slug)
    if request.method == "POST":
        return _submitted(request, came)
    if not came.reads:
        return _invitation(request, came, _new_form(request, came))
    response = _rendered(request, came, "boards/board.html", _open_context(request, came))
    if told_as_new(request, came.board) is not None:
        told_once(response, came.board)
    return response


@require_safe
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """The form for another entry."""
    came = visit(request, slug)
    return _invitation(request, came, _new_form(request, came))


@require_safe
@opened_by_an_entry
def entry(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One entry with all that it says; one's own however it stands."""
    came = visit(request, slug)
    found = find_entry(came.viewer, came.board, number)
    [one] = told(came.viewer, came.board, [found])
    return _rendered(request, came, "boards/entry.html", {"one": one, "is_open": came.board.takes_entries})


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The form of one's own entry, filled in."""
    came = visit(request, slug)
    found = own_entry(came.viewer, came.board, number)
    [one] = told(came.viewer, came.board, [found])
    form = EntryForm(came.board, request.POST or None, initial=filled(one, came.board))
    if request.method == "POST" and form.is_valid():
        try:
            change_entry(came.viewer, found, wanted=form.wanted())
        except MledError as error:
            form.tell(error)
        else:
            messages.success(request, f"Entry {number} is changed.")
            return redirect("boards:entry", slug, number)
    return _rendered(request, came, "boards/change.html", {"form": form, "one": one}, status=_status(form))


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Asks first; a post takes one's own entry back."""
    came = visit(request, slug)
    found = own_entry(came.viewer, came.board, number)
    if request.method != "POST":
        return _rendered(request, came, "boards/withdraw.html", {"row": found})
    withdraw_entry(came.viewer, found)
    messages.success(request, f"Entry {number} is withdrawn.")
    return redirect("boards:board", slug)


@require_POST
def enter_claim(request: HttpRequest, slug: str) -> HttpResponse:
    """Have this browser keep a claim token that was given to another one."""
    came = visit(request, slug)
    try:
        secret = checked_secret(request.POST.get("claim_token", "")[:200])
        if not is_known(came, secret):
            raise Invalid("No entry of this board was given with it.", hint="Check it.", field="claim_token")
    except Invalid as error:
        return _invitation(request, came, _new_form(request, came), claim_problem=error)
    response = redirect("boards:board", slug)
    keep_in_browser(response, came.board, secret)
    return response


@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    """Have this browser forget its claim token."""
    came = visit(request, slug)
    response = redirect("boards:board", slug)
    take_from_browser(response, came.board)
    messages.success(request, "This browser has forgotten your claim token.")
    return response


@require_POST
def keep(request: HttpRequest, slug: str) -> HttpResponse:
    """Link the browser's claim token to the account of who is signed in."""
    came = visit(request, slug)
    try:
        keep_claim(came.viewer, came.board)
    except (Invalid, Conflict) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Your account keeps this claim token: signed in, you read this board anywhere.")
    return redirect("boards:board", slug)


@require_safe
@opened_by_an_entry
def news(request: HttpRequest, slug: str) -> HttpResponse:
    """How many entries match that a page which stays open does not show: newer than `after`, or more than `known`."""
    came = visit(request, slug)
    asked, _ = Question.of(came.url(), request.GET).readable()
    rows = entries_of(came.viewer, came.board, asked)
    after, known = (number_in(request.GET.get(name, "")) for name in ("after", "known"))
    new = rows.filter(number__gt=after or 0).count()
    more = 0 if known is None else rows.count() - known  # a manager let one in that is older
    return _private(JsonResponse({"new": max(new, more, 0), "newest": latest_number(came.viewer, came.board)}))


@require_safe
@opened_by_an_entry
def as_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The entries that match as a file."""
    came, form = visit(request, slug), format_of("csv")
    asked = Question.of(came.url(), request.GET).asked()
    fields, rows = sheet_of(came.viewer, came.board, asked)
    note_entries_taken(came.viewer, came.board, asked=asked, word=form.word)
    return streamed(form.write(fields, rows), "csv", f"{slug}-entries")


def _submitted(request: HttpRequest, came: Visit) -> HttpResponse:
    form = EntryForm(came.board, request.POST)
    if not form.is_valid():
        return _invitation(request, came, form)
    try:
        wanted = form.wanted()
        secret = "" if came.is_member else came.secret if came.viewer.claim else _brought(form)
        actor = came.viewer if not secret else as_contributor(came.visitor, came.board, secret)
        is_first = actor.claim is not None and actor.claim.is_new
        stored = submit_entry(actor, came.board, wanted=wanted, key=form.entry_id())
    except MledError as error:
        form.tell(error)
        return _invitation(request, came, form, status=error.status)
    response = redirect("boards:board", came.board.project.slug)
    if secret:
        keep_in_browser(response, came.board, secret)
    mark_as_new(response, came.board, stored.number, first=is_first or bool(secret and secret != came.secret))
    return response


def _brought(form: EntryForm) -> str:
    """The claim token that was made with the form, so that sending it twice stays one contributor."""
    try:
        return checked_secret(form.cleaned_data["claim_token"])
    except Invalid:
        return new_secret()


def _new_form(request: HttpRequest, came: Visit) -> EntryForm:
    email = my_account(came.visitor).email if came.visitor.is_person else ""
    return EntryForm(came.board, initial=blank(email))


def _invitation(
    request: HttpRequest, came: Visit, form: EntryForm, *, claim_problem: Invalid | None = None, status: int = 0
) -> HttpResponse:
    own = own_entries(came.viewer, came.board)
    context = {
        "form": form,
        "claim_problem": claim_problem,
        "claim_typed": request.POST.get("claim_token", "")[:200] if claim_problem else "",
        "not_shown": [] if came.reads else told(came.viewer, came.board, list(own[:20])),
        "root": f"{request.scheme}://{request.get_host()}",
    }
    status = status or (400 if claim_problem is not None else _status(form))
    return _rendered(request, came, "boards/invitation.html", context, status=status)


def _open_context(request: HttpRequest, came: Visit) -> dict[str, Any]:
    question = Question.of(came.url(), request.GET)
    asked, problem = question.readable()
    held = gathered(came.viewer, came.board, asked)
    return {
        **table_of(came, question, asked, held),
        **matters_of(came, held),
        **_just_stored(request, came),
        "against": against_best(came),
        "problem": problem,
        "csv_url": question.url(came.url("csv")),
        "live_url": question.url(came.url("news"), page=""),
        "can_keep": _can_keep(came),
    }


def _just_stored(request: HttpRequest, came: Visit) -> dict[str, Any]:
    """The entry that was just stored, its place, and the claim token if it is the first with it: told once."""
    mark = told_as_new(request, came.board)
    row = own_entries(came.viewer, came.board).filter(number=mark[0]).first() if mark is not None else None
    if mark is None or row is None:
        return {}
    ranked = entries_of(came.viewer, came.board, Asked()).filter(state=Submission.State.SHOWN).count()
    [stored] = told(came.viewer, came.board, [row])
    return {"stored": stored, "ranked": ranked, "show_token": came.secret if mark[1] and not came.is_member else ""}


def _can_keep(came: Visit) -> bool:
    """Whether a signed-in person holds a claim token that their account does not keep yet."""
    claim = came.viewer.claim
    if not came.visitor.is_person or claim is None or not came.secret:
        return False
    kept = with_claim(replace(came.visitor, memo={}), came.board, "").claim
    return kept is None or kept.id != claim.id


def _status(form: EntryForm) -> int:
    return 400 if form.is_bound and form.errors else 200


def _frame(request: HttpRequest) -> str:
    return "base.html" if request.user.is_authenticated else "boards/frame.html"


def _rendered(
    request: HttpRequest, came: Visit, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    board: Board = came.board
    whole = {
        "at": "boards",
        "frame": _frame(request),
        "board": board,
        "slug": board.project.slug,
        "board_url": reverse("boards:board", args=[board.project.slug]),
        "label": board.result_label or board.result_key,
        "arrow": "↓" if board.is_lower_better else "↑",
        "came": came,
        "result_words": result_words(board),
        "is_member": came.is_member,
        "keeps": came.keeps,
        "reads": came.reads,
        **({"project": board.project} if came.is_member else {}),
    }
    return _private(render(request, template, whole | context, status=status))


def _private(response: HttpResponse) -> HttpResponse:
    """What one visitor sees is nobody else's."""
    add_never_cache_headers(response)
    return response
