"""SIGKILL to workers at any moment: no job is lost, doubled or stuck past its lease, and nothing of it goes on."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.ledger.verify import verify_ledger
from experiments.models import Run
from experiments.values import RunStatus
from kernel.clock import now
from runner.models import Job
from tests.runner.engine import Engine, Launcher, at_work, comes_to, fresh, processes_of
from tests.runner.workplaces import file_of
from tests.services.processes import wait_until
from tests.services.scale import sized

pytestmark = pytest.mark.slow
KILLS = sized(3, 50)
JOBS = sized(4, 30)
SEED = 20261122


@pytest.fixture
def engine(databases, tmp_path, valkey_url, django_db_blocker, settings) -> Iterator[Engine]:
    with at_work(databases, tmp_path, django_db_blocker, settings, REDIS_URL=valkey_url) as mled:
        made = Engine(mled)
        try:
            yield made
        finally:
            made.stop()


def last_of(job: Job) -> Job:
    """The job, or that which tried it again, and so on."""
    while (again := Job.objects.filter(retry_of=job).first()) is not None:
        job = again
    return job


def killed(engine: Engine, workers: dict[str, int], chance: random.Random, slots: int) -> Job | None:
    """Kill one of them in the middle of something, and start it again, soon or late. What it had at that moment."""
    name = chance.choice(sorted(workers))
    wait_until(
        lambda: Job.objects.filter(lease__isnull=False).exists() or not Job.objects.filter(state__in=Job.OPEN).exists(),
        within=60, what="somebody is at work", every=0.01,
    )  # fmt: skip
    time.sleep(chance.uniform(0, 0.8))
    had = Job.objects.filter(worker__name=name, state=Job.State.RUNNING, lease__isnull=False).first()
    engine.end(workers[name], signal.SIGKILL)
    if had is not None:
        wait_until(lambda: processes_of(had) == [], within=10, what="nothing of its job goes on")
    time.sleep(chance.choice((0, 0, 4)))  # where it stays away longer, the other finds what it had
    workers[name] = engine.worker(name, slots=slots, has_short_leases=True)
    return had


def test_no_job_is_lost_or_doubled_however_often_workers_die(engine, tmp_path):
    chance, ada, noted = random.Random(SEED), Launcher(), tmp_path / "noted"
    script = f"echo $MLFLOW_RUN_ID >> {noted}; sleep $MLED_SECONDS"
    jobs = [ada.shell(script.replace("$MLED_SECONDS", f"{chance.uniform(0, 2):.2f}"), retries=100) for _ in range(JOBS)]
    workers = {name: engine.worker(name, slots=2, has_short_leases=True) for name in ("one", "two")}
    in_the_middle = sum(killed(engine, workers, chance, 2) is not None for _ in range(KILLS))
    wait_until(lambda: not Job.objects.filter(state__in=Job.OPEN).exists(), within=sized(60, 300), what="all are over")
    ends = [last_of(fresh(job)) for job in jobs]
    assert Counter((job.state, job.why) for job in ends) == {("finished", ""): JOBS}
    begun = Counter(noted.read_text().split())
    assert set(begun.values()) == {1}, "into each run something was executed once"
    others = Job.objects.exclude(pk__in=[job.pk for job in ends])
    assert {(job.state, job.cause) for job in others} <= {("failed", "worker")}
    assert in_the_middle == 0 or others.exists()
    assert {str(uid.hex) for uid in Run.objects.filter(job__in=ends).values_list("uid", flat=True)} <= set(begun)
    assert set(Run.objects.values_list("status", flat=True)) <= {RunStatus.FINISHED, RunStatus.FAILED}
    assert not Job.objects.filter(lease__isnull=False).exists()
    for worker in workers.values():
        engine.end(worker)
    engine.mled.manage("sequencer", "--once")
    assert verify_ledger().is_sound


def test_what_a_killed_worker_had_is_settled_when_its_lease_is_over(engine, tmp_path):
    """By another that is there, within a lease and two looks; and at once by the same one when it comes back."""
    ada = Launcher()
    first = engine.worker("first", queues=["a"], has_short_leases=True)
    other = engine.worker("other", queues=["b"], has_short_leases=True)
    lost = comes_to(ada.shell("echo so far; sleep 600", queue="a", retries=1), "running")
    wait_until(lambda: lost.output.exists(), within=20, what="it has printed")
    engine.end(first, signal.SIGKILL)
    killed_at = now()
    lost = comes_to(lost, "failed")
    assert lost.ended_at is not None
    assert (lost.ended_at - killed_at).total_seconds() < 15, "a lease, and looks of a busy machine"
    assert file_of(lost, "console/stdout.log") == b"so far\n", "what it had printed is kept"
    engine.end(other)
    again = Job.objects.get(retry_of=lost)
    first = engine.worker("first", queues=["a"])
    comes_to(again, "running")
    engine.end(first, signal.SIGKILL)
    engine.worker("first", queues=["a"])
    assert comes_to(again, "failed", within=20).cause == "worker"
    assert not Job.objects.filter(retry_of=again).exists(), "as often as was asked, and no more"


def orphans(mark: bytes) -> list[int]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if mark in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(int(pid))
        except OSError:
            continue
    return found


def test_in_the_sandbox_nothing_outlives_its_worker(sandbox, engine, tmp_path, databases):
    """Also what a command set loose: a session of its own, in the background, deaf to signals."""
    boxed = Engine(engine.mled, executor="sandbox")
    try:
        worker = boxed.worker("boxed", queues=["boxed"])
        nap = f"6{os.getpid()}.25"
        script = f"trap '' TERM HUP; setsid sleep {nap} & sleep {nap} & echo begun; sleep {nap}"
        job = comes_to(Launcher().shell(script, queue="boxed"), "running")
        wait_until(lambda: len(orphans(nap.encode())) >= 3, within=20, what="all of them sleep")
        boxed.end(worker, signal.SIGKILL)
        wait_until(lambda: orphans(nap.encode()) == [], within=10, what="all of them are gone")
        boxed.worker("boxed", queues=["boxed"])
        assert comes_to(job, "failed").cause == "worker"
    finally:
        boxed.stop()
