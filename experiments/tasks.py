"""What happens to experiments in the background. A task only wakes an action; rights are asked again there."""

import datetime as dt
import logging
import time
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from kombu.exceptions import OperationalError

from artifacts.storage.base import BlobDamaged
from experiments.actions.lost import take_silent_for_dead
from experiments.actions.seals import seal_run
from experiments.archiving import archive_each
from experiments.metrics.compaction import compact, newest_segment, written_since
from experiments.queries.archives import runs_to_archive
from experiments.queries.runs import get_run
from experiments.queries.seals import runs_to_seal
from experiments.sheets.work import carry_on
from kernel.actor import system
from kernel.clock import now

log = logging.getLogger(__name__)

AWAY_SECONDS = 5.0
COMPACT_SECONDS = 20.0
LOOKED_UP_TO = "metrics.looked_up_to"
LOOKED_AT_AGAIN = 10_000  # segments
LOOKED_BACK = 1_000_000
ARCHIVE_SECONDS, ARCHIVE_LEASE_SECONDS = 300.0, 1800
ARCHIVING, ARCHIVED_UP_TO = "metrics.archiving", "metrics.archived_up_to"
_away_until = 0.0


def queue_seal(run_uid: UUID) -> None:
    """Have a run sealed soon. Without a broker the task by the clock finds it later.

    A broker that is away is left alone for a moment: many runs that end at once do not each wait for it.
    """
    global _away_until
    if time.monotonic() < _away_until:
        log.info("Sealing of run %s waits for the next round, as others do.", run_uid.hex)
        return
    try:
        seal.delay(run_uid.hex)
    except OperationalError as error:
        _away_until = time.monotonic() + AWAY_SECONDS
        log.warning("Sealing of run %s waits for the next round: %s", run_uid.hex, error)


@shared_task
def seal(run_uid: str) -> None:
    """Seal one run that has ended."""
    actor = system()
    seal_run(actor, get_run(actor, run_uid))


@shared_task
def seal_idle_runs() -> None:
    """Seal what was written to after its end and then left alone, and what a lost message forgot."""
    actor = system()
    for run in runs_to_seal(actor):
        try:
            seal_run(actor, run)
        except BlobDamaged as error:  # the check of content tells the administrators
            log.error("Run %s cannot be sealed: %s", run.uid.hex, error)


@shared_task
def fail_silent_runs() -> int:
    """Take running runs for dead of which nothing was heard for too long."""
    return take_silent_for_dead()


@shared_task
def compact_metrics() -> int:
    """Merge small segments of series that were written to since the last round; how many rows fewer there are.

    How far it looked is kept in the cache. Where that is lost, it begins some way back; `manage.py compact_metrics`
    looks at all of them.
    """
    after = _looked_up_to()
    until, fewer = time.monotonic() + COMPACT_SECONDS, 0
    for looked_up_to, crowded in written_since(after):
        fewer += sum(compact(series) for series in crowded)
        cache.set(LOOKED_UP_TO, looked_up_to - LOOKED_AT_AGAIN, None)
        if time.monotonic() > until:
            break
    return fewer


def _looked_up_to() -> int:
    """Where to begin: ids are given out before their rows are to be seen, so that the last ones are looked at again."""
    kept = cache.get(LOOKED_UP_TO)
    return kept if isinstance(kept, int) and kept >= 0 else max(0, newest_segment() - LOOKED_BACK)


@shared_task
def archive_ended_runs() -> int:
    """Archive runs that nobody has written to for MLED_ARCHIVE_AFTER_DAYS; how many it were.

    Goes on where the last round stopped, and begins again at the end. One at a time: two would do the same twice.
    """
    days = settings.MLED_ARCHIVE_AFTER_DAYS
    if days <= 0 or not cache.add(ARCHIVING, True, ARCHIVE_LEASE_SECONDS):
        return 0
    try:
        return _archive_some(now() - dt.timedelta(days=days), time.monotonic() + ARCHIVE_SECONDS)
    finally:
        cache.delete(ARCHIVING)


def _archive_some(sealed_before: dt.datetime, until: float) -> int:
    actor, count = system(), 0
    for looked_up_to, runs in runs_to_archive(actor, sealed_before=sealed_before, after=cache.get(ARCHIVED_UP_TO) or 0):
        for done in archive_each(actor, runs):
            count += not done.error
            if time.monotonic() > until:
                return count
        cache.set(ARCHIVED_UP_TO, looked_up_to, None)
        if time.monotonic() > until:
            return count
    cache.delete(ARCHIVED_UP_TO)
    return count


def wake_sheets() -> None:
    """Have sheets worked on soon. Without a broker the task by the clock finds them."""
    try:
        work_on_sheets.delay()
    except OperationalError as error:
        log.warning("Sheets wait for the next round: %s", error)


@shared_task
def work_on_sheets() -> int:
    """Read, check, import and undo what waits, and go on with what a dead worker left."""
    return carry_on()
