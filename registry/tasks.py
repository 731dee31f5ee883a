"""What happens to models in the background. A task only wakes an action; rights are asked again there."""

import logging

from celery import shared_task

from kernel.actor import system
from kernel.errors import MledError
from registry.actions.promotions import carry_out_promotion
from registry.queries.promotions import promotions_to_carry_out

log = logging.getLogger(__name__)


def apply_covered_promotions() -> int:
    """Carry out every approved promotion whose signature the log covers by now; how many were looked at.

    The sequencer calls it after each checkpoint. Each is an act of its own; one that meets another writer is left for
    the next round.
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
    """By the clock: find what the sequencer missed."""
    apply_covered_promotions()
