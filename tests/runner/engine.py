"""For tests of workers: a database, real worker processes on the run's broker, and jobs that take no time."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from django.db import DatabaseError, connection, transaction

from artifacts.blobs import know, receive
from audit.ledger.acting import acting
from experiments.models import Experiment
from kernel.actor import operator
from runner import hooks
from runner.actions.jobs import launch
from runner.models import Job
from runner.recipes import Draft, Resources
from tests.factories import Team, a_team, default_experiment
from tests.services.live import LiveMled
from tests.services.processes import start, stop, wait_until

WITHIN = 60.0  # seconds, where the machine is busy with other tests


class Engine:
    """Starts workers, launches jobs and looks at what became of them. Use it within `at_work`."""

    def __init__(self, mled: LiveMled, *, executor: str = "plain", **environment: str) -> None:
        self.mled = mled
        self.log = mled.data / "workers.log"
        with self.log.open("a") as log:
            self._mother = start(
                [sys.executable, "-m", "tests.runner.engine_worker"],
                env={**mled.environment, "MLED_TASKS_INLINE": "0", "MLED_EXECUTOR": executor, **environment},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        self.workers: list[int] = []

    def worker(
        self, name: str, *, slots: int = 1, queues: Iterable[str] = ("default",), has_short_leases: bool = False
    ) -> int:
        """Start one; its process id."""
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        asked = {"name": name, "slots": slots, "queues": list(queues), "short": has_short_leases}
        self._mother.stdin.write(json.dumps(asked) + "\n")
        self._mother.stdin.flush()
        self.workers.append(int(self._mother.stdout.readline()))
        return self.workers[-1]

    def end(self, worker: int, by: int = signal.SIGTERM) -> None:
        """Tell a worker to end, and see it gone."""
        os.kill(worker, by)
        wait_until(lambda: not psutil.pid_exists(worker), within=WITHIN, what=f"the worker is gone; log: {self.log}")

    def hold(self, worker: int, job: Job) -> None:
        """Have a worker stand still (SIGSTOP) at a moment when it holds no lock that others wait for."""
        wait_until(lambda: self._is_held(worker, job), within=WITHIN, what="it stands still between two writes")

    def _is_held(self, worker: int, job: Job) -> bool:
        os.kill(worker, signal.SIGSTOP)
        try:
            is_free = _could_write(job)
        except DatabaseError:
            is_free = False
        if not is_free:
            os.kill(worker, signal.SIGCONT)
        return is_free

    def words(self) -> str:
        return self.log.read_text()

    def stop(self) -> None:
        for worker in self.workers:
            if psutil.pid_exists(worker):
                os.kill(worker, signal.SIGKILL)
        stop(self._mother, by=signal.SIGKILL)


@contextmanager
def at_work(databases: Any, place: Path, blocker: Any, settings: Any, **environment: str) -> Iterator[LiveMled]:
    """A database and a place for an installation without a web server, whose rows this process sees."""
    database = databases.clone()
    mled = LiveMled(database=database, data=place / "live", static_root=place, blocker=blocker, **environment)
    settings.MLED_DATA, settings.MLED_BLOBS = mled.data, mled.environment.get("MLED_BLOBS", str(mled.data / "blobs"))
    waking, hooks.waking[:] = list(hooks.waking), []  # who is woken by whom is said in each test
    try:
        with mled.in_database():
            yield mled
    finally:
        hooks.waking[:] = waking
        databases.drop(database)


def _could_write(job: Job) -> bool:
    """Whether nobody has locked it. Raises DatabaseError where that is not known soon."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA busy_timeout=200")
        try:
            with transaction.atomic():
                return Job.objects.select_for_update(skip_locked=True).filter(pk=job.pk).exists()
        finally:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA busy_timeout=30000")


class Launcher:
    """Somebody who launches jobs from one uploaded folder, with other words each."""

    def __init__(self, team: Team | None = None) -> None:
        self.team = team or a_team()
        self.experiment: Experiment = default_experiment(self.team.project)
        self._code = self._uploaded()

    def _uploaded(self) -> str:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("readme.txt", "Nothing to run here.")
        stored = receive(io.BytesIO(content.getvalue()), expected=len(content.getvalue()))
        with acting(operator(), "runner.upload_of_a_test", project_id=self.team.project.pk):
            know(stored)
        return stored.digest

    def launch(self, *words: str, secrets: tuple[str, ...] = (), **more: Any) -> Job:
        draft = Draft(
            kind="folder", code=self._code, code_name="code.zip", words=words, resources=Resources(seconds=600),
            secrets=secrets,
        )  # fmt: skip
        return launch(self.team.scientist, self.experiment, draft=draft, **more)

    def shell(self, script: str, **more: Any) -> Job:
        """A job that is a line for the shell."""
        return self.launch("sh", "-c", script, **more)


def fresh(job: Job) -> Job:
    """As it is now."""
    return Job.objects.select_related("run", "worker").get(pk=job.pk)


def comes_to(job: Job, *states: str, within: float = WITHIN) -> Job:
    """Wait for one of these states."""
    wait_until(
        lambda: Job.objects.filter(pk=job.pk, state__in=states).exists(), within=within,
        what=f"the job is {' or '.join(states)}, and not {fresh(job).state} ({fresh(job).stage})",
    )  # fmt: skip
    return fresh(job)


def processes_of(job: Job) -> list[int]:
    """What still runs of a job, wherever it got to: its run stands in the environment of each."""
    mark = f"MLFLOW_RUN_ID={job.run.uid.hex}".encode()
    found = []
    for process in psutil.process_iter():
        try:
            if mark in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0"):
                found.append(process.pid)
        except OSError:
            continue
    return found
