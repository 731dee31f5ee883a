"""One job carried from its lease to its end, in a thread of its own that lives as long as what it executes.

(The system ends what a thread started when that thread ends: `die with parent` follows the thread that forked.)
"""

import datetime as dt
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from accounts.access import require
from accounts.actions.tokens import create_job_token
from artifacts.versions import require_usable
from experiments.values import Lifecycle
from kernel.actor import Actor, system
from kernel.clock import now
from kernel.errors import Conflict, MledError, Unavailable
from runner.actions.jobs import NotOurs, begin_job, end_job, put_back_job, start_job
from runner.executors.contract import Ended, Execution, Executor, Order
from runner.executors.shim import INSIDE
from runner.models import Job, Worker
from runner.queries.secrets import values_of
from runner.recipes import resources_of
from runner.working.curves import Curves
from runner.working.heeding import Heard, Interrupted
from runner.working.leasing import Taken
from runner.working.lost import fail_by_worker, job_with_its_places, requester_of
from runner.working.output import Tail
from runner.working.relay import Relay
from runner.working.workplace import Workplace, prepare
from runner.working.workplace_folders import cleared, made

log = logging.getLogger(__name__)

TICK: Final = 0.5  # seconds between two looks at what is executed
TOKEN_BEYOND: Final = dt.timedelta(hours=12)  # of a job's own time: for making ready and for collecting
TRIES: Final = 60  # once a second, where the database is away as a job ends
LEAVING = "Its worker was told to end, and ended it."
WRONG = "Something went wrong in its worker, whose log says more."

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ends, as `end_job` takes it."""

    state: Job.State
    cause: Job.Cause
    why: str
    exit_code: int | None = None


class Carrying(threading.Thread):
    """Does one job. stage: what it is at, in words; over: called at the very end, from this thread."""

    def __init__(
        self, taken: Taken, worker: Worker, executor: Executor, *, place: Path, over: Callable[["Carrying"], None]
    ) -> None:
        super().__init__(name=f"job-{taken.job.hex[:8]}", daemon=True)
        self.taken, self.heard, self.stage, self.trouble = taken, Heard(), "", ""
        self._worker, self._executor, self._over, self._is_ending = worker, executor, over, False
        self._root = place / "jobs" / f"{taken.job.hex}-{taken.lease.hex[:8]}"

    def run(self) -> None:
        """From the lease to the end, whatever comes between."""
        try:
            self._carry()
        except NotOurs:
            log.warning("Job %s is another worker's by now, or over.", self.taken.job)
        except Exception as error:
            log.exception("Job %s", self.taken.job)
            # Whoever keeps the workers reads this, and need not see the job's project.
            self.trouble = f"{type(error).__name__} at job {self.taken.job}, of which its log says more."
            self._end_broken()
        finally:
            cleared(self._root)
            connection.close()
            self._over(self)

    def tell(self, stage: str) -> None:
        """What it is at, to be written soon. Raises Interrupted."""
        self.stage = stage
        self.heard.heed()

    def _carry(self) -> None:
        job = job_with_its_places(self.taken.job)
        requester = requester_of(job)
        why = refusal(requester, job)
        if why:
            self._end(Outcome(Job.State.FAILED, Job.Cause.REFUSED, why))
            return
        job, token = self._start(job)
        try:
            secrets = values_of(system(), job)
            workplace = self._made_ready(job)
        except Interrupted:
            self._interrupted(job)
        except MledError as error:
            self._end(Outcome(Job.State.FAILED, Job.Cause.PREPARING, str(error)))
        else:
            try:
                self._done_in(workplace, job, requester, token, secrets)
            finally:
                workplace.clear()

    def _start(self, job: Job) -> tuple[Job, str]:
        """It prepares now, with a token for its run alone."""
        with transaction.atomic():
            token, secret = None, ""
            if job.created_by is not None:
                token, secret = create_job_token(
                    system(),
                    owner=job.created_by,
                    project=job.project,
                    run_uid=job.run.uid.hex,
                    name=f"Job of {job.run.readable_id}",
                    until=now() + dt.timedelta(seconds=resources_of(job.recipe).seconds) + TOKEN_BEYOND,
                )
            start_job(system(), job, lease=self.taken.lease, worker=self._worker, token=token)
        return job_with_its_places(job.pk), secret

    def _made_ready(self, job: Job) -> Workplace:
        self.heard.heed()
        return prepare(job, root=made(self._root), told=self.tell)

    def _done_in(
        self, workplace: Workplace, job: Job, requester: Actor, token: str, secrets: Mapping[str, str]
    ) -> None:
        with ExitStack() as until_then:
            door = self._door(until_then)
            until_then.enter_context(Relay(door, base=address(), slug=job.project.slug))
            order = workplace.order(door=door, secrets=secrets, address=INSIDE, token=token)
            self._quietly(lambda: workplace.record(requester))
            if self.heard.anything():
                self._interrupted(job)
                return
            job = begin_job(system(), job, lease=self.taken.lease, image=workplace.environment.image)
            self.stage = ""
            ended = self._executed(order, workplace.tail(), Curves(requester, job), job)
        if self.heard.lost.is_set():
            return
        self.stage = "Keeping what it made"
        trouble = self._collected(workplace, requester, ended)
        self._end_as(job_with_its_places(job.pk), ended, trouble, workplace.error_of(ended))

    def _door(self, until_then: ExitStack) -> Path:
        """The socket by which the command reaches MLED; its path has to be short."""
        return Path(until_then.enter_context(tempfile.TemporaryDirectory(prefix="mled-job-"))) / "door"

    def _executed(self, order: Order, tail: Tail, curves: Curves, job: Job) -> Ended:
        """Start it, watch it, end it where something is heard; all from this one thread."""
        try:
            execution = self._executor.start(order)
        except Unavailable as error:
            self.trouble = str(error)
            return Ended(Job.Cause.WORKER, why=str(error))
        ended = None
        try:
            while (ended := execution.poll()) is None:
                self._quietly(tail.forward)
                self._quietly(lambda: curves.sample(execution.usage()))
                self._pass_on(job, execution)
                self.heard.wait(TICK)
            if not self.heard.lost.is_set():
                self._quietly(tail.forward)
                self._quietly(curves.close)
        finally:
            if ended is None:
                put_down(execution)
        return ended

    def _quietly(self, do: Callable[[], object]) -> None:
        """Forwarding is done as well as may be: the command goes on whatever becomes of it."""
        try:
            do()
        except Exception as error:
            log.warning("Job %s: %s", self.taken.job, error, exc_info=not isinstance(error, (MledError, DatabaseError)))
            if not connection.in_atomic_block:
                connection.close()

    def _pass_on(self, job: Job, execution: Execution) -> None:
        """Have it end where something was heard; once, whatever else is heard then."""
        if self._is_ending or not self.heard.anything():
            return
        self._is_ending = True
        if self.heard.stopped.is_set():
            execution.stop(Job.Cause.STOP, stopped_by(job))
        elif self.heard.lost.is_set():
            execution.stop(Job.Cause.WORKER, "Its lease was lost.")
        else:
            execution.stop(Job.Cause.WORKER, LEAVING)

    def _collected(self, workplace: Workplace, requester: Actor, ended: Ended) -> str:
        """Keep what it made; what went wrong with that, in words."""
        try:
            self._surely(lambda: workplace.collect(requester, ended))
        except MledError as error:
            return f"What it made could not be kept: {error}"
        return ""

    def _end_as(self, job: Job, ended: Ended, trouble: str, error: str) -> None:
        if ended.cause == Job.Cause.WORKER:
            words = " ".join(filter(None, (ended.why or LEAVING, trouble)))
            self._surely(lambda: fail_by_worker(job, self.taken.lease, words))
        else:
            self._end(outcome_of(ended, trouble, error))

    def _interrupted(self, job: Job) -> None:
        """It was not begun: stopped, or back to its place in the queue."""
        if self.heard.stopped.is_set():
            why = stopped_by(job_with_its_places(job.pk))
            self._end(Outcome(Job.State.STOPPED, Job.Cause.STOP, why))
        elif not self.heard.lost.is_set():
            lease, reason = self.taken.lease, "Its worker was told to end before its command began."
            self._surely(lambda: put_back_job(system(), job, lease=lease, reason=reason))

    def _end_broken(self) -> None:
        """A mistake of ours: it fails, and another worker may try."""
        try:
            self._surely(lambda: fail_by_worker(job_with_its_places(self.taken.job), self.taken.lease, WRONG))
        except NotOurs:
            log.info("Job %s was over before.", self.taken.job)
        except Exception:  # its lease runs out, and whoever looks next settles it
            log.exception("Ending job %s", self.taken.job)

    def _end(self, outcome: Outcome) -> None:
        job = job_with_its_places(self.taken.job)
        self._surely(
            lambda: end_job(
                system(),
                job,
                lease=self.taken.lease,
                state=outcome.state,
                cause=outcome.cause,
                why=outcome.why,
                exit_code=outcome.exit_code,
            )
        )

    def _surely(self, do: Callable[[], T]) -> T:
        """Again while the database is away or busy: what was computed for hours is not thrown away for a minute."""
        for _ in range(TRIES):
            try:
                return do()
            except (DatabaseError, Unavailable) as error:
                log.warning("Job %s tries again: %s", self.taken.job, error)
                connection.close()
                time.sleep(1)
        return do()


def put_down(execution: Execution, *, within: float = 30.0) -> None:
    """End what is executed, and see it end."""
    execution.stop(Job.Cause.WORKER, WRONG)
    end = time.monotonic() + within
    while execution.poll() is None and time.monotonic() < end:
        time.sleep(0.1)


def address() -> str:
    """Where MLED answers, as this worker reaches it."""
    return str(settings.MLED_RUNNER_URL).rstrip("/")


def refusal(requester: Actor, job: Job) -> str:
    """Why it may not be done any more; '' where it may. Rights and data change while it waits."""
    try:
        require(requester, "runner.launch", job.experiment)
        if job.run.lifecycle != Lifecycle.ACTIVE or job.experiment.lifecycle != Lifecycle.ACTIVE:
            raise Conflict("Its run or its experiment was deleted while it waited.")
        for one in job.recipe.inputs.select_related("version__dataset").order_by("name"):
            require_usable(one.version)
    except MledError as error:
        return str(error)
    return ""


def outcome_of(ended: Ended, trouble: str = "", error: str = "") -> Outcome:
    """What an end of the command means for its job. error: what it said last of what went wrong."""
    if ended.cause == Job.Cause.STOP:
        return Outcome(Job.State.STOPPED, ended.cause, ended.why, ended.code)
    if ended.cause == Job.Cause.EXIT and ended.code == 0 and not trouble:
        return Outcome(Job.State.FINISHED, ended.cause, ended.why, ended.code)
    told = ended.why or (f"Its command ended with exit code {ended.code}." if ended.code else "")
    return Outcome(
        Job.State.FAILED,
        ended.cause,
        " ".join(filter(None, (error and f"{error.rstrip('.')}.", told, trouble))),
        ended.code,
    )


def stopped_by(job: Job) -> str:
    """Who stopped it, and why, as far as it is known."""
    try:
        who, why = Job.objects.values_list("stop_asked_by__name", "why").get(pk=job.pk)
    except (DatabaseError, Job.DoesNotExist):  # it is stopped whoever it was
        who, why = "", ""
    return f"{f'{who} stopped it.' if who else 'It was stopped.'} {why}".strip()
