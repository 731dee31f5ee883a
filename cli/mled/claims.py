"""Claim tokens of public boards: made here before anything is sent, so that a lost answer makes no second contributor.

They lie with the settings, by server and board, in the file that only its owner reads.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import replace
from typing import Any, Final

from mled.connection import Connection
from mled.here import Here
from mled.places import read_config, write_config
from mled.problems import NotAllowed, Problem, Usage

PREFIX: Final = "claim_"
_CLAIM = re.compile(r"claim_[A-Za-z0-9_-]{43}")


def new_claim() -> str:
    """A claim token that nobody has: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def kept_claim(url: str, board: str) -> str:
    """The claim token that was kept for a board of a server; '' for none."""
    return str(_claims().get(url, {}).get(board) or "")


def keep_claim(url: str, board: str, secret: str) -> None:
    """Keep a claim token for a board of a server."""
    claims = _claims()
    claims[url] = {**claims.get(url, {}), board: secret}
    write_config({**read_config(), "claims": claims})


def _claims() -> dict[str, Any]:
    claims = read_config().get("claims")
    return dict(claims) if isinstance(claims, dict) else {}


class AtBoard:
    """A board of a server, as one person comes to it.

    The claim token is what was said now, else MLED_CLAIM_TOKEN, else what was kept. Without one, whoever is signed in
    comes by their account.
    """

    def __init__(self, here: Here, board: str, said: str = "") -> None:
        self.here, self.board, self.url = here, board, here.place.url
        self.secret = said or os.environ.get("MLED_CLAIM_TOKEN", "").strip() or kept_claim(self.url, board)
        if self.secret and not _CLAIM.fullmatch(self.secret):
            raise Usage(
                "This is no claim token.", hint=f"It begins with {PREFIX} and was shown once.", field="--claim-token"
            )
        self.is_new = False

    @property
    def path(self) -> str:
        """Where the board is in the API."""
        return f"boards/{self.board}/"

    def connection(self) -> Connection:
        """By the claim token, or as whoever is signed in."""
        if not self.secret:
            return self.here.connection
        place = replace(self.here.place, token=self.secret, token_from="the claim token")  # noqa: S106  # words
        return Connection(place, told=self.here.show.note)

    def begin(self) -> None:
        """Have a claim token before anything is sent; who is signed in needs none of their own making."""
        if not self.secret and not self.here.place.token:
            self.secret, self.is_new = new_claim(), True
        if self.secret:
            keep_claim(self.url, self.board, self.secret)

    def told(self, problem: Problem) -> Problem:
        """A refusal to read, with what to do."""
        if problem.code != "SUBMISSION_REQUIRED":
            return problem
        return NotAllowed(
            problem.message,
            hint=f"Run `mled submit --board {self.board} entry.json --email you@…`, or say --claim-token.",
            code=problem.code,
            status=problem.status,
            request_id=problem.request_id,
        )
