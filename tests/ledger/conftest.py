"""Events to put into the log, and an installation's directory of its own for each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from audit.ledger.acting import acting
from audit.ledger.values import Subject
from kernel.actor import Actor, system


@pytest.fixture(autouse=True)
def data(settings, tmp_path: Path) -> Path:
    """MLED_DATA of this test: keys, anchors, the sequencer's lock."""
    settings.MLED_DATA = tmp_path / "data"
    settings.MLED_DATA.mkdir()
    settings.MLED_SIGNING_KEY = ""
    settings.MLED_LEDGER_ORIGIN = "log.example.org"
    return settings.MLED_DATA


@pytest.fixture
def act() -> Callable[..., UUID]:
    """Record an act on a thing that is in no table: `act("tidied", thing="desk")`."""

    def write(verb: str = "thing.made", *, thing: str = "desk", actor: Actor | None = None, reason: str = "") -> UUID:
        with acting(actor or system(), verb) as open_act:
            open_act.speaks_of(Subject("test.thing", thing))
            open_act.reason = reason
            open_act.record("test.thing", thing, "set", {"verb": (None, verb)})
        return open_act.event_id

    return write
