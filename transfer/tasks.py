"""What transfers do in the background."""

import logging
from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from accounts.workers import sign_of_life
from kernel.actor import system
from transfer import leasing
from transfer.actions.ending import end_export
from transfer.archive import spool
from transfer.ending import that_ran_out
from transfer.models import Transfer
from transfer.running import carry

log = logging.getLogger(__name__)
AT_ONCE = 500


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


@shared_task
def end_exports() -> int:
    """End what may no longer be taken out, some hundred at a time; how many did."""
    found = list(that_ran_out().values_list("pk", flat=True)[:AT_ONCE])
    for transfer in Transfer.objects.filter(pk__in=found).select_related("project"):
        end_export(system(), transfer)
    return len(found)


def wake_carrying() -> None:
    """Have transfers done soon. Without a broker the task by the clock finds them."""
    try:
        carry_on.delay()
    except OperationalError as error:
        log.warning("Transfers wait for the next round: %s", error)
