"""Background work: is somebody there to do it, and how long has the oldest of it waited."""

from typing import Any

from mled_site.diagnostics.backlog import Waiting, backlogs
from mled_site.diagnostics.reaching import database_trouble
from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes
from mled_site.diagnostics.signs import last_tick
from mled_site.diagnostics.words import said, span

ANSWER_SECONDS = 1.5
TICK_LATE_SECONDS = 150  # it ticks every 30
WAITS_LONG_SECONDS = 300
RESTART = "manage.py up starts them again by itself: if MLED runs, its log says why they end. Else start MLED."


@check("workers", "Background work", seconds=12)
def workers(notes: Notes) -> None:
    """Whether workers answer, whether work is sent to them by the clock, and what has waited longest for them."""
    found = _who_answers(notes)
    if found is not None:
        _tell_workers(notes, found)
    _beat(notes)
    if database_trouble():
        notes.warn("workers.unknown", "What waits cannot be counted while the database is away.", "See Database.")
        return
    for waiting in backlogs():
        _backlog(notes, waiting)


def _who_answers(notes: Notes) -> dict[str, list[str]] | None:
    """Workers and the queues that each takes from; None where nobody could be asked."""
    from kombu.exceptions import OperationalError

    from mled_site.celery import app

    if app.conf.broker_url.startswith("memory"):
        notes.figure("Workers", "none: work is done where it is asked for")
        return None
    try:
        with app.connection_for_write(connect_timeout=ANSWER_SECONDS) as connection:
            connection.ensure_connection(max_retries=1, timeout=ANSWER_SECONDS * 2)
            told: dict[str, Any] = app.control.inspect(connection=connection, timeout=ANSWER_SECONDS).active_queues()
    except (OperationalError, OSError) as error:
        notes.fail(
            "workers.unreachable",
            f"Workers cannot be asked, because the broker does not answer: {said(error)}. "
            "What is asked for now waits, and nothing is lost.",
            "See Broker.",
        )
        return None
    return {name: [queue["name"] for queue in queues] for name, queues in (told or {}).items()}


def _tell_workers(notes: Notes, found: dict[str, list[str]]) -> None:
    if not found:
        notes.fail(
            "workers.none",
            "No worker answers: reports, transfers, assessments, messages and mails wait. Nothing is lost.",
            RESTART,
        )
        return
    for name, queues in sorted(found.items()):
        notes.figure(f"Worker {name}", f"takes from {', '.join(queues)}")


def _beat(notes: Notes) -> None:
    tick = last_tick()
    notes.figure("Last turn by the clock", f"{span(tick)} ago" if tick is not None else "never")
    if tick is None or tick > TICK_LATE_SECONDS:
        since = "yet" if tick is None else f"for {span(tick)}"
        notes.fail(
            "workers.no_beat",
            f"No work came by the clock {since}: what a lost message left is not picked up.",
            "Let one worker run with MLED_BEAT=1 (manage.py up does), and see Broker.",
        )


def _backlog(notes: Notes, waiting: Waiting) -> None:
    if not waiting.count:
        notes.figure(waiting.title, "nothing waits")
        return
    notes.figure(waiting.title, f"{waiting.count:,} waiting, the oldest for {span(waiting.seconds)}")
    if waiting.seconds >= WAITS_LONG_SECONDS:
        notes.warn(
            "workers.late",
            f"{waiting.title}: {waiting.count:,} waiting, the oldest for {span(waiting.seconds)}.",
            waiting.hint or "If workers answer, they are busy: wait, or raise MLED_TASK_THREADS. " + RESTART,
        )
