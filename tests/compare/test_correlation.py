"""Correlations and importances against figures that are known beforehand."""

import numpy as np
import pytest

from experiments.compare.correlation import as_numbers, columns_of, correlate, group, is_numeric, ranks
from experiments.compare.importance import LEAST, rank


def test_a_straight_line_correlates_fully_and_gives_its_line_back():
    x = np.arange(30, dtype=float)
    found = correlate(x, 3.0 - 2.0 * x)
    assert found.n == 30
    assert found.pearson == pytest.approx(-1)
    assert found.spearman == pytest.approx(-1)
    assert (found.slope, found.intercept) == (pytest.approx(-2), pytest.approx(3))


def test_a_monotonic_curve_has_full_rank_correlation_but_less_than_full_pearson():
    x = np.linspace(0, 10, 50)
    found = correlate(x, np.exp(x))
    assert found.spearman == pytest.approx(1)
    assert found.pearson == pytest.approx(np.corrcoef(x, np.exp(x))[0, 1])


def test_figures_agree_with_the_published_example():
    # Anscombe's quartet, first set: r = 0.81642 (American Statistician 27, 1973).
    x = np.array([10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5], dtype=float)
    y = np.array([8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68])
    found = correlate(x, y)
    assert found.pearson == pytest.approx(0.81642, abs=1e-5)
    assert found.spearman == pytest.approx(0.81818, abs=1e-5)
    assert found.slope == pytest.approx(0.50009, abs=1e-5)
    assert found.is_thin


def test_they_agree_with_numpy_and_pandas_on_random_numbers():
    import pandas

    rng = np.random.default_rng(7)
    for _ in range(20):
        x, y = rng.normal(size=40), rng.normal(size=40).round(1)
        frame = pandas.DataFrame({"x": x, "y": y})
        found = correlate(x, y)
        assert found.pearson == pytest.approx(frame.corr().iloc[0, 1])
        assert found.spearman == pytest.approx(ranked(frame))


def ranked(frame):
    return frame.rank().corr().iloc[0, 1]


def test_missing_and_infinite_values_leave_the_pair_out():
    x = np.array([1, 2, 3, np.nan, 5, 6])
    y = np.array([1, 2, np.inf, 4, 5, 6.0])
    assert correlate(x, y).n == 4


def test_a_constant_column_or_fewer_than_three_pairs_give_no_figure():
    assert correlate(np.ones(9), np.arange(9.0)).pearson is None
    assert correlate(np.arange(2.0), np.arange(2.0)).spearman is None


def test_huge_and_tiny_values_do_not_overflow():
    x = np.array([1e300, 2e300, 3e300, 4e300])
    assert correlate(x, x / 1e308).pearson == pytest.approx(1)


def test_equal_values_share_their_mean_rank():
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_a_parameter_is_numeric_when_nearly_all_its_values_are():
    assert is_numeric(["0.1", "1e-3", None, "3"])
    assert not is_numeric(["adam", "sgd", "3"])
    assert not is_numeric([None, None])
    assert np.isnan(as_numbers(["nan", "inf", "x", None])).all()


def test_groups_explain_all_of_a_result_that_depends_on_them_alone():
    found = group(["a", "a", "b", "b", None], np.array([1.0, 1.0, 5.0, 5.0, 9.0]))
    assert found.eta_squared == pytest.approx(1)
    assert found.n == 4
    assert [one.word for one in found.categories] == ["a", "b"]


def test_the_share_between_groups_is_that_of_the_analysis_of_variance():
    found = group(["a", "a", "a", "b", "b", "b"], np.array([1.0, 2, 3, 4, 5, 6]))
    assert found.eta_squared == pytest.approx(13.5 / 17.5)
    assert found.categories[0].quartiles == (1, 1.5, 2, 2.5, 3)


def test_one_run_per_word_explains_nothing():
    assert group(["a", "b", "c"], np.array([1.0, 2, 3])).eta_squared is None


def test_only_parameters_that_vary_and_are_said_often_enough_are_offered():
    said = {"lr": ["1", "2", "3"], "seed": ["1", "1", "1"], "rare": ["1", None, "2"]}
    assert columns_of(said) == ["lr"]


def test_the_parameter_that_makes_the_result_is_ranked_first_and_noise_near_nothing():
    rng = np.random.default_rng(1)
    lr, depth, noise = rng.uniform(0, 1, 120), rng.integers(1, 6, 120), rng.uniform(0, 1, 120)
    result = 5 * lr + 0.5 * depth
    params = {name: [str(v) for v in values] for name, values in (("noise", noise), ("depth", depth), ("lr", lr))}
    ranking = rank(params, result)
    assert ranking is not None
    assert [one.name for one in ranking.importances] == ["lr", "depth", "noise"]
    assert ranking.importances[0].share > 5 * abs(ranking.importances[2].share)
    assert ranking.explained > 0.7


def test_a_relation_that_no_correlation_sees_is_found():
    x = np.linspace(-1, 1, 100)
    result = x**2
    assert abs(correlate(x, result).pearson or 0) < 0.01
    ranking = rank({"x": [str(v) for v in x], "y": [str(v % 7) for v in range(100)]}, result)
    assert ranking is not None
    assert ranking.importances[0].name == "x"
    assert ranking.importances[0].share > 0.5


def test_words_count_too_and_the_same_runs_give_the_same_figures():
    words = ["adam", "sgd", "lion"] * 20
    result = np.array([{"adam": 1.0, "sgd": 2.0, "lion": 0.0}[word] for word in words])
    first, second = rank({"opt": words}, result), rank({"opt": words}, result)
    assert first == second
    assert first is not None
    assert first.explained > 0.9


def test_with_few_runs_or_a_constant_result_nothing_is_ranked():
    assert rank({"x": ["1"] * (LEAST - 1)}, np.arange(LEAST - 1.0)) is None
    assert rank({"x": [str(i) for i in range(30)]}, np.ones(30)) is None
    assert rank({}, np.arange(30.0)) is None
