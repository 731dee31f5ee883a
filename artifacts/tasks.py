"""What happens to content in the background."""

import logging
from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from artifacts.previews.workshop import forget_old
from artifacts.profiling.jobs import profile_version, waiting_versions
from artifacts.uploads import expire

log = logging.getLogger(__name__)


@shared_task
def sweep_broken_uploads() -> None:
    """Remove uploads that nobody went on with for a day, and what else was left behind."""
    expire()


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
