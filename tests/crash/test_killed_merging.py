"""SIGKILL to whoever merges segments, at any statement: no point is lost, none is doubled, and the seal stays."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.metrics.batch import Batch, MetricPoint
from experiments.metrics.compaction import compact
from experiments.metrics.seal import seal_of
from experiments.models import MetricSegment, Run
from experiments.queries.runs import series_of
from tests.experiments.test_compaction import plain
from tests.experiments.test_metric_store import Plain, bits, told_apart
from tests.factories import a_run, a_team, log_batch
from tests.services.processes import start, stop
from tests.services.scale import sized

KILLS = sized(5, 50)
SEED = 20261122
ODD = [float("nan"), float("inf"), -0.0, 5e-324]


@pytest.fixture
def merging(committed_db: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The mother of processes that merge and die."""
    environment = {**os.environ, "DATABASE_URL": committed_db, "MLED_DATA": str(tmp_path)}
    mother = start(
        [sys.executable, "-m", "tests.crash.merging_worker"],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    yield mother
    stop(mother)


def killed(mother: subprocess.Popen[str], series: int, number: int, moment: str) -> bool:
    """Whether the process died at this statement; else it had merged everything before."""
    assert mother.stdin is not None
    assert mother.stdout is not None
    mother.stdin.write(f"{series} {number} {moment}\n")
    mother.stdin.flush()
    answer = mother.stdout.readline().strip()
    assert answer in ("killed", "over 0")
    return answer == "killed"


def test_whoever_merges_may_die_at_any_statement(merging):
    chance, team = random.Random(SEED), a_team()
    run, beside = a_run(team.scientist), a_run(team.scientist)
    sent: list[Plain] = []
    died = 0
    while died < KILLS:
        for _ in range(12):
            value = chance.choice([*ODD, chance.random()])
            sent.append((chance.randrange(len(sent) + 1), len(sent) // 2, value))
            points = [sent[-1], chance.choice(sent)]  # and one of them once more
            batch = Batch(metrics=[MetricPoint("loss", value, at, step) for at, step, value in points])
            log_batch(team.scientist, Run.objects.get(pk=run.pk), batch=batch)
        (series,) = series_of(team.scientist, run)
        died += killed(merging, series.pk, chance.randint(1, 24), chance.choice(["before", "after"]))
        assert plain(series) == [(at, step, bits(value)) for at, step, value in told_apart(sent)]
    many = MetricSegment.objects.filter(series=series).count()
    seal = seal_of(run)
    assert compact(series.pk) >= 0
    assert MetricSegment.objects.filter(series=series).count() <= many < 2 * len(sent)
    assert seal_of(run) == seal != seal_of(beside)
    assert plain(series) == [(at, step, bits(value)) for at, step, value in told_apart(sent)]
