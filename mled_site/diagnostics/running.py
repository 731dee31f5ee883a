"""Carrying checks out: each in a thread of its own, with a time limit, so that one that hangs holds up nobody."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections

from kernel.clock import now
from mled_site.diagnostics.reaching import database_trouble
from mled_site.diagnostics.registry import Check
from mled_site.diagnostics.results import Asked, Notes, Problem, Report, Result
from mled_site.diagnostics.secrecy import without_secrets
from mled_site.diagnostics.words import said

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Under:
    """One check under way."""

    check: Check
    notes: Notes
    thread: threading.Thread
    began: float
    took: float = 0.0


def examine(checks: Sequence[Check], asked: Asked | None = None) -> Report:
    """Carry these out at the same time; takes as long as the slowest, and never longer than its limit."""
    began = time.monotonic()
    asked = asked or Asked()
    under_way = [_begin(one, asked) for one in checks]
    results = [_finish(one) for one in under_way]
    return Report(now(), settings.MLED_VERSION, results, _ms(time.monotonic() - began))


def _begin(check: Check, asked: Asked) -> _Under:
    notes = Notes(asked)
    under = _Under(check, notes, threading.Thread(), time.monotonic())
    under.thread = threading.Thread(target=_carry, args=(under,), name=f"check-{check.name}", daemon=True)
    under.thread.start()
    return under


def _carry(under: _Under) -> None:
    check, notes = under.check, under.notes
    try:
        if check.needs_database and database_trouble():
            notes.fail(f"{check.name}.unknown", "This cannot be told while the database is away.", "See Database.")
        else:
            check.examine(notes)
    except DatabaseError as error:
        log.warning("Check %s: %s", check.name, error)
        notes.fail(
            f"{check.name}.unknown",
            f"This cannot be told: the database answers '{said(error)}'.",
            "See Database and Migrations.",
        )
    except Exception as error:
        log.exception("Check %s broke", check.name)
        notes.fail(
            f"{check.name}.broke",
            f"This check itself failed: {type(error).__name__}: {said(error)}.",
            "The log of the process that looked has more. Please report it.",
        )
    finally:
        under.took = time.monotonic() - under.began
        connections.close_all()


def _finish(under: _Under) -> Result:
    check = under.check
    under.thread.join(max(0.0, under.began + check.seconds - time.monotonic()))
    problems, took = list(under.notes.problems), under.took
    if under.thread.is_alive():
        took = time.monotonic() - under.began
        notes = Notes()
        notes.fail(
            f"{check.name}.slow",
            f"This check did not end within {check.seconds:.0f} seconds.",
            "What it asks hangs, or the machine is overloaded. Look again; see Disk and the machine's load.",
        )
        problems += notes.problems
    told = [Problem(one.code, one.level, without_secrets(one.what), without_secrets(one.next_step)) for one in problems]
    figures = [(name, without_secrets(value)) for name, value in under.notes.figures]
    return Result(check.name, check.title, told, figures, _ms(took))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
