"""A group of curves as one: its figures equal numpy's and pandas' own."""

import numpy as np
import pandas
import pytest

from experiments.compare.bands import Middle, Spread, band_of


def some_curves(runs=5, points=40, seed=3):
    rng = np.random.default_rng(seed)
    return [(np.arange(points, dtype=float), rng.normal(size=points)) for _ in range(runs)]


def test_mean_and_deviation_at_each_step_are_those_of_numpy():
    curves = some_curves()
    table = np.array([y for _, y in curves])
    band = band_of(curves, 100, Middle.MEAN, Spread.STD)
    assert np.allclose(band.middle, table.mean(axis=0))
    assert np.allclose(band.high - band.middle, table.std(axis=0, ddof=1))
    assert band.n.tolist() == [5] * 40
    assert not band.bucketed


def test_median_and_extremes_are_those_of_numpy():
    curves = some_curves(runs=6)
    table = np.array([y for _, y in curves])
    band = band_of(curves, 100, Middle.MEDIAN, Spread.MIN_MAX)
    assert np.allclose(band.middle, np.median(table, axis=0))
    assert np.allclose(band.low, table.min(axis=0))
    assert np.allclose(band.high, table.max(axis=0))


def test_the_standard_error_is_that_of_pandas():
    curves = some_curves()
    expected = pandas.DataFrame([y for _, y in curves]).sem()
    band = band_of(curves, 100, Middle.MEAN, Spread.STDERR)
    assert np.allclose(band.high - band.middle, expected)


@pytest.mark.parametrize(("runs", "quantile"), [(2, 12.706), (5, 2.776), (31, 2.042), (60, 1.960)])
def test_the_interval_is_students(runs, quantile):
    curves = some_curves(runs=runs)
    narrow = band_of(curves, 100, Middle.MEAN, Spread.STDERR)
    wide = band_of(curves, 100, Middle.MEAN, Spread.CI95)
    assert np.allclose(wide.high - wide.middle, (narrow.high - narrow.middle) * quantile)


def test_runs_of_different_length_count_where_they_are():
    long, short = (np.arange(4.0), np.array([1.0, 2, 3, 4])), (np.arange(2.0), np.array([3.0, 4]))
    band = band_of([long, short], 100, Middle.MEAN, Spread.STD)
    assert band.n.tolist() == [2, 2, 1, 1]
    assert band.middle.tolist() == [2, 3, 3, 4]
    assert band.low.tolist()[2:] == [3, 4]  # one run spreads nowhere


def test_nan_and_infinity_are_left_out():
    curves = [(np.arange(3.0), np.array([1.0, np.nan, np.inf])), (np.arange(3.0), np.array([3.0, 5.0, np.nan]))]
    band = band_of(curves, 100, Middle.MEAN, Spread.MIN_MAX)
    assert band.x.tolist() == [0, 1]
    assert band.middle.tolist() == [2, 5]


def test_more_places_than_fit_are_put_together_evenly():
    x = np.arange(10_000.0)
    band = band_of([(x, x), (x, x + 2)], 100, Middle.MEAN, Spread.MIN_MAX)
    assert band.bucketed
    assert len(band.x) == 100
    assert np.allclose(band.middle, band.x + 0.5, atol=1.0)


def test_several_points_at_one_step_count_as_their_mean():
    band = band_of([(np.array([1.0, 1.0]), np.array([2.0, 4.0]))], 10, Middle.MEAN, Spread.STD)
    assert (band.x.tolist(), band.middle.tolist(), band.n.tolist()) == ([1], [3], [1])


def test_nothing_gives_nothing():
    assert len(band_of([], 10, Middle.MEAN, Spread.STD).x) == 0
    assert len(band_of([(np.arange(2.0), np.array([np.nan, np.inf]))], 10, Middle.MEAN, Spread.STD).x) == 0
