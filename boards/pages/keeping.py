"""Where a manager opens a project as a public board, sets its terms and moderates what came."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import can, find_project, not_found, require
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.pages.tabs import Tab, settings_tabs
from boards.actions.boards import (
    A_DAY_MAX,
    INSTRUCTIONS_MAX,
    LABEL_MAX,
    QUESTION_MAX,
    Terms,
    end_board,
    open_board,
    set_terms,
)
from boards.actions.moderation import end_claim, hide_entry, show_entry
from boards.models import Board, Submission
from boards.queries.boards import board_of, counted_claims, get_claim
from boards.queries.entries import Asked, entries_of, get_entry, numbers_by_state, told
from kernel.actor import Actor
from kernel.errors import Conflict, MledError

PAGE: Final = 50
CLAIMS: Final = 100
OPEN: Final = "boards.open"
STATES: Final = [(state.value, state.label) for state in Submission.State]


class TermsForm(forms.Form):
    """What a board asks for, and how it is kept."""

    question = forms.CharField(
        label="Task", max_length=QUESTION_MAX, help_text="In one line, such as <em>Predict the rating of a wine.</em>"
    )
    instructions = forms.CharField(
        required=False,
        max_length=INSTRUCTIONS_MAX,
        help_text="Where the data are, the rules, how results are measured. Markdown.",
        widget=forms.Textarea(attrs={"rows": 5, "data-markdown": ""}),
    )
    result_key = forms.CharField(
        label="Result", max_length=250, help_text="Entries are ranked by it: its short name, such as <code>rmse</code>."
    )
    result_label = forms.CharField(
        label="Its label", required=False, max_length=LABEL_MAX, help_text="As in <em>RMSE on the test file</em>."
    )
    is_lower_better = forms.BooleanField(label="The lower, the better", required=False)
    is_open = forms.BooleanField(
        label="Takes entries", required=False, initial=True, help_text="Without it, entries can only be read."
    )
    closes_at = forms.DateTimeField(
        label="Closes",
        required=False,
        help_text="UTC; empty for never.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )
    checks_first = forms.BooleanField(
        label="Entries wait until a manager lets them show", required=False, help_text="They open the board at once."
    )
    stays_open = forms.BooleanField(label="Who withdraws the only entry goes on reading", required=False)
    entries_a_day = forms.IntegerField(
        label="Entries a day", min_value=1, max_value=A_DAY_MAX, initial=20, help_text="Of one claim token."
    )

    def terms(self) -> Terms:
        """As the action takes them."""
        return Terms(**self.cleaned_data)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def keeping(request: HttpRequest, slug: str) -> HttpResponse:
    """The terms, the entries by state, and the claim tokens; a post opens the board or sets its terms.

    Members read what managers set.
    """
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    board = board_of(viewer, project)
    form = TermsForm(request.POST or None, initial=_terms_of(board))
    if request.method == "POST":
        require(viewer, OPEN, project)
    if request.method == "POST" and form.is_valid():
        try:
            if board is not None and project.is_board:
                set_terms(viewer, board, terms=form.terms())
            else:
                open_board(viewer, project, terms=form.terms())
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, "The terms are set." if project.is_board else "The board is open to all.")
            return redirect("boards:keeping", slug)
    context = {
        "at": "settings",
        "tab": "board",
        "tabs": settings_tabs(project),
        "project": project,
        "board": board,
        "form": form,
        "is_board": project.is_board,
        "may_open": bool(can(viewer, OPEN, project)),
    }
    if board is not None and project.is_board and can(viewer, "boards.see", board):
        context |= _moderating(request, viewer, board)
    status = 400 if form.is_bound and form.errors else 200
    return render(request, "boards/keeping.html", context, status=status)


@require_POST
@signed_in
def end(request: HttpRequest, slug: str) -> HttpResponse:
    """Make the project its members' own again."""
    viewer, board = _kept(request, slug)
    end_board(viewer, board, reason=request.POST.get("reason", "")[:1000])
    messages.success(request, "The board has ended. Its entries stay as runs of the project.")
    return redirect("boards:keeping", slug)


@require_POST
@signed_in
def show(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Let an entry show."""
    viewer, board = _kept(request, slug)
    return _done(request, slug, lambda: show_entry(viewer, get_entry(viewer, board, number)), f"Entry {number} shows.")


@require_POST
@signed_in
def hide(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Take an entry off."""
    viewer, board = _kept(request, slug)
    reason = request.POST.get("reason", "")
    return _done(
        request,
        slug,
        lambda: hide_entry(viewer, get_entry(viewer, board, number), reason=reason),
        f"Entry {number} is taken off.",
    )


@require_POST
@signed_in
def end_token(request: HttpRequest, slug: str, claim: Any) -> HttpResponse:
    """End a claim token."""
    viewer, board = _kept(request, slug)
    reason = request.POST.get("reason", "")
    return _done(
        request,
        slug,
        lambda: end_claim(viewer, get_claim(viewer, board, claim), reason=reason),
        f"Claim token {claim.hex[:8]} is ended.",
    )


def settings_tab(project: Project) -> Tab:
    """The tab among the project's settings."""
    return Tab("board", "Board", reverse("boards:keeping", args=[project.slug]))


def _done(request: HttpRequest, slug: str, act: Any, words: str) -> HttpResponse:
    try:
        act()
    except (Conflict, MledError) as error:
        if error.status in (401, 403, 404):
            raise
        messages.error(request, str(error))
    else:
        messages.success(request, words)
    state = request.POST.get("state", "")
    known = {name for name, _ in STATES}
    return redirect(reverse("boards:keeping", args=[slug]) + (f"?state={state}#entries" if state in known else ""))


def _kept(request: HttpRequest, slug: str) -> tuple[Actor, Board]:
    """Who asks, and the board that they keep."""
    viewer = actor_of(request)
    project: Project = find_project(viewer, slug)
    board = board_of(viewer, project)
    if board is None:
        require(viewer, OPEN, project)
        raise not_found(Board, slug)
    return viewer, board


def _terms_of(board: Board | None) -> dict[str, Any]:
    if board is None:
        return {}
    return {name: getattr(board, name) for name in TermsForm.base_fields}


def _moderating(request: HttpRequest, viewer: Actor, board: Board) -> dict[str, Any]:
    chosen = request.GET.get("state", "")
    known = [name for name, _ in STATES]
    counts = numbers_by_state(viewer, board)
    usual = Submission.State.HELD if counts.get("held") else Submission.State.SHOWN
    state = chosen if chosen in known else usual.value
    rows = entries_of(viewer, board, Asked(states=[state], order="new"))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    claims = counted_claims(viewer, board)
    return {
        "state": state,
        "states": [(name, label, counts.get(name, 0)) for name, label in STATES],
        "page": page,
        "entries": told(viewer, board, list(page)),
        "claims": claims[:CLAIMS],
        "claims_more": max(0, claims.count() - CLAIMS),
        "may_moderate": bool(can(viewer, "boards.moderate", board)),
        "board_url": reverse("boards:board", args=[board.project.slug]),
        "shared_url": request.build_absolute_uri(reverse("boards:board", args=[board.project.slug])),
    }
