"""What transfers do in the background."""

import logging
from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from accounts.workers import sign_of_life
from transfer import leasing
from transfer.archive import spool
from transfer.running import carry

log = logging.getLogger(__name__)


@shared_task
def carry_on() -> int:
    """Do what waits, the oldest first, and go on with what a dead worker left; how many are over."""
    sign_of_life()
    spool.sweep()
    tried, over = set[UUID](), 0
    while (found := leasing.next_open(but=tried)) is not None:
        tried.add(found)
        over += carry(found)
    return over


def wake_carrying() -> None:
    """Have transfers done soon. Without a broker the task by the clock finds them."""
    try:
        carry_on.delay()
    except OperationalError as error:
        log.warning("Transfers wait for the next round: %s", error)
