"""Public boards: a project that takes entries from anybody, and shows them to whoever gave one."""

from boards.models.boards import Board
from boards.models.entries import ReaderPass, Submission

__all__ = ["Board", "ReaderPass", "Submission"]
