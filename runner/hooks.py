"""How a request wakes the workers. The tasks, which lie above, put themselves in."""

import logging
from collections.abc import Callable
from uuid import UUID

log = logging.getLogger(__name__)

waking: list[Callable[[str], object]] = []


# What a room part does once a job is over and that is committed: sweeps start the next, recreations are compared.
job_over: list[Callable[[UUID], object]] = []


def wake(queue: str) -> None:
    """There is something to do in this queue."""
    for call in waking:
        call(queue)


def over(job_id: UUID) -> None:
    """A job is over, and that is committed. What goes wrong here is no trouble of the job's."""
    for call in job_over:
        try:
            call(job_id)
        except Exception:
            log.exception("After the end of job %s", job_id)
