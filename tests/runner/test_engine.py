"""Real workers do jobs: each once, whoever looks, whatever the broker loses; they drain and leave in good order."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings as installed

from audit.ledger.acting import acting
from experiments.values import RunStatus
from kernel.actor import system
from kernel.clock import now
from runner.actions.jobs import retry_job, stop_job
from runner.models import Job, Worker
from tests.factories import user_of
from tests.runner.engine import Engine, Launcher, at_work, comes_to, fresh, processes_of
from tests.services.processes import wait_until
from tests.services.scale import sized

JOBS = sized(12, 1000)


@pytest.fixture(scope="module")
def engine(databases, tmp_path_factory, valkey_url, django_db_blocker) -> Iterator[Engine]:
    place = tmp_path_factory.mktemp("engine")
    with at_work(databases, place, django_db_blocker, installed, REDIS_URL=valkey_url) as mled:
        made = Engine(mled)
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="module")
def ada(engine) -> Launcher:
    return Launcher()


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def opened_by(process: int) -> list[str]:
    return [os.readlink(one) for one in Path(f"/proc/{process}/fd").iterdir() if one.is_symlink()]


def test_many_jobs_over_two_workers_each_run_once(engine, ada, tmp_path, valkey_url):
    """Some messages are lost, others come many times; both workers look at the same moments."""
    noted = tmp_path / "noted"
    jobs = [ada.shell(f"echo $MLFLOW_RUN_ID >> {noted}", retries=1) for _ in range(JOBS)]
    for name in ("first", "second"):
        engine.worker(name, slots=2)
    broker = Celery(broker=valkey_url, set_as_current=False)  # what other tests do stays with MLED's own
    for _ in range(50):
        broker.send_task("runner.tasks.wake_worker", queue="runner.default")
    wait_until(
        lambda: not Job.objects.filter(state__in=Job.OPEN).exists(), within=sized(60, 1200), what="all are over"
    )  # fmt: skip
    wait_until(
        lambda: not any(".used" in file for worker in engine.workers for file in opened_by(worker)),
        within=10, what="the environments are free",
    )  # fmt: skip
    done = [fresh(job) for job in jobs]
    assert Counter((job.state, job.why) for job in done) == {("finished", ""): JOBS}
    assert Counter(lines(noted)) == {job.run.uid.hex: 1 for job in done}
    assert {job.worker.name for job in done if job.worker} == {"first", "second"}
    assert Job.objects.count() == JOBS, "none was tried again"


@pytest.fixture
def worker(engine, request) -> Iterator[tuple[str, int]]:
    """One worker of a queue of its own: its name, which is that of the queue, and its process."""
    name = request.node.name.removeprefix("test_")[:40]
    pid = engine.worker(name, queues=[name])
    yield name, pid
    engine.end(pid, signal.SIGKILL)


def test_a_command_that_fails_says_so_and_may_be_tried_again(engine, ada, worker):
    failed = comes_to(ada.shell("echo here; echo there >&2; exit 3", queue=worker[0], retries=2), "failed")
    assert (failed.cause, failed.exit_code, failed.run.status) == ("exit", 3, RunStatus.FAILED)
    assert failed.why == "Its command ended with exit code 3."
    raises = "echo 'raise ValueError(\"no such age\")' > odd.py; python3 odd.py"
    assert comes_to(ada.shell(raises, queue=worker[0]), "failed").why == (
        "ValueError: no such age. Its command ended with exit code 1."
    )
    assert not Job.objects.filter(retry_of=failed).exists(), "only what a worker lost is tried again by itself"
    again = comes_to(retry_job(ada.team.scientist, failed), "failed")
    assert again.run_id != failed.run_id


def test_a_job_is_stopped_while_it_waits_and_while_it_runs(engine, ada, worker):
    name, _ = worker
    running = comes_to(ada.shell("trap 'exit 0' TERM; sleep 600 & wait", queue=name), "running")
    behind = ada.shell("true", queue=name)
    assert stop_job(ada.team.scientist, behind).state == "stopped"
    asked = time.monotonic()
    stop_job(ada.team.scientist, running)
    stopped = comes_to(running, "stopped")
    assert time.monotonic() - asked < 100
    assert (stopped.cause, stopped.run.status) == ("stop", RunStatus.KILLED)
    assert f"{user_of(ada.team.scientist).name} stopped it." in stopped.why
    assert processes_of(running) == []
    assert fresh(behind).run.status == RunStatus.KILLED


def test_a_worker_that_drains_finishes_what_it_has_and_takes_no_more(engine, ada, worker):
    name, _ = worker
    going = comes_to(ada.shell("sleep 1", queue=name), "running")
    row = Worker.objects.get(name=name)
    with acting(system(), "runner.drain_of_a_test"):
        row.is_draining = True
        row.save()
    waits = ada.shell("true", queue=name)
    comes_to(going, "finished")
    seen = Worker.objects.get(name=name).seen_at
    wait_until(lambda: Worker.objects.get(name=name).seen_at > seen, within=20, what="it was heard of again")
    assert fresh(waits).state == "queued"
    row.refresh_from_db()
    with acting(system(), "runner.drain_of_a_test"):
        row.is_draining = False
        row.save()
    comes_to(waits, "finished")


def test_a_worker_that_is_told_to_end_leaves_in_good_order(engine, ada):
    name = "leaves_in_good_order"
    first = engine.worker(name, queues=[name])
    job = comes_to(ada.shell("echo begun; trap 'exit 0' TERM; sleep 600 & wait", queue=name, retries=1), "running")
    engine.end(first, signal.SIGTERM)
    over = fresh(job)
    assert (over.state, over.cause, over.lease) == ("failed", "worker", None)
    assert "told to end" in over.why
    assert "tried again in a new run" in over.why
    assert processes_of(job) == []
    assert Worker.objects.get(name=name).left_at is not None
    again = Job.objects.get(retry_of=job)
    assert again.state == "queued"
    second = engine.worker(name, queues=[name])
    comes_to(again, "running")
    assert Worker.objects.get(name=name).left_at is None
    stop_job(ada.team.scientist, again)
    comes_to(again, "stopped")
    engine.end(second)


def test_a_worker_that_hangs_loses_its_job_and_says_nothing_more_of_it(engine, ada):
    """Its process is held, as by a laptop that sleeps: another does the job in a new run; the first ends its own."""
    name = "hangs"
    held = engine.worker(name, queues=[name], has_short_leases=True)
    job = comes_to(ada.shell("sleep 600", queue=name, retries=1), "running")
    engine.hold(held, job)
    other = engine.worker(f"{name}-other", queues=[name], has_short_leases=True)
    lost = comes_to(job, "failed")
    assert (lost.cause, lost.run.status) == ("worker", RunStatus.FAILED)
    again = comes_to(Job.objects.get(retry_of=job), "running")
    assert again.worker is not None
    assert again.worker.name == f"{name}-other"
    os.kill(held, signal.SIGCONT)
    wait_until(lambda: processes_of(job) == [], within=20, what="the first ended what it had")
    assert fresh(job).history.count() == lost.history.count(), "nothing more was said of it"
    stop_job(ada.team.scientist, again)
    comes_to(again, "stopped")
    for one in (held, other):
        engine.end(one)


def test_there_is_one_worker_of_a_name_in_one_place(engine, ada, worker):
    comes_to(ada.shell("true", queue=worker[0]), "finished")
    second = engine.worker(worker[0], queues=[worker[0]])
    wait_until(lambda: f"A worker named {worker[0]} runs on" in engine.words(), within=20, what="the second is refused")
    wait_until(lambda: not Path(f"/proc/{second}").exists(), within=20, what="the second is gone")
    comes_to(ada.shell("true", queue=worker[0]), "finished")


def test_a_person_who_lost_the_right_to_launch_has_nothing_executed(engine, worker):
    emil = Launcher()
    job = emil.shell("true", queue="waits-for-nobody")
    user = user_of(emil.team.scientist)
    with acting(system(), "accounts.deactivate_of_a_test"):
        user.deactivated_at = now()
        user.is_active = False
        user.save()
    job.queue = worker[0]
    with acting(system(), "runner.move_of_a_test"):
        job.save()
    refused = comes_to(job, "failed")
    assert (refused.cause, refused.started_at) == ("refused", None)
    assert refused.why
