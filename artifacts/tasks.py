"""What happens to content in the background."""

import datetime as dt
import logging
import time
from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from artifacts.actions.content import collect_blobs, mark_unnamed_blobs, note_check
from artifacts.parking import move_parked
from artifacts.previews.workshop import forget_old
from artifacts.profiling.jobs import profile_version, waiting_versions
from artifacts.queries.content import blobs_to_check, stray_content
from artifacts.storage import blobs
from artifacts.uploads import expire
from kernel.actor import system
from kernel.clock import now
from kernel.errors import Unavailable

log = logging.getLogger(__name__)


CHECK_EVERY = dt.timedelta(days=7)
MOVE_SECONDS = 25
CHECK_BLOBS, CHECK_SECONDS = 2000, 600  # a turn's share, so that a large store is read over many turns


@shared_task
def sweep_broken_uploads() -> None:
    """Remove uploads that nobody went on with for a day, and what else was left behind."""
    expire()


@shared_task
def move_parked_content() -> None:
    """Move small files from the database, where they were acknowledged, to the store."""
    try:
        move_parked(seconds=MOVE_SECONDS)
    except Unavailable as error:
        log.warning("Small files wait in the database: %s", error)


@shared_task
def verify_content() -> None:
    """Read stored content again, what waited longest first, and report what is missing or changed."""
    actor, end = system(), time.monotonic() + CHECK_SECONDS
    for blob in blobs_to_check(actor, not_since=now() - CHECK_EVERY, limit=CHECK_BLOBS):
        note_check(actor, blob=blob, found=blobs().check(blob.digest))
        if time.monotonic() > end:
            return


@shared_task
def collect_content() -> None:
    """Take away content that nothing has named for a while."""
    actor = system()
    mark_unnamed_blobs(actor, strays=stray_content(actor))
    while collect_blobs(actor):
        continue


def queue_profile(version_id: UUID) -> None:
    """Have a dataset version read soon. Without a broker the task by the clock finds it later."""
    try:
        profile.delay(version_id.hex)
    except OperationalError as error:
        log.warning("Reading of dataset version %s waits for the next round: %s", version_id.hex, error)


@shared_task
def profile(version_id: str) -> None:
    """Read what is in one dataset version."""
    profile_version(UUID(version_id))


@shared_task
def profile_waiting_versions() -> None:
    """Read what a lost message or a dead worker left."""
    for version_id in waiting_versions():
        profile_version(version_id)


@shared_task
def forget_old_previews() -> None:
    """Remove what was drawn of files a while ago; it is drawn again when somebody looks."""
    forget_old()
