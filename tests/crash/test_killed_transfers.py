"""SIGKILL to the worker in the middle of an export and of an import: each ends once, whole, and nothing is doubled."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from artifacts.blobs import receive
from experiments.metrics.store import history
from experiments.models import Comment, MetricSeries, Run
from kernel.actor import operator
from kernel.clock import now
from tests.factories import a_project
from tests.services.live import LiveMled
from tests.services.processes import start, stop, wait_until
from tests.services.scale import sized
from tests.transfer.moving import content
from tests.transfer.projects import a_rich_project
from transfer import hooks
from transfer.actions.transfers import begin
from transfer.archive.reading import origin_in
from transfer.models import Moved, Transfer, TransferFile

pytestmark = pytest.mark.slow
KILLS = sized(3, 40)
SEED = 20261122


class Workers:
    """Forks workers of the installation, one at a time."""

    def __init__(self, mled: LiveMled) -> None:
        with mled.log.open("a") as log:
            self._mother = start(
                [sys.executable, "-m", "tests.crash.transfer_worker"],
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


def killed_and_finished(workers: Workers, transfer: Transfer, chance: random.Random) -> int:
    """Kill workers that are in the middle of it, then let one finish; how many were killed."""
    kills = 0
    for _ in range(KILLS):
        worker = workers.fork()
        wait_until(
            lambda: Transfer.objects.filter(pk=transfer.pk, lease_until__gt=now()).exists()
            or not Transfer.objects.get(pk=transfer.pk).is_open,
            within=60, what="a worker has it", every=0.01,
        )  # fmt: skip
        time.sleep(chance.uniform(0, 0.6))
        kills += Transfer.objects.get(pk=transfer.pk).is_open
        os.kill(worker, signal.SIGKILL)
    last = workers.fork()
    wait_until(lambda: not Transfer.objects.get(pk=transfer.pk).is_open, within=180, what="it is over")
    os.kill(last, signal.SIGKILL)
    transfer.refresh_from_db()
    assert (transfer.state, transfer.failure, transfer.problems) == ("done", "", [])
    return kills


def test_an_export_and_an_import_end_once_however_often_their_worker_dies(mled, monkeypatch, settings):
    monkeypatch.setattr(hooks, "waking", [])  # nobody but the workers does it
    settings.MLED_DATA, settings.MLED_BLOBS = mled.data, str(mled.data / "blobs")
    chance, workers = random.Random(SEED), Workers(mled)
    try:
        with mled.in_database():
            rich = a_rich_project(long=20_000)
            out = begin(rich.team.manager, rich.team.project, kind="export", options={"with_log": True})
            killed_and_finished(workers, out, chance)
            assert TransferFile.objects.filter(transfer=out).count() == 1
            archive = content(out)
            target = a_project()
            stored = receive(io.BytesIO(archive), expected=len(archive))
            asked = {"kind": "archive", "source": "a.zip", "origin": origin_in(stored), "blob": stored}
            come_in = begin(operator(), target, **asked)
            assert killed_and_finished(workers, come_in, chance) > 0
            assert come_in.counts["runs"] == {"held": 4, "new": 4, "there": 0, "refused": 0}
            assert Run.objects.filter(project=target).count() == 4
            assert Comment.objects.filter(run__project=target).count() == 2
            assert Moved.objects.filter(project=target, kind="runs").count() == 4
            series = MetricSeries.objects.get(run__project=target, key="val/loss")
            assert len(history(series)) == 20_000
    finally:
        workers.stop()
    mled.manage("sequencer", "--once")
    assert "Sound." in mled.manage("verify_ledger")
