"""What the pages of a project say while it is a public board."""

from accounts.models import Project
from artifacts.pages.slots import Panel
from boards.queries.boards import board_of
from kernel.actor import Actor


def banner(viewer: Actor, project: Project) -> Panel | None:
    """That the project is open to all; None for any other."""
    board = board_of(viewer, project) if project.is_board else None
    return None if board is None else Panel("boards/banner.html", {"board": board})
