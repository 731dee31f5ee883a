"""SIGKILL to whoever archives a run, after each step and at any time: no point is lost, doubled or changed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from artifacts.queries.content import stray_content
from experiments.models import MetricArchive, MetricSegment, Run
from experiments.values import RunStatus
from kernel import clock
from kernel.actor import system
from tests.crash.archive_worker import PLACES
from tests.experiments.test_archives import ended, everything, fresh, many, odd, wave
from tests.factories import a_team
from tests.services.live import LiveMled
from tests.services.processes import start, stop
from tests.services.scale import sized

pytestmark = pytest.mark.slow
BY_TIME = sized(3, 20)
SEED = 20261122


class Worker:
    """Archives one run at a time in a process of its own."""

    def __init__(self, mled: LiveMled) -> None:
        with mled.log.open("a") as log:
            self._mother = start(
                [sys.executable, "-m", "tests.crash.archive_worker"],
                env=mled.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip

    def archive(self, run: Run, place: str = "") -> int:
        """The exit code of the process that did it."""
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.write(f"{run.pk} {place}\n")
        self._mother.stdin.flush()
        return int(self._mother.stdout.readline())

    def stop(self) -> None:
        stop(self._mother, by=signal.SIGKILL)


@pytest.fixture
def mled(databases, tmp_path: Path, django_db_blocker, settings) -> Iterator[LiveMled]:
    """An installation of which nothing runs."""
    database = databases.clone()
    made = LiveMled(database=database, data=tmp_path / "live", static_root=tmp_path, blocker=django_db_blocker)
    settings.MLED_DATA, settings.MLED_BLOBS = made.data, str(made.data / "blobs")
    try:
        yield made
    finally:
        made.stop()
        databases.drop(database)


def test_whoever_is_killed_while_archiving_leaves_all_or_nothing_done(mled, monkeypatch):
    chance, worker = random.Random(SEED), Worker(mled)
    try:
        with mled.in_database():
            team = a_team()
            run = ended(team, wave(150), wave(90, first=110), odd(), many(10))
            before = everything(team.scientist, run)
            segments = set(MetricSegment.objects.filter(series__run=run).values_list("pk", flat=True))
            for place in PLACES[:-1]:
                assert worker.archive(run, place) == -signal.SIGKILL, place
                assert set(MetricSegment.objects.values_list("pk", flat=True)) == segments, place
                assert not MetricArchive.objects.exists(), place
                assert everything(team.scientist, run) == before, place
            later = clock._now() + 30 * 86_400
            with monkeypatch.context() as patched:
                patched.setattr(clock, "_now", lambda: later)
                assert len(stray_content(system())) == 1, "what was left is one file, that the collector finds"
            assert worker.archive(run, PLACES[-1]) == -signal.SIGKILL
            assert MetricArchive.objects.get(run=run).points == 200 + 8 + 10
            assert everything(team.scientist, run) == before
            assert worker.archive(run) == 0, "once more"
            again = [ended(team, wave(120, first=place)) for place in range(BY_TIME)]
            seen = [everything(team.scientist, one) for one in again]
            for one, expected in zip(again, seen, strict=True):
                assert worker.archive(one, f"{chance.uniform(0.001, 0.25):.3f}") == -signal.SIGKILL
                assert everything(team.scientist, one) == expected
                assert worker.archive(one) == 0
                assert everything(team.scientist, one) == expected
                assert fresh(one).status == RunStatus.FINISHED
    finally:
        worker.stop()
    mled.manage("sequencer", "--once")
    assert "Sound." in mled.manage("verify_ledger")
