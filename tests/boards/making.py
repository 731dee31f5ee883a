"""Boards, guests with claim tokens, and what they submit."""

from __future__ import annotations

import dataclasses
from typing import Any

from boards.actions.boards import Terms, open_board
from boards.actions.entries import submit_entry
from boards.claims import as_contributor, new_secret, with_claim
from boards.models import Board, Submission
from boards.wanted import Wanted
from kernel.actor import Actor, Door, anonymous
from tests.factories import Team

TERMS = Terms(
    question="Predict the rating of a wine from 11 lab values.",
    result_key="rmse",
    result_label="RMSE on the test file",
    is_lower_better=True,
)


def a_board(team: Team, **terms: Any) -> Board:
    """The team's project as a public board: the lowest rmse is best."""
    return open_board(team.manager, team.project, terms=dataclasses.replace(TERMS, **terms))


def wanted(rmse: Any = "0.612", **more: Any) -> Wanted:
    """A good entry."""
    said: dict[str, Any] = {
        "email": "noor@school.example",
        "model": "gradient boosting, 300 trees",
        "results": [("rmse", str(rmse))],
        "params": [("learning_rate", "0.05"), ("max_depth", "5")],
    }
    return Wanted(**(said | more))


def a_guest(board: Board, secret: str = "") -> Actor:
    """Somebody without an account, in a new request, with this claim token or with one that nobody knows yet."""
    return as_contributor(anonymous(Door.WEB), board, secret or new_secret())


def a_reader(board: Board, secret: str) -> Actor:
    """The same in a request that only reads: a claim token that is not known opens nothing."""
    return with_claim(anonymous(Door.WEB), board, secret)


def an_entry(board: Board, secret: str = "", *, rmse: Any = "0.612", **more: Any) -> tuple[Submission, str]:
    """An entry of a guest, and the claim token that is its key."""
    secret = secret or new_secret()
    return submit_entry(a_guest(board, secret), board, wanted=wanted(rmse, **more)), secret
