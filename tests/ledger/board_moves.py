"""What the random walk does with public boards, in a project of its own: the walk's own is under audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.roles import Role
from boards.actions import boards, entries, exports, moderation
from boards.claims import as_contributor, new_secret, with_claim
from boards.models import Board, ReaderPass, Submission
from boards.queries.entries import Asked
from boards.wanted import Wanted
from kernel.actor import Actor, Door, anonymous
from tests.factories import a_person, a_project, join


def _board(walk: Any) -> Board:
    """The board of the walk, made when it is first looked for."""
    rows = Board.objects.select_related("project").filter(project__slug__startswith="walked-board")
    board: Board | None = rows.first()
    if board is not None:
        return board
    walk.keeper, project = a_person("Kay"), a_project("walked-board")
    join(project, walk.keeper, Role.PROJECT_MANAGER)
    walk.secrets = [new_secret() for _ in range(3)]
    return boards.open_board(walk.keeper, project, terms=_terms(walk))


def _terms(walk: Any) -> boards.Terms:
    return boards.Terms(
        question=walk.text() or "Which?",
        result_key="score",
        is_open=walk.chance.random() < 0.9,
        checks_first=walk.chance.random() < 0.3,
    )


def _keeper(walk: Any, board: Board) -> Actor:
    return Actor(walk.keeper.kind, Door.WEB, user_id=walk.keeper.user_id, user_name=walk.keeper.user_name)


def _wanted(walk: Any) -> Wanted:
    return Wanted(
        email="noor@school.example",
        model=walk.text() or "trees",
        results=[("score", walk.chance.choice(("0.5", "1e-3", "7", walk.text())))],
        params=[("depth", walk.chance.choice(("5", "6", walk.text())))],
        note=walk.text(),
    )


def _guest(walk: Any, board: Board) -> Actor:
    return as_contributor(anonymous(Door.WEB), board, walk.chance.choice(walk.secrets))


def _submit(walk: Any) -> None:
    board = _board(walk)
    entries.submit_entry(_guest(walk, board), board, wanted=_wanted(walk))


def _change(walk: Any) -> None:
    board = _board(walk)
    entries.change_entry(_guest(walk, board), walk.any(Submission, board=board), wanted=_wanted(walk))


def _withdraw(walk: Any) -> None:
    board = _board(walk)
    entries.withdraw_entry(_guest(walk, board), walk.any(Submission, board=board))


def _set_terms(walk: Any) -> None:
    board = _board(walk)
    boards.set_terms(_keeper(walk, board), board, terms=_terms(walk))


def _end_and_open(walk: Any) -> None:
    """end_board, open_board."""
    board = _board(walk)
    boards.end_board(_keeper(walk, board), board, reason=walk.text())
    boards.open_board(_keeper(walk, board), board.project, terms=_terms(walk))


def _moderate(walk: Any) -> None:
    """hide_entry, show_entry."""
    board = _board(walk)
    entry, keeper = walk.any(Submission, board=board), _keeper(walk, board)
    moderation.hide_entry(keeper, entry, reason=walk.text())
    moderation.show_entry(keeper, entry)


def _end_claim(walk: Any) -> None:
    board = _board(walk)
    if walk.chance.random() < 0.2:
        moderation.end_claim(_keeper(walk, board), walk.any(ReaderPass, board=board), reason=walk.text())
        walk.secrets.append(new_secret())


def _keep_claim(walk: Any) -> None:
    """Somebody who signs in keeps the claim token of an entry just given."""
    board, secret = _board(walk), new_secret()
    boards.set_terms(_keeper(walk, board), board, terms=boards.Terms(question="Which?", result_key="score"))
    wanted = Wanted(email="noor@school.example", model="trees", results=[("score", "0.5")])
    entries.submit_entry(as_contributor(anonymous(Door.WEB), board, secret), board, wanted=wanted)
    moderation.keep_claim(with_claim(a_person(), board, secret), board)


def _take_out(walk: Any) -> None:
    board = _board(walk)
    exports.note_entries_taken(_keeper(walk, board), board, asked=Asked(model=walk.text()), word="CSV")


BOARDS: list[Callable[[Any], Any]] = [
    _take_out,
    _submit,
    _submit,
    _change,
    _withdraw,
    _set_terms,
    _end_and_open,
    _moderate,
    _end_claim,
    _keep_claim,
]
