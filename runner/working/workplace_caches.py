"""What a worker keeps for the next job, kept within bounds: what was not used for long goes first."""

import datetime as dt
import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection

from kernel.clock import now
from runner.models import Job, JobOutput
from runner.working import environments, images, inputs
from runner.working.environments_building import forget_fetched
from runner.working.workplace_folders import cache_folder, cleared, held_if_free

DAY: Final = 24 * 3600.0
OUTPUT_KEPT: Final = dt.timedelta(hours=1)

log = logging.getLogger(__name__)


def tidy_aside() -> None:
    """The same in a thread of its own: a worker goes on meanwhile."""
    threading.Thread(target=_quietly, name="worker-tidies", daemon=True).start()


def _quietly() -> None:
    try:
        tidy()
    except Exception:
        log.exception("Tidying what this worker keeps")
    finally:
        connection.close()


def tidy() -> None:
    """Take away what the settings say is too much or too old, of what no job uses now."""
    unused = settings.MLED_RUNNER_CACHE_DAYS * DAY
    inputs.collect(at_most=settings.MLED_RUNNER_CACHE_BYTES, unused_seconds=unused)
    environments.collect(at_most=settings.MLED_RUNNER_CACHE_BYTES, unused_seconds=unused)
    images.forget_unused(at_most=settings.MLED_RUNNER_CACHE_BYTES, unused_seconds=unused)
    _repositories(at_most=settings.MLED_RUNNER_CACHE_BYTES, unused_seconds=unused)
    if _size_of(cache_folder("uv")) > settings.MLED_RUNNER_CACHE_BYTES:
        forget_fetched()
    _pieces_of_jobs_that_are_over()


def _size_of(folder: Path) -> int:
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # whoever uses it puts files in other places
                size += os.lstat(os.path.join(place, name)).st_size
    return size


def _repositories(*, at_most: int, unused_seconds: float) -> None:
    """With their files of Git LFS; the longest unused go first."""
    kept, oldest = 0, time.time() - unused_seconds
    found = [(place.stat().st_mtime, place) for place in cache_folder("git").glob("*.git")]
    for used, place in sorted(found, reverse=True):
        size = _size_of(place)
        if used >= oldest and kept + size <= at_most:
            kept += size
            continue
        with held_if_free(place.with_suffix(".lock")) as is_ours:
            if is_ours:
                cleared(place)


def _pieces_of_jobs_that_are_over() -> None:
    """What a worker that was thought lost wrote down after its job was settled."""
    over = Job.objects.exclude(state__in=Job.OPEN).filter(ended_at__lt=now() - OUTPUT_KEPT)
    JobOutput.objects.filter(job__in=over).delete()
