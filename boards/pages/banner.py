"""What a project's overview says while it is a public board. Every page of it has a line of it above, see base.html."""

from django.urls import reverse

from accounts.access import can
from accounts.models import Project
from artifacts.pages.slots import Panel
from boards.queries.boards import board_of
from boards.queries.entries import numbers_by_state
from kernel.actor import Actor


def banner(viewer: Actor, project: Project) -> Panel | None:
    """That the project is open to all, how many entries it has and how many wait; None for any other."""
    board = board_of(viewer, project) if project.is_board else None
    if board is None:
        return None
    numbers = numbers_by_state(viewer, board) if can(viewer, "boards.see", board) else {}
    keeping = reverse("boards:keeping", args=[project.slug]) if can(viewer, "boards.moderate", project) else ""
    return Panel("boards/banner.html", {"board": board, "numbers": numbers, "keeping_url": keeping})
