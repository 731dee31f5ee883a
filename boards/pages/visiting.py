"""Who comes to a board's pages: a person who is signed in, or a guest whose browser keeps a claim token in a cookie."""

from dataclasses import dataclass, replace
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.access import Denied, can, roles_in
from accounts.pages.doors import actor_of
from boards.claims import SubmissionRequired, digest_of, with_claim
from boards.models import Board
from boards.queries.boards import get_board
from kernel.actor import Actor, anonymous
from kernel.errors import Invalid

YEAR: Final = 365 * 24 * 3600
SHOWN_FOR: Final = 15 * 60  # seconds until the mark that a claim token is still to be shown runs out


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to a board: who came, before and with their claim token, and what they may."""

    visitor: Actor
    viewer: Actor
    board: Board
    secret: str

    @property
    def slug(self) -> str:
        return self.board.project.slug

    def url(self, name: str = "board", *args: object) -> str:
        """The address of a page of the board."""
        return reverse(f"boards:{name}", args=[self.slug, *args])

    @property
    def is_member(self) -> bool:
        """Whether they have a role in the project: they need no claim token."""
        return bool(roles_in(self.visitor, self.board.project_id))

    @property
    def reads(self) -> bool:
        """Whether the entries are open to them."""
        return bool(can(self.viewer, "boards.see", self.board))

    @property
    def may_submit(self) -> bool:
        """Whether an entry of theirs would be taken, as far as it is about them."""
        return bool(can(self.viewer, "boards.submit", self.board))

    @property
    def refused(self) -> str:
        """Why their claim token opens nothing any more; '' where nothing stands against it."""
        verdict = can(self.viewer, "boards.see", self.board)
        error = verdict.error if isinstance(verdict, Denied) else None
        return "" if error is None or isinstance(error, SubmissionRequired) else str(error)

    @property
    def keeps(self) -> bool:
        """Whether they moderate the board."""
        return bool(can(self.viewer, "boards.moderate", self.board))


def visit(request: HttpRequest, slug: str) -> Visit:
    """Who came to this board. Raises NotFound where there is none."""
    if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
        raise Invalid("The address holds a NUL character.", hint="Check the address.")
    visitor = visitor_of(request)
    board = get_board(visitor, slug)
    secret = request.COOKIES.get(cookie_of(board), "")
    is_member = bool(roles_in(visitor, board.project_id))  # in their own name, whatever their browser keeps
    return Visit(visitor, visitor if is_member else with_claim(visitor, board, secret), board, secret)


def visitor_of(request: HttpRequest) -> Actor:
    """Who came, before any board is looked at; nobody in particular has an address all the same."""
    actor, meta = actor_of(request), request.META
    if not actor.is_person:
        actor = anonymous(actor.door, actor.request_id)
    return replace(actor, ip=meta.get("REMOTE_ADDR", ""), client=meta.get("HTTP_USER_AGENT", "")[:200])


def is_known(came: Visit, secret: str) -> bool:
    """Whether an entry of the board was given with this very claim token, not with another that the account keeps."""
    held = with_claim(replace(came.visitor, memo={}), came.board, secret).claim
    return held is not None and held.digest == digest_of(secret)


def cookie_of(board: Board) -> str:
    """The name of the cookie that keeps a claim token to this board."""
    return f"mled_claim_{board.project.slug}"


def keep_in_browser(response: HttpResponse, board: Board, secret: str) -> None:
    """Have the browser keep a claim token for the pages of this board."""
    response.set_cookie(
        cookie_of(board),
        secret,
        max_age=YEAR,
        path=reverse("boards:board", args=[board.project.slug]),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def take_from_browser(response: HttpResponse, board: Board) -> None:
    """Have the browser forget it."""
    response.delete_cookie(cookie_of(board), path=reverse("boards:board", args=[board.project.slug]), samesite="Lax")


def mark_as_new(response: HttpResponse, board: Board, number: int, *, first: bool) -> None:
    """Have the next page tell of this entry, and show the claim token if it is the first with it."""
    response.set_cookie(
        f"{cookie_of(board)}_new",
        f"{number}{'-first' if first else ''}",
        max_age=SHOWN_FOR,
        path=reverse("boards:board", args=[board.project.slug]),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def told_as_new(request: HttpRequest, board: Board) -> tuple[int, bool] | None:
    """The number of an entry that was just stored, and whether its claim token is to be shown; None for none."""
    number, _, first = request.COOKIES.get(f"{cookie_of(board)}_new", "").partition("-")
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    return (int(number), first == "first") if is_number else None


def told_once(response: HttpResponse, board: Board) -> None:
    """It was told."""
    path = reverse("boards:board", args=[board.project.slug])
    response.delete_cookie(f"{cookie_of(board)}_new", path=path, samesite="Lax")
