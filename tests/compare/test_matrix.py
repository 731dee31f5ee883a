"""What differs between runs, by how much, and which is best."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from experiments.compare.matrix import MetricRow, summary_of, summary_row, text_row, varying


def metric_row(name: str, values: Sequence[float | None], base: int, higher_is_better: bool | None) -> MetricRow:
    """A row of single runs."""
    return summary_row(name, [summary_of([value]) for value in values], base, higher_is_better)


def best_of(row: MetricRow) -> list[bool]:
    return [cell.extreme == "best" for cell in row.cells]


def test_a_field_that_all_runs_say_alike_does_not_vary():
    row = text_row("lr", ["0.1", "0.1", "0.1"], base=0)
    assert not row.varies
    assert [cell.differs for cell in row.cells] == [False, False, False]


def test_cells_are_marked_where_they_differ_from_the_base_whichever_it_is():
    first, last = text_row("lr", ["1", "2", "2"], base=0), text_row("lr", ["1", "2", "2"], base=2)
    assert [cell.differs for cell in first.cells] == [False, True, True]
    assert [cell.differs for cell in last.cells] == [True, False, False]


def test_a_missing_value_differs_from_an_empty_one():
    rows = [text_row("note", ["", None], base=0), text_row("seed", ["3", "3"], base=0)]
    assert [row.varies for row in rows] == [True, False]
    assert rows[0].cells[1].text is None
    assert varying(rows) == 1


def test_deltas_and_per_cents_are_against_the_base_and_coloured_by_direction():
    row = metric_row("auc", [0.8, 0.9, 0.6], 0, higher_is_better=True)
    base, better, worse = row.cells
    assert base.delta is None
    assert base.gain is None
    assert better.delta == pytest.approx(0.1)
    assert better.percent == pytest.approx(12.5)
    assert (better.gain, worse.gain) == (True, False)
    assert best_of(row) == [False, True, False]


def test_lower_is_better_turns_gain_and_best_around():
    row = metric_row("loss", [0.5, 0.25], 0, higher_is_better=False)
    assert row.cells[1].gain is True
    assert best_of(row)[1]
    assert row.cells[1].percent == pytest.approx(-50)


def test_without_a_direction_nothing_is_best_or_a_gain():
    row = metric_row("size", [1.0, 2.0], 0, higher_is_better=None)
    assert best_of(row) == [False, False]
    assert row.cells[1].gain is None
    assert row.cells[1].delta == 1.0


def test_equal_values_have_no_best_and_do_not_vary():
    row = metric_row("acc", [0.9, 0.9], 0, higher_is_better=True)
    assert not any(best_of(row))
    assert not row.varies
    assert row.cells[1].gain is None


def test_nan_and_infinity_are_shown_but_never_best_and_have_no_delta():
    row = metric_row("loss", [0.5, math.nan, math.inf, None, -math.inf], 0, higher_is_better=False)
    assert best_of(row) == [False] * 5
    assert all(cell.delta is None for cell in row.cells)
    assert row.varies
    assert not metric_row("loss", [math.nan, math.nan], 0, higher_is_better=None).varies


def test_a_base_of_zero_has_no_per_cent():
    row = metric_row("x", [0.0, 3.0], 0, higher_is_better=None)
    assert row.cells[1].delta == 3.0
    assert row.cells[1].percent is None


def test_extremes_are_best_and_worst_or_high_and_low_where_no_direction_is_known():
    values = [0.3, 0.9, 0.1, 0.5]
    for higher, words in (
        (True, ["", "best", "worst", ""]),
        (False, ["", "worst", "best", ""]),
        (None, ["", "high", "low", ""]),
    ):
        assert [cell.extreme for cell in metric_row("x", values, 0, higher).cells] == words


def test_groups_have_the_mean_and_spread_that_numpy_gives():
    values = [[0.81, 0.84, 0.79, None], [0.9], [None], [0.7, 0.72]]
    row = summary_row("auc", [summary_of(group) for group in values], 0, higher_is_better=True)
    assert [cell.n for cell in row.cells] == [3, 1, 0, 2]
    assert row.cells[0].value == pytest.approx(np.mean([0.81, 0.84, 0.79]))
    assert row.cells[0].spread == pytest.approx(np.std([0.81, 0.84, 0.79], ddof=1))
    assert (row.cells[1].spread, row.cells[2].value) == (None, None)
    assert row.cells[1].delta == pytest.approx(0.9 - np.mean([0.81, 0.84, 0.79]))
    assert best_of(row)[1]


def test_a_group_with_a_value_that_is_no_number_has_no_spread():
    assert math.isnan(summary_of([1.0, math.nan]).mean)
    assert summary_of([1.0, math.inf]).mean == math.inf
    assert summary_of([1.0, math.inf]).spread is None


def test_a_group_of_figures_near_the_end_of_floats_has_a_mean_and_no_spread():
    largest = 1.7976931348623157e308  # what MLflow makes of infinity
    assert summary_of([largest, largest]).mean == largest
    assert summary_of([1e200, 0.0]).mean == pytest.approx(5e199)
    assert summary_of([1e200, 0.0]).spread is None
