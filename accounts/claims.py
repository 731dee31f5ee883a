"""What people without a role may where a project is a public board: by the claim token that they hold.

The room of boards knows its tokens and what was submitted with them; it registers here what it says of them.
"""

from collections.abc import Callable, Collection
from typing import Any, Final
from uuid import UUID

from kernel.actor import Actor
from kernel.errors import MledError, Refused

MEET: Final = "boards.meet"  # what everybody may: see that a board is there, and what it asks for

# Why this actor may not do that to a row of a public board; None where they may.
Judge = Callable[[Actor, str, Any], MledError | None]
# The projects whose entries the actor's claim token opens.
Opened = Callable[[Actor], Collection[UUID]]

_judges: list[Judge] = []
_opened: list[Opened] = []


def register_claims(judge: Judge, opened: Opened) -> None:
    """Let the room of boards say what a claim token is good for."""
    _judges.append(judge)
    _opened.append(opened)


def judged(actor: Actor, permission: str, subject: Any) -> MledError | None:
    """Why somebody without a role may not; None where they may. Without a room that says yes, nobody may."""
    if permission == MEET:
        return None
    if not _judges:
        return Refused("Nothing is submitted here.")
    return next((error for judge in _judges if (error := judge(actor, permission, subject)) is not None), None)


def opened_to(actor: Actor) -> set[UUID]:
    """The projects whose entries this actor reads without a role in them."""
    return {project for opened in _opened for project in opened(actor)}
