"""A board with an entry of a guest, in a project that is its members' own again."""

from accounts.models import Project
from boards.actions.boards import Terms, end_board, open_board
from boards.actions.entries import submit_entry
from boards.claims import as_contributor, new_secret
from boards.models import Submission
from boards.wanted import Wanted
from kernel.actor import Door, anonymous, operator


def a_board_that_ended(project: Project, word: str) -> Submission:
    """`word` stands in each text that somebody gave."""
    terms = Terms(question=word, instructions=word, result_key=f"{word}-score", result_label=word)
    board = open_board(operator(), project, terms=terms)
    guest = as_contributor(anonymous(Door.WEB), board, new_secret())
    wanted = Wanted(
        email=f"{word}@example.org",
        model=word,
        results=[(f"{word}-score", "0.5")],
        params=[(word, word)],
        code=f"https://example.org/{word}",
        note=word,
    )
    entry = submit_entry(guest, board, wanted=wanted)
    end_board(operator(), board, reason=word)
    return entry
