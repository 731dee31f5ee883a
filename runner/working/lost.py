"""Jobs whose worker is gone: what was only prepared waits again; what had begun has failed, and is tried in a new run.

Whoever finds one takes its lease first, so that each is settled once, however many look at the same moment; who dies
over that leaves a lease that runs out like any other.
"""

import logging
import time
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.db import transaction

from experiments.values import Lifecycle
from kernel.actor import Actor, ActorKind, Door, operator, system
from kernel.clock import now
from kernel.errors import MledError
from runner.actions.jobs import NotOurs, end_job, put_back_job, retry_job
from runner.models import Job
from runner.working import leasing
from runner.working.output import salvage
from runner.working.watching import Held, Watch

log = logging.getLogger(__name__)

ATTEMPTS: Final = 3
GONE = "The worker that did it was lost, and its command with it."
NEVER_READY = f"{ATTEMPTS} workers in a row were lost while they prepared it. Something in it may bring them down."


def requester_of(job: Job) -> Actor:
    """Whoever launched a job, with the rights that they have now, as a worker acts for them."""
    user = job.created_by
    if user is None:
        return operator()
    return Actor(ActorKind.USER, Door.TASK, user_id=user.pk, user_name=str(user), is_active=user.is_active)


def find_lost(watch: Watch) -> int:
    """Settle the jobs whose workers are gone; how many there were. To be called again and again with one watch."""
    held = leasing.held_now()
    gone = watch.lost(held, at=time.monotonic(), hour=now())
    watch.forget(gone)
    return settle({job: held[job] for job in gone})


def settle(gone: Mapping[UUID, Held]) -> int:
    """What becomes of jobs whose workers are known to be gone; how many of them were ours to settle."""
    settled = 0
    for job, seen in gone.items():
        try:
            lease = leasing.take_over(job, seen)
            settled += lease is not None and _settle(job, lease)
        except NotOurs:
            continue
        except Exception:  # the others are settled all the same; this one is found again when its lease is over
            log.exception("A lost job: %s", job)
    return settled


def _settle(job_id: UUID, lease: UUID) -> bool:
    job = job_with_its_places(job_id)
    if job.state == Job.State.RUNNING:
        _salvage(job)
    if job.stop_asked_at is not None:
        words = "It was stopped, and its worker was lost before that."
        end_job(system(), job, lease=lease, state=Job.State.STOPPED, cause=Job.Cause.STOP, why=words)
    elif job.state == Job.State.RUNNING:
        fail_by_worker(job, lease, GONE)
    elif job.attempts >= ATTEMPTS:
        fail_by_worker(job, lease, NEVER_READY, is_tried_again=False)
    else:
        put_back_job(system(), job, lease=lease, reason="Its worker was lost before its command began.")
    return True


def _salvage(job: Job) -> None:
    """What it printed until then becomes files of its run, where that still takes any."""
    try:
        salvage(requester_of(job), job)
    except MledError as error:
        log.warning("What job %s printed is not among its run's files: %s", job.pk, error)


def fail_by_worker(job: Job, lease: UUID, words: str, *, is_tried_again: bool = True) -> None:
    """End a job whose worker could not go on; where it is tried again, the new job is there in the same moment.

    It is launched for whoever launched this one, as far as they still may; where not, this one says why. NotOurs.
    """
    if is_tried_again and job.retries_left > 0 and job.run.lifecycle == Lifecycle.ACTIVE:
        try:
            with transaction.atomic():
                over = _failed(job, lease, f"{words} It is tried again in a new run.")
                retry_job(requester_of(over), over, retries=job.retries_left - 1)
            return
        except NotOurs:
            raise
        except MledError as error:
            words = f"{words} It is not tried again: {error}"
    _failed(job, lease, words)


def _failed(job: Job, lease: UUID, why: str) -> Job:
    return end_job(system(), job, lease=lease, state=Job.State.FAILED, cause=Job.Cause.WORKER, why=why)


def job_with_its_places(job_id: UUID) -> Job:
    """A job with all that doing it asks for."""
    rows = Job.objects.select_related(
        "project", "experiment", "run__project", "recipe__environment", "created_by", "worker", "token"
    )
    found: Job = rows.get(pk=job_id)
    return found
