"""What happens to experiments in the background. A task only wakes an action; rights are asked again there."""

import logging
from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from experiments.actions.seals import seal_run
from experiments.queries.runs import get_run
from experiments.queries.seals import runs_to_seal
from kernel.actor import system

log = logging.getLogger(__name__)


def queue_seal(run_uid: UUID) -> None:
    """Have a run sealed soon. Without a broker the task by the clock finds it later."""
    try:
        seal.delay(run_uid.hex)
    except OperationalError as error:
        log.warning("Sealing of run %s waits for the next round: %s", run_uid.hex, error)


@shared_task
def seal(run_uid: str) -> None:
    """Seal one run that has ended."""
    actor = system()
    seal_run(actor, get_run(actor, run_uid))


@shared_task
def seal_idle_runs() -> None:
    """Seal what was written to after its end and then left alone, and what a lost message forgot."""
    actor = system()
    for run in runs_to_seal(actor):
        seal_run(actor, run)
