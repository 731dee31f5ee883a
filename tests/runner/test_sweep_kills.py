"""Whoever carries a sweep on may be killed at any moment, or come twice: each point is begun once, never too many."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from experiments.models import Run
from experiments.values import RunStatus
from kernel.actor import system
from runner import hooks
from runner.actions.jobs import end_job
from runner.models import Job, Sweep
from tests.factories import a_team
from tests.factories_runner import a_worker, held_by
from tests.runner.engine import at_work
from tests.runner.test_sweeps import a_sweep
from tests.services.processes import start, stop
from tests.services.scale import sized

KILLS = sized(6, 50)
AT_ONCE = 3


class Carriers:
    """Processes that carry sweeps on."""

    def __init__(self, mled):
        with (mled.data / "carriers.log").open("a") as log:
            self._mother = start(
                [sys.executable, "-m", "tests.runner.sweep_killed"],
                env=mled.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip

    def carry(self, at: int = 0) -> int:
        """One of them, killed before that statement; how it ended."""
        self._mother.stdin.write(json.dumps({"at": at}) + "\n")
        self._mother.stdin.flush()
        return int(self._mother.stdout.readline())

    def stop(self):
        stop(self._mother, by=signal.SIGKILL)


@pytest.fixture
def installation(databases, tmp_path, django_db_blocker, settings, monkeypatch):
    with at_work(databases, tmp_path, django_db_blocker, settings) as mled:
        monkeypatch.setattr(hooks, "job_over", [])  # nobody hears of an end, but for who comes by the clock
        yield mled


@pytest.fixture
def carriers(installation):
    found = Carriers(installation)
    yield found
    found.stop()


def points(sweep):
    return [job.recipe.params["lr"] for job in Job.objects.filter(sweep=sweep).select_related("recipe")]


def end_one(sweep, worker):
    job = Job.objects.filter(sweep=sweep, state=Job.State.QUEUED).order_by("created_at").first()
    held = held_by(job, worker)
    end_job(system(), held, lease=held.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT)


def test_killed_at_any_statement_it_begins_each_point_once(installation, carriers):
    team, chance, worker = a_team(), random.Random(7), a_worker()
    sweep = a_sweep(team.scientist, team.project, space={"lr": list(range(1, KILLS + 5))}, at_once=AT_ONCE)
    ends = Counter()
    while Sweep.objects.get(pk=sweep.pk).state == Sweep.State.RUNNING:
        if Job.objects.filter(sweep=sweep, state__in=Job.OPEN).exists():
            end_one(sweep, worker)
        if ends[-signal.SIGKILL] < KILLS:
            ends[carriers.carry(at=chance.randrange(1, 60))] += 1
        assert len(points(sweep)) == len(set(points(sweep)))
        assert Job.objects.filter(sweep=sweep, state__in=Job.OPEN).count() <= AT_ONCE
        assert carriers.carry() == 0
    assert sorted(points(sweep)) == list(range(1, KILLS + 5))
    assert ends[-signal.SIGKILL] >= min(KILLS, 3)
    assert set(ends) <= {-signal.SIGKILL, 0}
    assert Run.objects.get(pk=sweep.parent_id).status == RunStatus.FINISHED


def test_two_that_come_at_once_begin_no_more_than_one_would(installation):
    team, worker = a_team(), a_worker()
    sweep = a_sweep(team.scientist, team.project, space={"lr": list(range(1, 9))}, at_once=AT_ONCE)
    both = [Carriers(installation), Carriers(installation)]
    try:
        with ThreadPoolExecutor(2) as threads:
            while Job.objects.filter(sweep=sweep, state__in=Job.OPEN).exists():
                end_one(sweep, worker)
                assert {0} == set(threads.map(lambda one: one.carry(), both))
                assert Job.objects.filter(sweep=sweep, state__in=Job.OPEN).count() <= AT_ONCE
    finally:
        for one in both:
            one.stop()
    assert sorted(points(sweep)) == list(range(1, 9))
    assert Sweep.objects.get(pk=sweep.pk).state == Sweep.State.DONE
