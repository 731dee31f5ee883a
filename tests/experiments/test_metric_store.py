"""The metric store beside a plain Python reference: any points, cut into batches, repeated and shuffled at will."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.metrics.batch import Batch, MetricPoint, Points
from experiments.metrics.downsample import sample
from experiments.metrics.store import history, history_of_many, history_page
from experiments.models import MetricSegment, MetricSeries
from experiments.queries.runs import metric_history, series_of
from tests.factories import log_batch

Plain = tuple[int, int, float]  # time, step, value

some = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
fewer = settings(some, max_examples=30)
_keys = itertools.count()

STEPS = st.integers(-2, 3) | st.sampled_from([-(2**63), 2**63 - 1]) | st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(0, 3) | st.sampled_from([2**63 - 1]) | st.integers(0, 2**63 - 1)
ODD = [0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308]
VALUES = st.sampled_from(ODD) | st.floats()
POINTS = st.lists(st.tuples(TIMES, STEPS, VALUES), min_size=1, max_size=30)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Plain], list[list[Plain]]]:
    """Points, and the same points in batches: in any order, cut anywhere, some sent twice."""
    points = draw(POINTS)
    sent = [*draw(st.permutations(points)), *draw(st.lists(st.sampled_from(points), max_size=10))]
    cuts = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    parts = [sent[start:end] for start, end in itertools.pairwise([0, *cuts, len(sent)])]
    return points, [part for part in parts if part]


# --- The reference


def bits(value: float) -> bytes:
    return struct.pack("<d", math.nan if math.isnan(value) else value)


def by_value(value: float) -> tuple[bool, float, bool]:
    """-0.0 before 0.0, NaN last."""
    return math.isnan(value), 0.0 if math.isnan(value) else value, math.copysign(1, value) > 0


def told_apart(points: Sequence[Plain]) -> list[Plain]:
    """Each point once, by time, step, value."""
    once = {(at, step, bits(value)): (at, step, value) for at, step, value in points}
    return sorted(once.values(), key=lambda point: (point[0], point[1], by_value(point[2])))


def same(got: Points, expected: Sequence[Plain]) -> None:
    found = list(zip(got.times.tolist(), got.steps.tolist(), map(bits, got.values.tolist()), strict=True))
    assert found == [(at, step, bits(value)) for at, step, value in expected]


def comparable(point: Plain) -> tuple[int, int, float, bool]:
    """(step, time, value): a NaN counts as 0 and comes before one."""
    at, step, value = point
    return step, at, 0.0 if math.isnan(value) else value, not math.isnan(value)


def expected_summary(points: Sequence[Plain]) -> dict[str, float | int | bool | None]:
    last, first = max(points, key=comparable), min(points, key=comparable)
    numbers = [(value, step) for _, step, value in points if not math.isnan(value)]
    low = min(numbers, default=(None, None))
    high = max(numbers, key=lambda pair: (pair[0], -pair[1]), default=(None, None))
    return {
        "last_value": None if math.isnan(last[2]) else last[2],
        "last_is_nan": math.isnan(last[2]),
        "last_step": last[1],
        "last_ms": last[0],
        "first_value": None if math.isnan(first[2]) else first[2],
        "first_step": first[1],
        "first_ms": first[0],
        "min_value": low[0],
        "min_step": low[1],
        "max_value": high[0],
        "max_step": high[1],
    }


def stored_as(ada, run, parts: Sequence[Sequence[Plain]]) -> MetricSeries:
    """Log the parts one after the other under a new key."""
    key = f"curve{next(_keys)}"
    for part in parts:
        log_batch(ada, run, batch=Batch(metrics=[MetricPoint(key, value, at, step) for at, step, value in part]))
    (series,) = series_of(ada, run, [key])
    return series


# --- History


def test_history_is_every_point_once_in_order(ada, run):
    @some
    @given(drawn=batches())
    def holds(drawn):
        points, parts = drawn
        series = stored_as(ada, run, parts)
        same(history(series), told_apart(points))
        same(history_of_many([series])[series.pk], told_apart(points))

    holds()


def test_pages_are_disjoint_and_complete_for_any_limit(ada, run):
    @some
    @given(drawn=batches(), limit=st.integers(1, 12))
    def holds(drawn, limit):
        points, parts = drawn
        series = stored_as(ada, run, parts)
        pages, position = [], None
        while True:
            page, position = history_page(series, limit, position)
            pages.append(page)
            if position is None:
                break
            assert len(page) == limit
        expected = told_apart(points)
        assert len(pages) == max(1, math.ceil(len(expected) / limit))
        for number, page in enumerate(pages):
            same(page, expected[number * limit : (number + 1) * limit])

    holds()


def test_pages_of_a_long_history_in_many_segments(ada, run):
    """More segments than a page looks at first, with times that overlap from segment to segment."""
    values = [[((7 * n) % 50 + (n // 50) * 40, n, float(n))] for n in range(200)]
    series = stored_as(ada, run, values)
    assert MetricSegment.objects.filter(series=series).count() == 200
    expected = told_apart([part[0] for part in values])
    for limit in (1, 3, 64, 199, 200, 1000):
        got, token = [], None
        while True:
            page = metric_history(ada, run, series.key, limit=limit, after=token)
            got += list(zip(page.points.times.tolist(), page.points.steps.tolist(), page.points.values, strict=True))
            token = page.next_token
            if not token:
                break
        assert got == expected


def test_pages_of_segments_whose_times_overlap(ada, run):
    """Each batch reaches far ahead of the next one, as when several processes log the same metric."""
    parts = [[(10 * n + 37 * m, n, float(m)) for m in range(6)] for n in range(40)]
    series = stored_as(ada, run, parts)
    expected = told_apart([point for part in parts for point in part])
    for limit in (1, 2, 7, 50):
        got: list[Plain] = []
        position = None
        while True:
            page, position = history_page(series, limit, position)
            got += zip(page.times.tolist(), page.steps.tolist(), page.values.tolist(), strict=True)
            if position is None:
                break
        assert got == expected


# --- Summaries


def test_summaries_are_the_same_for_any_order_split_and_repetition(ada, run):
    @some
    @given(drawn=batches())
    def holds(drawn):
        points, parts = drawn
        series = stored_as(ada, run, parts)
        expected = expected_summary(points)
        assert {name: getattr(series, name) for name in expected} == expected

    holds()


def test_a_nan_and_a_zero_at_the_same_moment_make_no_race(ada, run):
    for parts in (
        [[(1, 1, math.nan)], [(1, 1, 0.0)]],
        [[(1, 1, 0.0)], [(1, 1, math.nan)]],
        [[(1, 1, math.nan), (1, 1, 0.0)]],
    ):
        series = stored_as(ada, run, parts)
        assert (series.last_value, series.last_is_nan, series.first_value) == (0.0, False, None)


def test_summaries_of_several_series_in_one_batch_stay_apart(ada, run):
    log_batch(
        ada,
        run,
        batch=Batch(
            metrics=[MetricPoint(key, value, 1, step) for step in (2, 1) for key, value in (("x", 1.0), ("y", 2.0))]
        ),
    )
    assert {one.key: (one.last_value, one.last_step, one.first_step) for one in series_of(ada, run, ["x", "y"])} == {
        "x": (1.0, 2, 1),
        "y": (2.0, 2, 1),
    }


# --- Thinning

CURVES = st.lists(st.tuples(st.integers(0, 400), st.floats(allow_subnormal=False)), min_size=1, max_size=300)


def as_points(curve: Sequence[tuple[int, float]]) -> Points:
    steps = np.array([step for step, _ in curve], np.int64)
    return Points(steps, steps * 1000, np.array([value for _, value in curve], np.float64))


@fewer
@given(curve=CURVES, buckets=st.integers(1, 20))
def test_a_thinned_curve_hides_no_spike(curve, buckets):
    thin = sample(as_points(curve), buckets)
    finite = [(step, value) for step, value in curve if math.isfinite(value)]
    kept = [(x, y) for x, y in zip(thin.x.tolist(), thin.y.tolist(), strict=True) if math.isfinite(y)]
    assert thin.total == len(curve)
    assert thin.odd == len(curve) - len(finite)
    assert list(thin.x) == sorted(thin.x)
    assert set(kept) <= set(finite)
    if finite:
        low, high = min(step for step, _ in finite), max(step for step, _ in finite)
        assert {kept[0][0], kept[-1][0]} == {low, high}
        for bucket in range(buckets):
            values = [value for step, value in finite if bucket_of(step, low, high, buckets) == bucket]
            shown = [value for step, value in kept if bucket_of(step, low, high, buckets) == bucket]
            assert (min(values, default=0), max(values, default=0)) == (min(shown, default=0), max(shown, default=0))


def bucket_of(step: float, low: int, high: int, buckets: int) -> int:
    return 0 if low == high else min(int((step - low) / (high - low) * buckets), buckets - 1)


@fewer
@given(curve=CURVES, buckets=st.integers(1, 100))
def test_a_thinned_curve_is_short_and_a_short_one_is_not_thinned(curve, buckets):
    thin = sample(as_points(curve), buckets)
    if len(curve) <= 4 * buckets:
        assert len(thin.x) == len(curve)
        assert not thin.is_thinned
    else:
        assert len(thin.x) <= 5 * buckets
        assert np.isfinite(thin.y).sum() <= 4 * buckets


@fewer
@given(curve=CURVES, window=st.tuples(st.integers(0, 400), st.integers(0, 400)))
def test_a_window_shows_only_what_lies_in_it(curve, window):
    low, high = sorted(window)
    thin = sample(as_points(curve), 10, window=(low, high))
    assert thin.total == sum(low <= step <= high for step, _ in curve)
    assert all(low <= x <= high for x in thin.x)


def test_a_curve_by_time_has_seconds(ada, run):
    curve = sample(Points(np.array([5, 6]), np.array([1500, 500]), np.array([1.0, 2.0])), 10, by_time=True)
    assert (curve.x.tolist(), curve.y.tolist()) == ([0.5, 1.5], [2.0, 1.0])


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_a_curve_of_nothing_but_odd_values_still_shows(odd):
    thin = sample(as_points([(step, odd) for step in range(100)]), 10)
    assert (len(thin.x), thin.odd, thin.total) == (10, 100, 100)
