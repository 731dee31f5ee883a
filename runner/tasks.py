"""What wakes workers, and what the background does for jobs. Messages only wake: what is to be done stands in rows."""

import datetime as dt
import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from kernel.clock import now
from runner.models import Worker
from runner.working.heeding import MESSAGES, awake
from runner.working.watching import Watch

log = logging.getLogger(__name__)

HEARD_WITHIN = dt.timedelta(minutes=1)
_watch = Watch()


@shared_task
def wake_worker() -> None:
    """To a worker of some queue: there is something to do."""
    awake.set()


@shared_task
def find_lost() -> int:
    """By the clock: settle the jobs whose workers are gone, also where no other worker is there to see it."""
    from runner.working import lost  # with all that settling asks for: not in the web server

    return lost.find_lost(_watch)


@shared_task
def carry_sweeps() -> int:
    """By the clock: sweeps go on, also where nobody heard of the end of a job."""
    from runner.working import sweeps  # as above

    return sweeps.carry_sweeps()


def wake_queue(queue: str) -> None:
    """Have a worker look at this queue now. Without a broker they find it by themselves, within two seconds.

    Where nobody serves the queue nothing is sent: messages that nobody takes would fill the broker.
    """
    heard = Worker.objects.filter(left_at=None, seen_at__gt=now() - HEARD_WITHIN).values_list("queues", flat=True)
    if not any(queue in queues for queues in heard):
        return
    try:
        wake_worker.apply_async(queue=MESSAGES.format(queue), expires=60)
    except OperationalError as error:
        log.warning("Jobs wait for the next look: %s", error)
