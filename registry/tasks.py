"""What happens to models in the background. A task only wakes an action; rights are asked again there."""

import logging
import time

from celery import shared_task
from kombu.exceptions import OperationalError

from kernel.actor import system
from kernel.errors import MledError
from registry.actions.promotions import carry_out_promotion
from registry.queries.promotions import promotions_to_carry_out
from registry.webhooks.queue import forget_old, send_next

log = logging.getLogger(__name__)

SENDING_SECONDS = 50


def apply_covered_promotions() -> int:
    """Carry out every approved promotion whose signature the log covers by now; how many were looked at.

    Each is an act of its own; one that meets another writer is left for the next round.
    """
    actor = system()
    waiting = list(promotions_to_carry_out(actor))
    for request in waiting:
        try:
            carry_out_promotion(actor, request)
        except MledError as error:
            log.warning("Promotion %s waits for the next round: %s", request.pk, error)
    return len(waiting)


@shared_task
def carry_out_promotions() -> None:
    """Woken after each checkpoint, and by the clock."""
    apply_covered_promotions()


def wake_promotions() -> None:
    """Have promotions looked at soon. Without a broker the task by the clock finds them."""
    try:
        carry_out_promotions.delay()
    except OperationalError as error:
        log.warning("Promotions wait for the next round: %s", error)


@shared_task
def forget_deliveries() -> int:
    """Drop old messages to webhooks that came to an end, delivered or given up; how many went."""
    return forget_old()


def wake_sending() -> None:
    """Have messages sent soon. Without a broker the task by the clock finds them."""
    try:
        send_due.delay()
    except OperationalError as error:
        log.warning("Messages to webhooks wait for the next round: %s", error)


@shared_task
def send_due() -> None:
    """Send what is due to webhooks, for a while; what is left by then is the next round's."""
    until = time.monotonic() + SENDING_SECONDS
    while time.monotonic() < until and send_next():
        pass
