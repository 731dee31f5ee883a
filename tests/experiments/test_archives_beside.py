"""Archiving beside those who still write to the run, read it and merge it: every point is seen by everybody, once."""

from __future__ import annotations

import threading
from functools import partial

from experiments.actions.archives import archive_run
from experiments.actions.seals import seal_run
from experiments.metrics.batch import Batch
from experiments.metrics.compaction import compact
from experiments.metrics.seal import seal_of
from experiments.metrics.store import history, history_page
from experiments.models import MetricArchive, MetricSeries, Run
from kernel.actor import system
from kernel.errors import Conflict, Unavailable
from tests.experiments.test_archives import ended, fresh, wave
from tests.factories import a_team, again, log_batch
from tests.together import errors, together

WRITES, EACH = 25, 4


def test_nobody_misses_a_point_while_a_run_is_archived_again_and_again(committed_db):
    team = a_team()
    run = ended(team, wave(EACH))
    (series,) = MetricSeries.objects.filter(run=run)
    archived: list[MetricArchive] = []
    acknowledged = [EACH]
    made = threading.Event()

    def write() -> None:
        for number in range(1, WRITES):
            log_batch(again(team.scientist), fresh(run), batch=Batch(metrics=wave(EACH, first=EACH * number)))
            acknowledged.append(EACH * (number + 1))
            if number % 5 == 0:  # so that some archives come to their end
                made.clear()
                assert made.wait(30)

    def archive() -> None:
        while acknowledged[-1] < WRITES * EACH:
            try:
                seal_run(system(), fresh(run))
                archived.append(archive_run(system(), Run.objects.select_related("project").get(pk=run.pk)))
                made.set()
                compact(series.pk)
            except (Conflict, Unavailable):  # somebody wrote meanwhile, or is just writing
                continue

    def read() -> None:
        while acknowledged[-1] < WRITES * EACH:
            known = acknowledged[-1]
            steps = history(series).steps.tolist()
            assert steps == list(range(len(steps)))
            assert len(steps) >= known
            page, _ = history_page(series, 5, None)
            assert page.steps.tolist() == list(range(len(page)))
            assert len(page) >= min(5, known)

    assert errors(together(write, archive, partial(read))) == []
    assert len(archived) >= WRITES // 5 - 1
    seal_run(system(), fresh(run))
    archive_run(system(), fresh(run))
    assert history(series).steps.tolist() == list(range(WRITES * EACH))
    assert seal_of(fresh(run)) == fresh(run).seal
