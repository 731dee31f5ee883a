"""Acts at the same moment, each in a thread with a database connection of its own (with the fixture committed_db)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections

WITHIN = 60  # seconds until a test that hangs says so


@dataclass(frozen=True)
class Outcome:
    """What an act gave back, or what it raised."""

    value: Any = None
    error: BaseException | None = None


def together(*acts: Callable[[], Any]) -> list[Outcome]:
    """Do all of these at once; their outcomes in the order of the acts."""
    outcomes: list[Outcome | None] = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def do(place: int, act: Callable[[], Any]) -> None:
        start.wait(WITHIN)
        try:
            outcomes[place] = Outcome(act())
        except BaseException as error:  # told by whoever waits for the outcome
            outcomes[place] = Outcome(error=error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=do, args=one, daemon=True) for one in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WITHIN)
    assert not any(thread.is_alive() for thread in threads), "Some acts wait for each other."
    return [outcome for outcome in outcomes if outcome is not None]


def values(outcomes: list[Outcome]) -> list[Any]:
    """What those gave back that went well."""
    return [outcome.value for outcome in outcomes if outcome.error is None]


def errors(outcomes: list[Outcome]) -> list[BaseException]:
    """What the others raised."""
    return [outcome.error for outcome in outcomes if outcome.error is not None]
