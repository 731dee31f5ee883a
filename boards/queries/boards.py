"""The boards that somebody may meet."""

from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.access import not_found
from accounts.models import Project
from boards.models import Board, ReaderPass
from kernel.actor import Actor
from kernel.clock import now


def boards_open_to(viewer: Actor) -> QuerySet[Board]:
    """The public boards, those that still take entries first, then by name."""
    rows: QuerySet[Board] = Board.objects.visible_to(viewer).filter(project__visibility=Project.Visibility.BOARD)
    taking = Q(is_open=True) & (Q(closes_at=None) | Q(closes_at__gt=now()))
    return rows.annotate(takes=taking).select_related("project").order_by("-takes", "project__name", "pk")


def get_board(viewer: Actor, slug: str) -> Board:
    """The public board of this name. Raises NotFound, the same for absent, private and ended ones."""
    found = boards_open_to(viewer).filter(project__slug=slug).first()
    if found is None:
        raise not_found(Board, slug)
    return found


def board_of(viewer: Actor, project: Project) -> Board | None:
    """The board of a project, also one that ended; None where it never was one."""
    found: Board | None = Board.objects.visible_to(viewer).filter(project=project).select_related("project").first()
    return found


def claims_of(viewer: Actor, board: Board) -> QuerySet[ReaderPass]:
    """The claim tokens of a board, for members; the newest first."""
    rows: QuerySet[ReaderPass] = ReaderPass.objects.visible_to(viewer).filter(board=board)
    return rows.select_related("user").order_by("-created_at", "pk")


def counted_claims(viewer: Actor, board: Board) -> QuerySet[ReaderPass]:
    """The same with `entries`: how many were given with each."""
    return claims_of(viewer, board).annotate(entries=Count("submissions"))


def get_claim(viewer: Actor, board: Board, claim: UUID) -> ReaderPass:
    """One of them. Raises NotFound."""
    found = claims_of(viewer, board).filter(pk=claim).first()
    if found is None:
        raise not_found(ReaderPass)
    return found
