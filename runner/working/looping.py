"""The loop of a worker: takes jobs while it has room, keeps their leases, hears what is wanted of them."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import DatabaseError, close_old_connections, connection

from kernel.errors import MledError
from runner.executors.contract import Executor
from runner.working import leasing, lost, standing, watching
from runner.working.carrying import Carrying
from runner.working.facts_machine import this_machine
from runner.working.heeding import awake
from runner.working.workplace_caches import tidy_aside
from runner.working.workplace_folders import cleared

log = logging.getLogger(__name__)

LOOKED_EVERY = 2.0  # seconds between two looks for jobs, and for lost ones
TIDIED_EVERY = 3600.0  # seconds between two looks at what it keeps for later jobs
HEARD_EVERY = 1.0  # seconds between two questions about its own
LEAVES_WITHIN = 17.0  # seconds that its jobs have to end in good order; who started it waits for twenty


class Due:
    """Whether something that is done every so often is due."""

    def __init__(self, every: float) -> None:
        self._every, self._last = every, float("-inf")

    def now(self, *, at_once: bool = False) -> bool:
        """Yes, and then not for a while."""
        moment = time.monotonic()
        if not at_once and moment - self._last < self._every:
            return False
        self._last = moment
        return True


class Worker:
    """One worker process. Everything it knows of jobs stands in the database; here are only those it does."""

    def __init__(self, name: str, *, queues: Sequence[str], slots: int, executor: Executor) -> None:
        self.name, self.queues, self.slots, self._executor = name, list(queues), slots, executor
        self._place = standing.place_of(name)
        self._jobs: dict[UUID, Carrying] = {}
        self._stages: dict[UUID, str] = {}
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._stand, name="worker-loop", daemon=True)
        self._watch = watching.Watch()
        self._looks, self._renews = Due(LOOKED_EVERY), Due(watching.RENEWED_EVERY)
        self._tidies = Due(TIDIED_EVERY)
        self._lacks = ""

    def start(self) -> None:
        """Begin, after what a dead predecessor left behind is swept up. Raises Conflict where one lives."""
        self._alone = standing.alone(self._place)
        executor = self._executor.name
        self._row, is_back = standing.registered(
            self.name, queues=self.queues, slots=self.slots, executor=executor
        )  # fmt: skip
        self._sweep(is_back)
        self._thread.start()

    def leave(self) -> None:
        """Take no more, and have those under way end. Returns at once; for signal handlers."""
        self._leaving.set()
        awake.set()

    def join(self, within: float = LEAVES_WITHIN) -> bool:
        """Wait until all of it has ended; whether it did."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def _sweep(self, is_back: bool) -> None:
        if is_back:
            lost.settle(leasing.left_by(self._row))
        self._executor.sweep([job.hex for job in leasing.held_now()])
        cleared(self._place / "jobs")
        connection.close()

    def _stand(self) -> None:
        while not (self._leaving.is_set() and not self._jobs):
            woken = awake.wait(HEARD_EVERY if self._jobs else LOOKED_EVERY)
            awake.clear()
            self._told(self._turn, woken)
        self._told(lambda _: standing.left(self._row), True)
        connection.close()

    def _told(self, do: Callable[[bool], object], woken: bool) -> None:
        """Whatever goes wrong in one turn, there is a next one."""
        try:
            close_old_connections()
            do(woken)
        except (DatabaseError, MledError) as error:
            log.warning("Worker %s: %s", self.name, error)
            connection.close()
        except Exception:
            log.exception("Worker %s", self.name)
            connection.close()

    def _turn(self, woken: bool) -> None:
        self._pass_on_news()
        self._keep_leases()
        if self._tidies.now():
            tidy_aside()
        if self._looks.now(at_once=woken):
            self._take_more()
            lost.find_lost(self._watch)

    def _pass_on_news(self) -> None:
        jobs = dict(self._jobs)
        if self._leaving.is_set():
            for carrying in jobs.values():
                carrying.heard.tell(carrying.heard.leaving)
        if not jobs:
            return
        news = leasing.news_of({job: carrying.taken.lease for job, carrying in jobs.items()})
        for job in news.stopped:
            jobs[job].heard.tell(jobs[job].heard.stopped)
        for job in news.lost:
            jobs[job].heard.tell(jobs[job].heard.lost)

    def _keep_leases(self) -> None:
        """Every few seconds, and whenever one of them is at something else."""
        jobs = dict(self._jobs)
        stages = {job: carrying.stage for job, carrying in jobs.items()}
        is_due = self._renews.now()
        changed = {job for job, stage in stages.items() if self._stages.get(job, "") != stage}
        which = jobs.keys() if is_due else changed
        if which:
            kept = leasing.renew({job: jobs[job].taken.lease for job in which}, stages)
            self._stages = {job: stages[job] if job in kept else was for job, was in self._known(stages).items()}
        if is_due:
            standing.still_there(self._row)

    def _known(self, stages: dict[UUID, str]) -> dict[UUID, str]:
        return {job: self._stages.get(job, "") for job in stages}

    def _take_more(self) -> None:
        if self._leaving.is_set() or not self._is_able() or not standing.takes_more(self._row):
            return
        while len(self._jobs) < self.slots:
            taken = leasing.take(self.queues, cards=len(this_machine().cards))
            if taken is None:
                return
            carrying = Carrying(taken, self._row, self._executor, place=self._place, over=self._over)
            self._jobs[taken.job] = carrying
            carrying.start()

    def _is_able(self) -> bool:
        """Whether jobs can be executed here at all; why not is told to whoever keeps the workers."""
        lacks = self._executor.lacks()
        if lacks and lacks != self._lacks:
            log.warning("Worker %s takes no jobs: %s", self.name, lacks)
            standing.in_trouble(self._row, lacks)
        self._lacks = lacks
        return not lacks

    def _over(self, carrying: Carrying) -> None:
        """A slot is free. Called from the thread of the job, at its very end."""
        self._jobs.pop(carrying.taken.job, None)
        if carrying.trouble:
            self._told(lambda _: standing.in_trouble(self._row, carrying.trouble), False)
            connection.close()
        awake.set()
