"""What panels reckon in the browser equals numpy, scipy and brute force; a brush and its query hold the same runs."""

from typing import Any

import numpy as np
import pytest

from experiments.compare.correlation import correlate
from tests.pages.scripts import Module, bundled


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Module:
    return bundled("panels/figures.ts", tmp_path_factory.mktemp("figures"))


@pytest.fixture(scope="module")
def brush(tmp_path_factory: pytest.TempPathFactory) -> Module:
    return bundled("panels/brush.ts", tmp_path_factory.mktemp("brush"))


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Module:
    return bundled("panels/scale.ts", tmp_path_factory.mktemp("scale"))


def test_the_trend_is_the_least_squares_line_of_numpy_and_scipy(figures):
    from scipy.stats import linregress

    random = np.random.default_rng(7)
    clouds = []
    for n, slope, noise, middle, size in (
        (3, 2, 0.1, 0, 1),
        (50, -0.4, 1, 1e6, 1e-3),
        (2_000, 0, 1, 5, 1),
        (40, 3, 0.5, 0, 1e150),
    ):
        x = middle + size * random.normal(size=n)
        clouds.append((x, slope * x + noise * size * random.normal(size=n)))
    for (x, y), line in zip(
        clouds, figures.calls(*(("leastSquares", [x.tolist(), y.tolist()]) for x, y in clouds)), strict=True
    ):
        ours = correlate(x, y)
        assert line["n"] == len(x)
        assert line["r"] == pytest.approx(ours.pearson, abs=1e-9)
        assert line["slope"] == pytest.approx(ours.slope, rel=1e-6, abs=1e-9)
        if np.abs(x).max() < 1e100:
            theirs = linregress(x, y)
            assert line["slope"] == pytest.approx(theirs.slope, rel=1e-6, abs=1e-9)
            assert line["intercept"] == pytest.approx(theirs.intercept, rel=1e-6, abs=1e-6)
            assert line["slope"] == pytest.approx(np.polyfit(x - x.mean(), y, 1)[0], rel=1e-6, abs=1e-9)


def test_there_is_no_trend_of_two_runs_or_of_a_constant(figures):
    wrong = ([[1, 2], [3, 4]], [[1, 1, 1], [1, 2, 3]], [[1, 2, 3], [0.1, 0.1, 0.1]], [[], []])
    assert figures.calls(*(("leastSquares", given) for given in wrong)) == [None] * len(wrong)


def front(xs: list[float], ys: list[float], signs: tuple[int, int]) -> set[int]:
    """By comparing each with each."""
    points = [(signs[0] * x, signs[1] * y) for x, y in zip(xs, ys, strict=True)]
    return {
        at
        for at, (x, y) in enumerate(points)
        if not any(other != (x, y) and other[0] >= x and other[1] >= y for other in points)
    }


def test_the_pareto_front_is_what_nothing_beats(figures):
    random = np.random.default_rng(11)
    sets: list[tuple[list[float], list[float]]] = [([], []), ([1], [1]), ([1, 1, 1], [2, 2, 2])]
    for n in (5, 40, 300):
        sets += [(random.normal(size=n).tolist(), random.normal(size=n).tolist()) for _ in range(3)]
        sets += [(random.integers(0, 5, n).tolist(), random.integers(0, 5, n).tolist()) for _ in range(3)]
    ways = (("max", "max"), ("min", "max"), ("min", "min"))
    asked = [(xs, ys, goals) for xs, ys in sets for goals in ways]
    answers = figures.calls(*(("paretoFront", [xs, ys, *goals]) for xs, ys, goals in asked))
    for (xs, ys, goals), answer in zip(asked, answers, strict=True):
        assert set(answer) == front(xs, ys, (1 if goals[0] == "max" else -1, 1 if goals[1] == "max" else -1))
        assert [xs[at] for at in answer] == sorted(xs[at] for at in answer)


def test_quartiles_mean_and_deviation_are_those_of_numpy(figures):
    random = np.random.default_rng(3)
    groups = [[4.0], [1.0, 2.0], [1e9, 1e9 + 1, 1e9 + 5], random.normal(size=101).tolist(), random.random(64).tolist()]
    boxes = figures.calls(*(("quartiles", [values]) for values in groups))
    means = figures.calls(*(("meanAndDeviation", [values]) for values in groups))
    for values, box, (mean, deviation) in zip(groups, boxes, means, strict=True):
        assert box == pytest.approx(np.quantile(values, (0, 0.25, 0.5, 0.75, 1)).tolist(), rel=1e-12)
        assert mean == pytest.approx(np.mean(values), rel=1e-12)
        if len(values) > 1:
            assert deviation == pytest.approx(np.std(values, ddof=1), rel=1e-9)
        else:
            assert deviation == "NaN"


def test_ticks_are_round_and_within_the_axis(scale):
    ranges = [(0, 1), (0.761, 0.872), (-3, 12), (1e-9, 3e-9), (12_345, 98_765), (1e6, 1e6 + 1)]
    for (low, high), ticks in zip(
        ranges, scale.calls(*(("even", [low, high, 6]) for low, high in ranges)), strict=True
    ):
        assert 2 <= len(ticks) <= 7
        assert all(low <= tick <= high for tick in ticks)
        assert all(len(f"{tick:.10g}") <= 9 for tick in ticks)
        assert np.diff(ticks) == pytest.approx([ticks[1] - ticks[0]] * (len(ticks) - 1), rel=1e-6)
    assert scale.calls(("powers", [5e-5, 5e-2, 6])) == [[1e-4, 1e-3, 1e-2]]
    assert scale.calls(("powers", [2e-3, 8e-3, 6])) == [[2e-3, 5e-3]]


def field(key: str, values: list[Any], **more: Any) -> dict[str, Any]:
    kind = "text" if any(isinstance(value, str) for value in values) else "number"
    return {"key": key, "kind": kind, "values": values, "odd": {}, "better": "", "figure": "", "asks": {}, **more}


def test_the_ends_of_a_brush_are_as_round_as_the_gap_allows(brush):
    random = np.random.default_rng(5)
    pairs = [sorted(random.normal(size=2).tolist()) for _ in range(200)]
    pairs += [[0.8299, 0.8312], [-0.2, 0.3], [999, 1001], [1e-5, 1.5e-5], [-2.0, -1.0], [0.0, 5e-324]]
    answers = brush.calls(*(("roundestUpTo", pair) for pair in pairs))
    for (below, above), answer in zip(pairs, answers, strict=True):
        assert below < answer <= above
    assert answers[200:205] == [0.83, 0.3, 1000, 1.5e-5, -1]


def test_a_brush_becomes_the_conditions_of_a_query(brush):
    shown = list(range(6))
    lr = field("params.lr", [0.001, 0.003, 0.01, 0.03, 0.1, None])
    arch = field("params.arch", ["gru", "tcn", "it's", "gru", None, "gru"])
    loss = field("metrics.val loss.min", [1, 2, 3, None, 5, 6], figure="min", odd={"3": "NaN"})
    user = field(
        "user", ["Ada", "Ada", "Otto", "Otto", "Otto", None], asks={"Ada": "user = 'ada@x'", "Otto": "user = 'o'"}
    )
    data = field("dataset", ["icu v1", "icu v2", "icu v1", None, None, None])
    asked = [
        (lr, ["0.002", "0.02"]),
        (lr, ["", "0.02"]),
        (lr, ["", ""]),
        (lr, ["0.02", "", "?"]),
        (lr, ["?"]),
        (lr, ["0.5", "0.6"]),
        (arch, ["gru"]),
        (arch, ["it's", "gru", "?"]),
        (loss, ["1.5", ""]),
        (loss, ["", ""]),
        (loss, ["?"]),
        (user, ["Ada", "Otto"]),
        (data, ["icu v1"]),
    ]
    assert brush.calls(*(("conditionOf", [one, said, shown]) for one, said in asked)) == [
        "params.lr >= 0.003 AND params.lr <= 0.01",
        "params.lr <= 0.01",
        "params.lr IS NOT NULL",
        "(params.lr >= 0.03 OR params.lr IS NULL)",
        "params.lr IS NULL",
        None,
        "params.arch = 'gru'",
        "(params.arch IN ('it''s', 'gru') OR params.arch IS NULL)",
        "min(metrics.`val loss`) >= 2",
        "min(metrics.`val loss`) >= 1",
        None,
        "(user = 'ada@x' OR user = 'o')",
        None,
    ]


def test_where_no_query_says_it_the_runs_are_named(brush):
    runs = [{"id": f"VIS-{n}", "uid": "", "name": "", "slot": 1, "url": ""} for n in range(3)]
    points = {
        "runs": runs,
        "fields": [field("dataset", ["a", "b", "a"]), field("params.lr", [1, 2, 3])],
        "query": "x OR y",
    }
    asked: list[tuple[str, list[Any]]] = [
        ("queryOf", [points, [0, 1, 2], {"dataset": ["a"]}, [0, 2]]),
        ("queryOf", [points, [0, 1, 2], {"params.lr": ["2", ""]}, [1, 2]]),
        ("brushed", [points, [0, 1, 2], {"dataset": ["a"], "params.lr": ["2", ""]}]),
        ("brushed", [points, [0, 1, 2], {}]),
    ]
    assert brush.calls(*asked) == ["id IN ('VIS-0', 'VIS-2')", "(x OR y) AND params.lr >= 2", [2], None]
