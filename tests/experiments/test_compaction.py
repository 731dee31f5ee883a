"""Merging segments: nothing that a reader sees changes, whoever reads, writes, merges or dies meanwhile."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from experiments.actions.runs import lock_run
from experiments.actions.seals import seal_run
from experiments.metrics import compaction, store
from experiments.metrics.batch import Batch, MetricPoint
from experiments.metrics.compaction import LARGEST, TIERS, Tier, compact, written_since
from experiments.metrics.seal import seal_of
from experiments.metrics.store import Position, counts_of_many, history, history_page
from experiments.models import MetricSegment, MetricSeries, Run
from experiments.queries.runs import series_of
from experiments.tasks import LOOKED_UP_TO, compact_metrics
from kernel.actor import system
from tests.experiments.test_metric_store import POINTS, Plain, bits, fewer, told_apart
from tests.factories import a_run, a_team, again, log_batch
from tests.together import errors, together


def log_singly(ada, run: Run, points: list[Plain]) -> MetricSeries:
    """Each point in a call of its own."""
    for at, step, value in points:
        log_batch(ada, run, batch=Batch(metrics=[MetricPoint("loss", value, at, step)]))
    (series,) = series_of(ada, run)
    return series


def segments(series: MetricSeries) -> list[int]:
    return sorted(MetricSegment.objects.filter(series=series).values_list("count", flat=True))


def plain(series: MetricSeries) -> list[tuple[int, int, bytes]]:
    points = history(series)
    rows = zip(points.times.tolist(), points.steps.tolist(), points.values.tolist(), strict=True)
    return [(at, step, bits(value)) for at, step, value in rows]


@pytest.fixture
def small(monkeypatch):
    """The same with tiers that a test can fill."""
    monkeypatch.setattr(compaction, "TIERS", (Tier(0, 3, 3, 10), Tier(3, 9, 3, 3)))
    monkeypatch.setattr(compaction, "LARGEST", 12)


@fewer
@given(points=POINTS, twice=st.lists(st.integers(0, 29), max_size=10))
@pytest.mark.django_db
def test_a_merged_series_reads_as_before_to_the_last_bit(points, twice):
    with transaction.atomic():
        team = a_team()
        run = a_run(team.scientist)
        sent = [*points, *(points[place % len(points)] for place in twice)]
        series = log_singly(team.scientist, run, sent)
        tiers = compaction.TIERS
        try:
            compaction.TIERS = (Tier(0, 3, 3, 10), Tier(3, 9, 3, 3))
            compact(series.pk)
        finally:
            compaction.TIERS = tiers
        assert plain(series) == [(at, step, bits(value)) for at, step, value in told_apart(points)]
        assert counts_of_many([series.pk]) == {series.pk: len(told_apart(points))}
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_many_calls_of_one_point_end_in_few_segments_and_the_seal_stays():
    team = a_team()
    run = a_run(team.scientist)
    series = log_singly(team.scientist, run, [(at, at, at / 7) for at in range(300)])
    before, seal = plain(series), seal_of(run)
    assert segments(series) == [1] * 300
    assert compact(series.pk) == 299
    assert (segments(series), plain(series), seal_of(run)) == ([300], before, seal)
    assert compact(series.pk) == 0
    log_singly(team.scientist, run, [(1_000 + at, at, 0.5) for at in range(63)])
    assert compact(series.pk) == 0  # a tier that is not full yet
    seal_run(system(), Run.objects.get(pk=run.pk))
    lock_run(team.scientist, Run.objects.get(pk=run.pk))
    log = MetricSegment.objects.filter(series=series)
    assert log.count() == 64


@pytest.mark.django_db
def test_tiers_grow_into_one_another_and_large_segments_are_left_alone(small):
    team = a_team()
    run = a_run(team.scientist)
    series = log_singly(team.scientist, run, [(at, at, 0.5) for at in range(9)])
    compact(series.pk)
    assert segments(series) == [9]
    series = log_singly(team.scientist, run, [(at, at, 0.5) for at in range(9, 40)])
    compact(series.pk)
    assert max(segments(series)) <= compaction.LARGEST
    assert len(segments(series)) < 8
    assert [at for at, _, _ in plain(series)] == list(range(40))
    spans = MetricSegment.objects.filter(series=series).order_by("min_ms").values_list("min_ms", "max_ms")
    assert all(end < start for (_, end), (start, _) in itertools.pairwise(spans))


@pytest.mark.django_db
def test_a_page_that_was_begun_before_a_merge_is_read_again(small, monkeypatch):
    team = a_team()
    run = a_run(team.scientist)
    series = log_singly(team.scientist, run, [(at, at, at / 3) for at in range(30)])
    merged = []
    found = store.parts_of_segments

    def between(segments: list[int]) -> object:
        if not merged:
            merged.append(compact(series.pk))
        return found(segments)

    with monkeypatch.context() as patched:
        patched.setattr(store, "parts_of_segments", between)
        page, position = history_page(series, 10, None)
    assert merged
    assert page.times.tolist() == list(range(10))
    rest, end = history_page(series, 100, position)
    assert (rest.times.tolist(), end) == (list(range(10, 30)), None)


def test_readers_writers_and_two_who_merge_do_not_see_or_wait_for_one_another(committed_db, small):
    team = a_team()
    run = a_run(team.scientist)
    series = log_singly(team.scientist, run, [(at, at, 0.5) for at in range(60)])
    over = threading.Event()

    def write() -> None:
        try:
            for at in range(60, 120):
                batch = Batch(metrics=[MetricPoint("loss", 0.5, at, at)])
                log_batch(again(team.scientist), Run.objects.get(pk=run.pk), batch=batch)
        finally:
            over.set()

    def merge() -> None:
        while not over.is_set():
            compact(series.pk)

    def read() -> None:
        known = 60
        while not over.is_set():
            times = history(series).times.tolist()
            assert times == list(range(len(times)))
            assert len(times) >= known
            known = len(times)
            paged: list[int] = []
            position: Position | None = None
            while True:
                page, position = history_page(series, 7, position)
                paged += page.times.tolist()
                if position is None:
                    break
            assert paged[:known] == list(range(known))

    assert errors(together(write, merge, merge, partial(read), partial(read))) == []
    compact(series.pk)
    assert history(series).times.tolist() == list(range(120))


def test_a_merge_reads_and_packs_before_it_keeps_a_writer_waiting(committed_db, small, monkeypatch):
    team = a_team()
    series = log_singly(team.scientist, a_run(team.scientist), [(at, at, 0.5) for at in range(6)])
    inside: list[bool] = []
    for name in ("parts_of_segments", "segment_of"):
        found = getattr(compaction, name)

        def noted(*args: object, found: Callable[..., object] = found) -> object:
            inside.append(connection.in_atomic_block)
            return found(*args)

        monkeypatch.setattr(compaction, name, noted)
    assert compact(series.pk) == 5
    assert inside == [False, False]


def test_a_merge_whose_segments_went_meanwhile_is_none(committed_db, small, monkeypatch):
    team = a_team()
    series = log_singly(team.scientist, a_run(team.scientist), [(at, at, 0.5) for at in range(6)])
    made = compaction.segment_of

    def late(*args: object) -> object:
        monkeypatch.setattr(compaction, "segment_of", made)
        compact(series.pk)
        return made(*args)

    monkeypatch.setattr(compaction, "segment_of", late)
    assert compact(series.pk) == 0
    assert (segments(series), len(plain(series))) == ([6], 6)


@pytest.mark.django_db
def test_the_round_finds_what_was_written_since_the_last_one_and_the_command_everything(capsys):
    team = a_team()
    cache.delete(LOOKED_UP_TO)
    crowded = log_singly(team.scientist, a_run(team.scientist), [(at, at, 0.5) for at in range(64)])
    alone = log_singly(team.scientist, a_run(team.scientist), [(at, at, 0.5) for at in range(5)])
    ((_, found),) = written_since(crowded.segments.order_by("pk").first().pk - 1)
    assert found == [crowded.pk]
    assert compact_metrics() >= 63
    assert (segments(crowded), segments(alone)) == ([64], [1] * 5)
    newest = MetricSegment.objects.order_by("-pk").first().pk
    assert list(written_since(newest)) == []
    log_singly(team.scientist, crowded.run, [(100 + at, at, 0.5) for at in range(64)])
    cache.set(LOOKED_UP_TO, MetricSegment.objects.order_by("-pk").first().pk, None)
    assert compact_metrics() == 0
    call_command("compact_metrics")
    assert segments(crowded) == [64, 64]
    assert "fewer" in capsys.readouterr().out
    cache.delete(LOOKED_UP_TO)


@pytest.mark.django_db
def test_points_are_counted_once_however_they_were_sent():
    team = a_team()
    run = a_run(team.scientist)
    twice = [MetricPoint("loss", 0.5, 1, 1), MetricPoint("loss", 0.5, 1, 1), MetricPoint("loss", 0.6, 2, 2)]
    for _ in range(2):
        log_batch(team.scientist, run, batch=Batch(metrics=twice))
    (series,) = series_of(team.scientist, run)
    assert segments(series) == [2, 2]
    assert counts_of_many([series.pk]) == {series.pk: 2}


def test_tiers_meet_without_a_gap():
    assert [tier.least for tier in TIERS] == [0, *(tier.below for tier in TIERS[:-1])]
    assert all(tier.enough <= tier.most for tier in TIERS)
    assert TIERS[-1].below < LARGEST
    assert np.iinfo(np.int64).max > LARGEST
