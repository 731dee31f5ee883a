"""How much a job uses as time goes on, as metrics of its run."""

import logging
import time
from collections.abc import Callable
from typing import Final

from experiments.actions.batches import log_batch
from experiments.metrics.batch import Batch, MetricPoint
from kernel.actor import Actor
from kernel.errors import MledError
from runner.executors.contract import Usage
from runner.models import Job
from runner.working.facts_machine import MEGA, Meter

EVERY: Final = 10.0  # seconds
FIRST: Final = 1.0  # seconds after which short jobs have a point too

log = logging.getLogger(__name__)


class Curves:
    """Takes samples as they come and logs one every ten seconds. clock: seconds that only grow."""

    def __init__(
        self, actor: Actor, job: Job, *, meter: Meter | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._actor, self._run = actor, job.run
        self._meter, self._clock = meter or Meter(), clock
        self._step = 0
        self._due = clock() + FIRST
        self._before: tuple[float, float] | None = None
        self._latest: Usage | None = None

    def sample(self, usage: Usage) -> None:
        """What the job uses now."""
        moment = self._clock()
        self._latest = usage
        if self._before is None:
            self._before = (moment, usage.cpu_seconds)
        if moment >= self._due:
            self._due = moment + EVERY
            self._log(moment, usage)

    def close(self) -> None:
        """The last point, so that the shortest job has one."""
        self._log(self._clock(), self._latest)

    def _log(self, moment: float, usage: Usage | None) -> None:
        at_ms = int(time.time() * 1000)
        values = self._meter.read() | (self._of_job(moment, usage) if usage else {})
        points = [MetricPoint(key, round(value, 3), at_ms, self._step) for key, value in sorted(values.items())]
        self._step += 1
        try:
            log_batch(self._actor, self._run, batch=Batch(metrics=points))
        except MledError as error:  # the run was locked or deleted meanwhile: the job matters more than its curves
            log.info("Curves of run %s were not kept: %s", self._run.uid.hex, error)

    def _of_job(self, moment: float, usage: Usage) -> dict[str, float]:
        values = {
            "system/process_memory_megabytes": usage.memory_bytes / MEGA,
            "system/process_disk_megabytes": usage.disk_bytes / MEGA,
            "system/process_count": float(usage.processes),
        }
        if self._before is not None and moment > self._before[0]:
            seconds, busy = moment - self._before[0], usage.cpu_seconds - self._before[1]
            values["system/process_cpu_percentage"] = max(0.0, 100 * busy / seconds)
            self._before = (moment, usage.cpu_seconds)
        return values
