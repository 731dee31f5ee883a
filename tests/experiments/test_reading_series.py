"""Reading of long series: in pieces, every n-th point, packed columns; each beside a plain Python reference."""

from __future__ import annotations

import importlib
import itertools
import math
import random
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.metrics import binary, parts, seal, slices, store
from experiments.metrics.batch import Batch, MetricPoint
from experiments.metrics.compaction import LARGEST, compact, segment_of
from experiments.metrics.evenly import evenly
from experiments.metrics.packing import pack_integers, pack_listed, unpack_integers
from experiments.metrics.store import Points, history, joined, pieces
from experiments.models import MetricSegment, MetricSeries
from experiments.queries.curves import Axis, columns_in_turn, columns_of_runs
from experiments.queries.runs import metric_curves, metric_samples, series_of
from tests.experiments.test_metric_store import ODD, Plain, batches, bits, by_value, fewer, some, stored_as, told_apart
from tests.factories import a_run, log_batch

INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The statements of the store, in the order in which they were sent."""
    sent: list[str] = []
    fetched = parts.fetched

    def noted(statement: str, *bound: object) -> object:
        sent.append(statement)
        return fetched(statement, *bound)

    monkeypatch.setattr(parts, "fetched", noted)
    return sent


def plain(points: Points) -> list[tuple[int, int, bytes]]:
    return list(zip(points.times.tolist(), points.steps.tolist(), map(bits, points.values.tolist()), strict=True))


def as_bits(points: list[Plain]) -> list[tuple[int, int, bytes]]:
    return [(at, step, bits(value)) for at, step, value in points]


def sampled(series: MetricSeries, most: int, steps: tuple[int, int] | None = None) -> Points:
    return evenly([series.run_id], series.key, most, steps)[series.run_id]


# --- In pieces


def test_pieces_are_the_history_whatever_their_size(ada, run):
    @some
    @given(drawn=batches(), wanted=st.integers(1, 12))
    def holds(drawn, wanted):
        points, sent = drawn
        series = stored_as(ada, run, sent)
        found = list(pieces(series, wanted=wanted))
        assert [plain(piece) for piece in found if not len(piece)] == []
        assert list(itertools.chain.from_iterable(map(plain, found))) == as_bits(told_apart(points))

    holds()


def test_a_long_history_is_never_in_memory_as_a_whole(ada, run):
    series = long_series(ada, run, 20 * 32_768, part=32_768)
    tracemalloc.start()
    try:
        count = sum(len(piece) for piece in pieces(series))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 20 * 32_768
    assert peak < 24 * count / 2  # 15.7 MB as arrays


def test_a_page_reads_the_segments_that_it_shows_and_no_others(ada, run, asked, monkeypatch):
    series = long_series(ada, run, 100_000, part=1_000)
    read: list[int] = []
    fetched = store.parts_of_segments

    def counted(segments: list[int]) -> object:
        read.extend(segments)
        return fetched(segments)

    monkeypatch.setattr(store, "parts_of_segments", counted)
    middle = store.Position(50_000, 50_000, 0)
    page, end = store.history_page(series, 1_500, middle)
    assert (page.steps[0], len(page), end.step) == (50_000, 1_500, 51_499)
    assert len(read) <= 4
    assert len(asked) <= 4


def test_what_is_merged_while_pieces_go_out_is_read_again(ada, run):
    series = long_series(ada, run, 6_400, part=50)
    walk = pieces(series, wanted=500)
    found = [next(walk)]
    assert compact(series.pk) > 0
    found += walk
    assert joined(found).steps.tolist() == list(range(6_400))


# --- Every n-th point


def expected_sample(points: list[Plain], most: int, window: tuple[int, int] | None) -> list[Plain]:
    """By step, time, value: the first of each of `most` portions of the same size, but the last instead of the last."""
    once = [one for one in told_apart(points) if window is None or window[0] <= one[1] <= window[1]]
    once.sort(key=lambda one: (one[1], one[0], by_value(one[2])))
    if len(once) <= most:
        return once
    portions = [list(portion) for portion in np.array_split(np.arange(len(once)), most)]
    return [once[place] for place in [*(portion[0] for portion in portions[:-1]), len(once) - 1]]


def test_a_sample_is_evenly_spread_for_any_points_cut_anywhere(ada, run):
    windows = st.none() | st.tuples(st.integers(-3, 3), st.integers(-3, 3)).map(lambda two: (min(two), max(two)))

    @some
    @given(drawn=batches(), most=st.integers(1, 12), window=windows)
    def holds(drawn, most, window):
        points, sent = drawn
        series = stored_as(ada, run, sent)
        found = sampled(series, most, window)
        assert plain(found) == as_bits(expected_sample(points, most, window))

    holds()


def test_points_fetched_one_by_one_are_those_of_the_arrays(ada, run, monkeypatch):
    """PostgreSQL does so where steps count up, whatever form columns have; with a gap of 0 they do not."""
    monkeypatch.setattr(slices, "_AT_LEAST", 1)
    spreads = st.sampled_from([0, 1, 200, 60_000, 2**31, 2**40])
    gaps = st.sampled_from([[1], [7], [1, 2], [1, 300], [1, 2**40], [0, 1]])

    @fewer
    @given(count=st.integers(3, 60), gaps=gaps, spread=spreads, most=st.integers(1, 12), seed=st.integers())
    def holds(count, gaps, spread, most, seed):
        rng = random.Random(seed)
        times = sorted(rng.randint(0, spread) + at for at in range(count))
        steps = list(itertools.accumulate((rng.choice(gaps) for _ in range(count)), initial=-5))[:count]
        points = [(at, step, rng.choice(ODD)) for at, step in zip(times, steps, strict=True)]
        series = stored_as(ada, run, [points])
        assert plain(sampled(series, most)) == as_bits(expected_sample(points, most, None))
        MetricSegment.objects.filter(series=series).delete()
        segment_of(series, history_of(told_apart(points))).save()
        assert plain(sampled(series, most)) == as_bits(expected_sample(points, most, None))

    holds()


def history_of(points: list[Plain]) -> Points:
    times, steps, values = zip(*points, strict=True)
    return Points(np.array(steps, np.int64), np.array(times, np.int64), np.array(values, np.float64))


@pytest.mark.parametrize("part", [70, 1_000])
def test_a_sample_of_a_long_curve_reads_only_where_it_picks(ada, run, asked, part):
    series = long_series(ada, run, 70_000, part=part)
    read: list[int] = []
    fetched = parts._parts

    def counted(statement: str, *bound: object) -> object:
        for one in fetched(statement, *bound):
            read.append(len(one.points))
            yield one

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parts, "_parts", counted)
        found = sampled(series, 10)
        within = sampled(series, 10, (20_010, 20_069))
    picks = [*range(0, 63_000, 7_000), 69_999]
    assert found.steps.tolist() == picks
    assert plain(found) == plain(history(series).take(np.array(picks)))
    assert (len(within), within.steps[0], within.steps[-1]) == (10, 20_010, 20_069)
    assert sum(read) <= 12 * part
    assert len(asked) <= 5


def test_a_sample_is_whole_though_its_curve_is_merged_while_it_is_read(ada, run, monkeypatch):
    series = long_series(ada, run, 64_000, part=1_000)
    merged: list[int] = []
    looking = importlib.import_module("experiments.metrics.evenly")
    look = looking._looked_up

    def looked_up_just_before(*asked: object) -> object:
        found = look(*asked)
        if not merged:
            merged.append(compact(series.pk))
        return found

    monkeypatch.setattr(looking, "_looked_up", looked_up_just_before)
    found = sampled(series, 10)
    assert merged[0] > 0
    assert plain(found) == plain(history(series).take(np.array([*range(0, 57_600, 6_400), 63_999])))


def test_samples_of_many_runs_take_the_statements_of_one(ada, asked, django_assert_max_num_queries):
    runs = [a_run(ada) for _ in range(12)]
    for place, one in enumerate(runs[1:]):
        long_series(ada, one, 300 + place, part=150)
    with django_assert_max_num_queries(2):  # those of the store, which are seen here on SQLite
        found = metric_samples(ada, runs, "loss", most=20)
    assert [len(points) for points in found] == [0, *[20] * 11]
    assert [int(points.steps[-1]) for points in found[1:]] == [299 + place for place in range(11)]
    assert len(asked) == 2


@pytest.mark.parametrize("by_time", [False, True])
def test_a_window_of_a_curve_reads_the_segments_that_lie_in_it(ada, run, asked, by_time):
    """The points are at step n and at n milliseconds."""
    long_series(ada, run, 20_000, part=1_000)
    window = (4.9995, 6.5005) if by_time else (4_999.5, 6_500.5)
    read: list[int] = []
    fetched = parts.fetched

    def counted(statement: str, *bound: object) -> object:
        rows = list(fetched(statement, *bound))
        read.append(len(rows))
        return rows

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parts, "fetched", counted)
        curve = metric_curves(ada, run, ["loss"], window=window, by_time=by_time)["loss"]
        (columns,) = columns_of_runs(ada, [run], "loss", Axis("time" if by_time else "step", window)).values()
    scale = 1000 if by_time else 1
    assert (curve.total, round(curve.x[0] * scale), round(curve.x[-1] * scale)) == (1_501, 5_000, 6_500)
    assert len(columns.within(window)[0]) == 1_501
    assert max(read) <= 3
    everything = metric_curves(ada, run, ["loss"], by_time=by_time)["loss"]
    assert (everything.total, everything.y.min(), everything.y.max()) == (20_000, 0, 19_999 / 7)


def test_curves_of_many_runs_are_read_in_portions(ada, asked, monkeypatch):
    monkeypatch.setattr(seal, "POINTS_AT_ONCE", 1_000)
    runs = [a_run(ada) for _ in range(5)]
    for one in runs[::-1]:
        long_series(ada, one, 400, part=100)
    asked.clear()
    turns = columns_in_turn(ada, runs, "loss", Axis("relative"))
    assert [(place, len(columns.x)) for place, columns in turns] == [(place, 400) for place in range(5)]
    assert len(asked) == 3


def test_points_of_one_step_are_thinned_as_well(ada, run):
    """A client that says no step logs everything at step 0."""
    log_batch(ada, run, batch=Batch(metrics=[MetricPoint("loss", float(at), at, 0) for at in range(900)]))
    (series,) = series_of(ada, run, ["loss"])
    assert sampled(series, 9).times.tolist() == [*range(0, 800, 100), 899]


# --- Packed columns


@fewer
@given(st.lists(INT64, max_size=40) | st.lists(st.integers(0, 70_000), max_size=40))
def test_packed_integers_come_back(numbers):
    column = np.array(numbers, np.int64)
    assert unpack_integers(pack_integers(column), len(column)).tolist() == numbers


@fewer
@given(base=INT64, stride=INT64, count=st.integers(0, 50))
def test_what_counts_up_evenly_takes_17_bytes_even_where_it_overflows(base, stride, count):
    column = np.array([(base + stride * at + 2**63) % 2**64 - 2**63 for at in range(count)], np.int64)
    packed = pack_integers(column)
    assert unpack_integers(packed, count).tolist() == column.tolist()
    assert len(packed) == (17 if count > 2 else 8 * count)


@fewer
@given(st.lists(INT64, max_size=40) | st.lists(st.integers(-3, 3), max_size=6))
def test_a_list_as_it_was_sent_comes_back(numbers):
    assert unpack_integers(pack_listed(numbers), len(numbers)).tolist() == numbers


@fewer
@given(first=INT64, last=INT64, count=st.integers(3, 50))
def test_a_list_that_counts_evenly_takes_17_bytes_up_down_and_all_one(first, last, count):
    stride = abs(last - first) // (count - 1) * (1 if last > first else -1)
    numbers = [first + stride * at for at in range(count)]
    packed = pack_listed(numbers)
    assert len(packed) == 17
    assert unpack_integers(packed, count).tolist() == numbers
    numbers[1] += 1 if numbers[1] < 2**63 - 1 else -1
    assert unpack_integers(pack_listed(numbers), count).tolist() == numbers


@pytest.mark.parametrize(("reach", "width"), [(255, 1), (65_535, 2), (2**32 - 1, 4), (2**32, 8)])
def test_numbers_near_one_another_take_as_many_bytes_as_they_differ(reach, width):
    column = np.array([2**62, 2**62 + reach, *[2**62 + 1] * 98], np.int64)
    packed = pack_integers(column)
    assert len(packed) == 100 * width + (17 if width < 8 else 0)
    assert np.array_equal(unpack_integers(packed, 100), column)


@pytest.mark.once
def test_arrays_of_any_length_are_sent_as_postgresql_reads_them():
    for count in (0, 1, 2, *range(900, 1_100), 5_000):
        numbers = list(range(-2, count - 2))
        items = b"".join(struct.pack(">iq", 8, number) for number in numbers)
        assert binary.int8s(numbers) == struct.pack(">iiiii", 1, 1, 20, count, 1) + items
    assert binary._items.cache_info().currsize <= 128


def test_a_merged_curve_takes_half_of_its_bytes_and_keeps_every_bit(ada, run):
    rng = random.Random(4)
    odd = [math.nan, math.inf, -math.inf, -0.0, 5e-324]
    times = list(itertools.accumulate(rng.randrange(1, 2_000) for _ in range(6_400)))
    sent = [(times[at], 10 * at, odd[at % 5] if at % 9 == 0 else rng.random()) for at in range(6_400)]
    series = stored_as(ada, run, [sent[start : start + 64] for start in range(0, 6_400, 64)])
    before = plain(history(series))
    assert compact(series.pk) > 0
    assert plain(history(series)) == before == as_bits(sent)
    merged = MetricSegment.objects.filter(series=series).order_by("-count").first()
    assert len(merged.steps) == 17
    assert len(merged.steps) + len(merged.times) + len(merged.values) < 12.1 * merged.count


def long_series(ada, run, count: int, *, part: int) -> MetricSeries:
    """Points at step 0, 1, 2, … at so many milliseconds, in segments of `part` points."""
    log_batch(ada, run, batch=Batch(metrics=[MetricPoint("loss", 0.0, count - 1, count - 1)]))
    (series,) = series_of(ada, run, ["loss"])
    MetricSegment.objects.filter(series=series).delete()
    assert part <= LARGEST
    for start in range(0, count, part):
        steps = np.arange(start, min(start + part, count))
        segment_of(series, Points(steps, steps, steps / 7)).save()
    return series
