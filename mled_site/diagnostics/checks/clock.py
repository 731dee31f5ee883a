"""The clock: events bear its time, tokens and leases end by it."""

import datetime as dt
import time

from django.conf import settings
from django.db import connection

from audit.ledger.queries.health import newest_event_at
from kernel.clock import now
from mled_site.diagnostics.checks.broker import server
from mled_site.diagnostics.reaching import database_trouble
from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes

MOST_SECONDS = 2.0  # between two machines
JUMP_SECONDS = 5.0
HOW_TO_SET = "Run NTP (chrony or systemd-timesyncd) on every machine of the installation; never set the clock by hand."
_started_wall, _started_steady = time.time(), time.monotonic()


@check("clock", "Clock", seconds=8)
def clock(notes: Notes) -> None:
    """Whether this machine's clock agrees with the database's and the broker's, and did not jump."""
    notes.figure("Time here", f"{now():%Y-%m-%d %H:%M:%S} UTC")
    notes.figure("Time zone of the pages", settings.TIME_ZONE)
    _jumped(notes)
    _of_broker(notes)
    if not database_trouble():
        _of_database(notes)
        _of_events(notes)


def _jumped(notes: Notes) -> None:
    drift = (time.time() - _started_wall) - (time.monotonic() - _started_steady)
    if abs(drift) >= JUMP_SECONDS:
        notes.warn(
            "clock.jumped",
            f"The clock was set {'forward' if drift > 0 else 'back'} by {abs(drift):.0f} seconds while MLED ran.",
            HOW_TO_SET,
        )


def _of_database(notes: Notes) -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        before = now()
        cursor.execute("SELECT clock_timestamp()")
        _compare(notes, "database server", cursor.fetchone()[0], before)


def _of_broker(notes: Notes) -> None:
    if not str(settings.CELERY_BROKER_URL).startswith("redis://"):
        return
    from redis.exceptions import RedisError

    try:
        before = now()
        seconds, micro = server(settings.CELERY_BROKER_URL).time()
    except (RedisError, OSError):
        return  # the check of the broker tells it
    _compare(notes, "broker", dt.datetime.fromtimestamp(seconds + micro / 1e6, tz=dt.UTC), before)


def _compare(notes: Notes, whose: str, theirs: dt.datetime, before: dt.datetime) -> None:
    after = now()
    apart = (theirs - (before + (after - before) / 2)).total_seconds()
    notes.figure(f"Against the {whose}", f"{apart:+.2f} s")
    if abs(apart) - (after - before).total_seconds() > MOST_SECONDS:
        ahead = "ahead of" if apart > 0 else "behind"
        notes.fail(
            "clock.apart",
            f"The clock of the {whose} is {abs(apart):.0f} seconds {ahead} this machine's. Times on record are wrong.",
            HOW_TO_SET,
        )


def _of_events(notes: Notes) -> None:
    newest = newest_event_at()
    if newest is None:
        return
    ahead = (newest - now()).total_seconds()
    if ahead >= JUMP_SECONDS:
        notes.fail(
            "clock.back",
            f"The newest event on record is of {newest:%Y-%m-%d %H:%M:%S} UTC, {ahead:,.0f} seconds from now: "
            "the clock was set back.",
            HOW_TO_SET + " Events keep their order in the log; their times are as the clock said.",
        )
