"""What is wrong with the log as a whole, and telling it once: when it begins and when it is over, by events.

The events say what was told: there is no other record of it, so however many tasks look, each trouble is told once.
"""

import datetime as dt
import logging
from dataclasses import dataclass

from django.db import transaction

from audit.ledger import hooks, status
from audit.ledger.acting import acting
from audit.ledger.locks import alone
from audit.ledger.models import AuditEvent
from audit.ledger.queries.health import ledger_lag
from audit.ledger.values import Subject
from kernel.actor import system
from kernel.clock import now

log = logging.getLogger(__name__)

KIND = "ledger.alarm"
RAISED, CLEARED = "ledger.raise_alarm", "ledger.clear_alarm"
LAG_SECONDS = 60
STOPPED_SECONDS = 60  # a database that restarts is no alarm
PLACE_SECONDS = 300  # nor a store that misses a few minutes
_LOOKED_AT = 200
_LOCK = 0x4D4C4541


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong. name: the same as long as it lasts."""

    name: str
    words: str


def troubles() -> list[Trouble]:
    """What is wrong at this moment."""
    found, lag, stopped = [], ledger_lag(), status.noted(status.STOPPED)
    if stopped is not None and _age(stopped) >= STOPPED_SECONDS:
        found.append(Trouble("stopped", f"The sequencer places no events: {stopped.words}"))
    elif lag.seconds >= LAG_SECONDS:
        words = (
            f"The sequencer is late: {lag.waiting:,} waiting for a place in the log, for over a minute. Does it run?"
        )
        found.append(Trouble("late", words))
    for place in status.failing_places():
        if _age(place) >= PLACE_SECONDS:
            words = f"Signed heads are not anchored in {place.where} since {place.since[:16]}: {place.words}"
            found.append(Trouble(status.of_place(place.where).name, words))
    return found


def watch() -> list[Trouble]:
    """Tell of what began and of what is over, once each; what is wrong at this moment."""
    found = {trouble.name: trouble for trouble in troubles()}
    if set(found) == _told():
        return list(found.values())
    with transaction.atomic(), alone(_LOCK, "alarm"):
        told = _told()
        for name in sorted(set(found) - told):
            _tell(RAISED, found[name])
        for name in sorted(told - set(found)):
            _tell(CLEARED, Trouble(name, "It is over."))
    return list(found.values())


def _told() -> set[str]:
    """Troubles whose beginning was told, and not yet their end."""
    newest: dict[str, str] = {}
    rows = AuditEvent.objects.filter(subject_type=KIND).order_by("-id").values_list("subject_id", "verb")
    for name, verb in rows[:_LOOKED_AT]:
        newest.setdefault(name, verb)
    return {name for name, verb in newest.items() if verb == RAISED}


def _tell(verb: str, trouble: Trouble) -> None:
    with acting(system(), verb) as act:
        act.always = True
        act.speaks_of(Subject(KIND, trouble.name))
        act.reason = trouble.words
        if verb == RAISED:
            log.critical("%s", trouble.words)
            for hear in hooks.alarm_raised:
                hear(trouble.words)
        else:
            log.warning("The log is well again: %s", trouble.name)


def _age(noted: status.Noted) -> float:
    return (now() - dt.datetime.fromisoformat(noted.since)).total_seconds()
