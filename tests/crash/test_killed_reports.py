"""SIGKILL to the worker in the middle of a report: each comes out once, whole, and nothing of it is left behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from audit.compliance.actions.reports import request_report
from audit.compliance.models import Report, ReportFile
from audit.compliance.reports import hooks
from audit.compliance.reports.lease import LEASE
from audit.ledger.models import AuditEvent
from experiments.actions.batches import log_batch
from experiments.values import RunStatus
from kernel.clock import now
from tests.factories import Team, a_batch, a_file, a_run, a_team
from tests.services.live import LiveMled
from tests.services.processes import start, stop, wait_until
from tests.services.scale import sized

pytestmark = pytest.mark.slow
KILLS = sized(3, 50)
RUNS = 8
SEED = 20261122
FILES = {"report-1.pdf", "report-2.pdf", "report-3.pdf", "report.csv", "report.jsonl", "report.mledlog"}


class Workers:
    """Forks workers of the installation, one at a time."""

    def __init__(self, mled: LiveMled) -> None:
        with mled.log.open("a") as log:
            self._mother = start(
                [sys.executable, "-m", "tests.crash.report_worker"],
                env={**mled.environment, "MLED_TASKS_INLINE": "0"},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip

    def fork(self) -> int:
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.write("\n")
        self._mother.stdin.flush()
        return int(self._mother.stdout.readline())

    def stop(self) -> None:
        stop(self._mother, by=signal.SIGKILL)


@pytest.fixture
def mled(databases, collected_static: Path, tmp_path: Path, django_db_blocker) -> Iterator[LiveMled]:
    """An installation without web workers, whose sequencer runs."""
    database = databases.clone()
    made = LiveMled(database=database, data=tmp_path / "live", static_root=collected_static, blocker=django_db_blocker)
    with made.log.open("a") as log:
        sequencer = start([sys.executable, "manage.py", "sequencer"], env=made.environment, stdout=log, stderr=log)
    try:
        yield made
    finally:
        stop(sequencer)
        made.stop()
        databases.drop(database)


@pytest.fixture
def workers(mled: LiveMled) -> Iterator[Workers]:
    made = Workers(mled)
    try:
        yield made
    finally:
        made.stop()


def a_team_with_runs() -> Team:
    team = a_team()
    for number in range(RUNS):
        run = a_run(team.scientist, name=f"gru-{number}", status=RunStatus.FINISHED)
        log_batch(team.scientist, run, batch=a_batch(params={"lr": "0.1"}, loss=[0.9, 0.5, 0.4]))
        a_file(team.scientist, run)
    return team


def asked_for(team: Team) -> Report:
    return request_report(team.engineer, team.project, kind="compliance", scope="project")


def is_in_work(report: Report) -> bool:
    return Report.objects.filter(pk=report.pk, state__in=Report.OPEN, lease_until__gt=now()).exists()


def kill_while_working(workers: Workers, team: Team, chance: random.Random) -> list[Report]:
    """Kill so many workers that are in the middle of a report; what was asked for meanwhile."""
    reports, kills = [asked_for(team)], 0
    while kills < KILLS:
        worker = workers.fork()
        wait_until(lambda: is_in_work(reports[-1]), within=60, what="a worker has taken the report", every=0.01)
        time.sleep(chance.uniform(0, 1.5))
        kills += is_in_work(reports[-1])
        os.kill(worker, signal.SIGKILL)
        if not Report.objects.get(pk=reports[-1].pk).is_open:
            reports.append(asked_for(team))
    return reports


def test_a_report_comes_out_once_however_often_its_worker_dies(mled, workers, monkeypatch, settings):
    monkeypatch.setattr(hooks, "waking", [])  # nobody but the workers builds
    settings.MLED_DATA = mled.data
    with mled.in_database():
        team = a_team_with_runs()
        reports = kill_while_working(workers, team, random.Random(SEED))
        last = workers.fork()
        wait_until(
            lambda: not Report.objects.filter(state__in=Report.OPEN).exists(),
            within=120,
            what="every report is finished",
        )
        for report in reports:
            report.refresh_from_db()
            assert (report.state, report.failure) == (Report.State.DONE, "")
            assert set(ReportFile.objects.filter(report=report).values_list("name", flat=True)) == FILES
            issued = AuditEvent.objects.filter(verb="compliance.issue_report", subject_id=report.ledger_id)
            assert issued.count() == 1
            assert sum(len(part.digests) for part in report.parts.all()) == report.records == report.done == RUNS
        spool = mled.data / "reports-in-work"
        wait_until(lambda: not list(spool.iterdir()), within=10, what="nothing is left of the work")
        os.kill(last, signal.SIGKILL)
    mled.manage("sequencer", "--once")
    assert "Sound." in mled.manage("verify_ledger")


def test_a_lease_and_the_next_turn_of_the_clock_are_shorter_than_two_minutes():
    every = settings.CELERY_BEAT_SCHEDULE["build reports"]["schedule"]
    assert LEASE.total_seconds() + every < 120
