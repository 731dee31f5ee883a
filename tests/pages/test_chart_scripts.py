"""What the scripts of charts reckon, held against numpy and Python: smoothing, percentiles, joined tables, settings."""

import csv
import io
import math

import numpy as np
import pytest

from tests.pages.scripts import Module, bundled

VALUES = [3.0, 1.0, None, 4.0, 1.5, 9.0, 2.6, 5.0, None, 3.5, 8.0]
LOOK = {
    "x": "step",
    "log": False,
    "logx": False,
    "outliers": False,
    "smooth": 0.6,
    "method": "ema",
    "yrange": "",
    "group": [],
    "middle": "mean",
    "spread": "minmax",
    "color": "params.lr",
    "dash": "",
    "facet": "",
    "tip": [],
    "window": [1, 2],
}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Module]:
    place = tmp_path_factory.mktemp("charts")
    return {
        name: bundled(f"charts/{name}.ts", place)
        for name in ("smooth", "lines", "look", "exporting", "importance", "saving")
    }


def numbers(values):
    return [math.nan if value is None else value for value in values]


def ema(values, weight):
    """Without the bias of its start; gaps stay gaps."""
    out, last, seen = [], 0.0, 0
    for value in values:
        if value is None:
            out.append(None)
            continue
        last, seen = last * weight + (1 - weight) * value, seen + 1
        out.append(last / (1 - weight**seen))
    return out


def by_weights(values, weights):
    """The mean of each value's neighbours, by weights of the distance."""
    y = np.array(numbers(values))
    there = np.isfinite(y)
    kernel = np.concatenate([weights[:0:-1], weights])
    reach = len(weights) - 1

    def spread(column):
        return np.convolve(np.pad(column, reach), kernel, mode="valid")

    smooth = spread(np.where(there, y, 0.0)) / spread(there.astype(float))
    return np.where(there, smooth, np.nan)


def test_the_three_ways_of_smoothing_are_what_numpy_reckons(scripts):
    strength = 0.2
    found = scripts["smooth"].calls(
        *(("smoothed", [VALUES, method, strength]) for method in ("ema", "gaussian", "mean"))
    )
    assert found[0] == pytest.approx(ema(VALUES, strength), nan_ok=True)
    sigma = 10 * strength
    gaussian = np.exp(-(np.arange(math.ceil(3 * sigma) + 1) ** 2) / (2 * sigma**2))
    assert numbers(found[1]) == pytest.approx(by_weights(VALUES, gaussian), nan_ok=True)
    assert numbers(found[2]) == pytest.approx(by_weights(VALUES, np.ones(round(25 * strength) + 1)), nan_ok=True)


def test_a_strength_of_nought_changes_nothing_and_each_method_names_itself(scripts):
    smooth = scripts["smooth"]
    assert smooth.calls(*(("smoothed", [VALUES, method, 0]) for method in ("ema", "gaussian", "mean"))) == [VALUES] * 3
    assert smooth.calls(
        ("methodWords", ["ema", 0.7]), ("methodWords", ["gaussian", 0.5]), ("methodWords", ["mean", 0.4])
    ) == ["EMA 0.70", "Gaussian, σ 5 points", "Running mean of 21 points"]


def test_outliers_are_cut_at_numpys_percentiles(scripts):
    values = [float(value) for value in np.random.default_rng(7).normal(size=997)]
    [found, few] = scripts["lines"].calls(("percentiles", [values]), ("percentiles", [[1, 2]]))
    assert found == pytest.approx(list(np.percentile(values, [1, 99])))
    assert few is None


def test_tables_are_joined_without_losing_points_at_one_place(scripts):
    first, second = [[0, 1, 1, 3], [10, None, 12, 13]], [[1, 2], [21, 22]]
    [[x, left, right]] = scripts["lines"].calls(("joinedTables", [[first, second]]))
    assert x == [0, 1, 1, 2, 3]
    assert left == [10, None, 12, None, 13]  # of the gaps only the first is one of the curve: JSON knows one kind
    assert right == [None, 21, None, 22, None]


def test_values_between_gaps_get_a_mark_of_their_own(scripts):
    asked = ([1, None, 2, 3], [None, 5, None], [1, 2, None, 4], [])
    assert scripts["lines"].calls(*(("isolated", [values]) for values in asked)) == [[0], [1], [3], []]


def test_colours_between_two_and_values_in_their_order(scripts):
    lines = scripts["lines"]
    assert lines.calls(("mixed", ["#000000", "#ff8000", 0.5])) == ["#804000"]
    values = ["none", "10", "9", "b", "a"]
    compared = lines.calls(*(("naturally", [a, b]) for a, b in zip(values[1:], values, strict=False)))
    assert [number < 0 for number in compared] == [True, True, False, True]


def test_a_panel_overrides_its_section_and_says_nothing_with_a_dash(scripts):
    own = {"kind": "line", "x": "metrics.epoch", "logy": "1", "smooth": "0.9", "color": "-", "group": ["-"]}
    [found, same, none] = scripts["look"].calls(
        ("overridden", [LOOK, own]), ("overridden", [LOOK, {"kind": "chart", "w": 2}]), ("overridden", [LOOK, None])
    )
    assert found == {**LOOK, "x": "metrics.epoch", "log": True, "smooth": 0.9, "color": "", "window": None}
    assert same == none == LOOK


def test_what_an_address_says_of_the_axis_and_the_range(scripts):
    look = scripts["look"]
    axes = ("step", "time", "metrics.epoch", "metrics.", "nonsense", None)
    assert look.calls(*(("axisAsked", [axis]) for axis in axes)) == [
        "step",
        "time",
        "metrics.epoch",
        "step",
        "step",
        "step",
    ]
    ranges = ("0:1", "-2.5:1e3", "1:0", "same", "", "1:")
    assert look.calls(*(("fixedRange", [text]) for text in ranges)) == [[0, 1], [-2.5, 1000], None, None, None, None]


def test_no_cell_of_an_exported_table_begins_a_formula(scripts):
    rows = [["run", "value"], ["=cmd()", -1.5], ['say "hi", you', 2], ["-3", 1e-9], ["@x\n+y", 0]]
    [text] = scripts["saving"].calls(("csvOf", [rows]))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["run", "value"],
        ["'=cmd()", "-1.5"],
        ['say "hi", you', "2"],
        ["-3", "1e-9"],
        ["'@x\n+y", "0"],
    ]


def test_tables_of_different_panels_become_one(scripts):
    tables = [{"title": "loss", "rows": [["x", "y"], [0, 1], [1, ""]]}, {"title": "bars", "rows": [["run"], ["A-1"]]}]
    assert scripts["exporting"].calls(("longRows", [tables])) == [
        [
            ["panel", "row", "column", "value"],
            ["loss", 1, "x", 0],
            ["loss", 1, "y", 1],
            ["loss", 2, "x", 1],
            ["bars", 1, "run", "A-1"],
        ]
    ]


def test_parameters_come_with_the_strongest_first_and_without_those_not_reckoned(scripts):
    relations = [
        {"name": "lr", "n": 9, "spearman": -0.4, "importance": 0.1},
        {"name": "arch", "n": 9, "spearman": None, "importance": 0.8},
        {"name": "depth", "n": 8, "spearman": 0.7, "importance": 0.2},
    ]
    importance = scripts["importance"]
    [ranks, shares] = importance.calls(*(("strongest", [relations, name]) for name in ("spearman", "importance")))
    assert ranks == [{"name": "depth", "n": 8, "by": 0.7}, {"name": "lr", "n": 9, "by": -0.4}]
    assert [one["name"] for one in shares] == ["arch", "depth", "lr"]
