"""Sweeps go on by themselves: when one of their jobs ends, and by the clock, should nobody have heard of that."""

import logging
from uuid import UUID

from kernel.actor import system
from kernel.errors import MledError
from runner.actions.sweeps import carry_sweep
from runner.models import Sweep

log = logging.getLogger(__name__)


def after_job(job_id: UUID) -> None:
    """A job is over: if it was part of a sweep, this goes on."""
    sweep = Sweep.objects.filter(jobs=job_id, state=Sweep.State.RUNNING).first()
    if sweep is not None:
        carry_sweep(system(), sweep)


def carry_sweeps() -> int:
    """Every sweep that is under way goes on or ends; how many there were."""
    open_ones = list(Sweep.objects.filter(state=Sweep.State.RUNNING).order_by("created_at"))
    for sweep in open_ones:
        try:
            carry_sweep(system(), sweep)
        except MledError as error:
            log.warning("Sweep %s waits for the next round: %s", sweep.pk, error)
    return len(open_ones)
