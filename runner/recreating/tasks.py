"""Runs that do others again are compared once both have ended: woken by their end, found by the clock otherwise."""

import logging
from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from experiments.models import RunTag
from experiments.queries.reproductions import LIKE, REPRODUCES
from experiments.queries.runs import get_run
from kernel.actor import system
from runner.actions.comparing import keep_check
from runner.models import Job
from runner.queries.recreating import waiting_for_check

log = logging.getLogger(__name__)


def queue_check(run_uid: UUID) -> None:
    """A run has ended: where it does another one again, have both compared. Without a broker the clock finds it."""
    if not RunTag.objects.filter(run__uid=run_uid, key__in=(REPRODUCES, LIKE)).exists():
        return
    try:
        check.delay(run_uid.hex)
    except OperationalError as error:
        log.warning("Comparing of run %s waits for the next round: %s", run_uid.hex, error)


def queue_check_of_job(job_id: UUID) -> None:
    """A job is over: its run may have ended long before."""
    queue_check(Job.objects.values_list("run__uid", flat=True).get(pk=job_id))


@shared_task(name="runner.check_recreation")
def check(run_uid: str) -> None:
    """Compare one run with the one that it does again."""
    keep_check(system(), get_run(system(), run_uid))


@shared_task(name="runner.check_recreations")
def check_waiting() -> int:
    """Compare what a lost message forgot, or what ended before the run that it does again."""
    waiting = waiting_for_check(system())
    for run in waiting:
        keep_check(system(), run)
    return len(waiting)
