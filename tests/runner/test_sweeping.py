"""The points of a sweep: pure, the same at all times, counted and checked before anything begins."""

import pytest

from kernel.errors import Invalid, InvalidFields
from runner.models import Sweep
from runner.sweep_axes import Range, Values, read_axis
from runner.sweeping import form_name, plain_space, plan_of, points_of, read_space, sweep_from_form

pytestmark = pytest.mark.once

GRID, RANDOM = Sweep.Method.GRID, Sweep.Method.RANDOM


def points(plan):
    return list(points_of(plan.space, plan.method, seed=plan.seed, count=plan.count()))


def test_a_grid_takes_each_value_with_each_other_and_the_last_name_changes_fastest():
    plan = plan_of(space={"model": ["svm", "forest"], "lr": [0.1, 0.01], "depth": [3]})
    assert points(plan) == [
        {"depth": 3, "lr": 0.1, "model": "svm"},
        {"depth": 3, "lr": 0.1, "model": "forest"},
        {"depth": 3, "lr": 0.01, "model": "svm"},
        {"depth": 3, "lr": 0.01, "model": "forest"},
    ]


def test_what_is_drawn_lies_in_its_range_is_repeatable_and_never_drawn_twice():
    space = {"lr": "1e-4..0.1 log", "depth": "2..5", "rate": "0..1 real", "model": "svm, forest"}
    plan = plan_of(space=space, method="random", jobs_max=200, seed=7)
    drawn = points(plan)
    assert drawn == points(plan)
    assert drawn != points(plan_of(space=space, method="random", jobs_max=200, seed=8))
    assert len({str(one) for one in drawn}) == 200
    assert all(1e-4 <= one["lr"] <= 0.1 and 0 <= one["rate"] <= 1 for one in drawn)
    assert {one["depth"] for one in drawn} == {2, 3, 4, 5}
    assert {one["model"] for one in drawn} == {"svm", "forest"}
    by_magnitude = [sum(10.0**-k < one["lr"] <= 10.0 ** (1 - k) for one in drawn) for k in (4, 3, 2)]
    assert all(40 < count < 95 for count in by_magnitude)
    assert all(isinstance(one["depth"], int) and isinstance(one["rate"], float) for one in drawn)


def test_what_is_kept_gives_the_same_points_again():
    plan = plan_of(space={"lr": "1e-4..0.1 log", "n": "2..12"}, method="random", jobs_max=9, seed=3)
    kept = read_space(plain_space(plan.space))
    assert list(points_of(kept, "random", seed=3, count=9)) == points(plan)


@pytest.mark.parametrize(
    ("typed", "axis"),
    [
        ("0.1, 0.01,1e-3", Values([0.1, 0.01, 0.001])),
        ('svm, "two words", true, 3', Values(["svm", "two words", True, 3])),
        ("2..12", Range(2, 12, whole=True)),
        ("2 .. 12 real", Range(2, 12)),
        ("1e-4..0.1 log", Range(1e-4, 0.1, log=True)),
        ("1..100 log whole 3 steps", Range(1, 100, log=True, whole=True, steps=3)),
    ],
)
def test_people_type_values_and_ranges(typed, axis):
    assert read_axis("x", typed) == axis


def test_a_grid_takes_steps_of_a_range():
    assert list(read_axis("x", "1..100 log whole 3 steps").on_grid()) == [1, 10, 100]
    assert list(read_axis("x", "0..1 real").on_grid()) == [0, 0.25, 0.5, 0.75, 1]
    assert list(read_axis("x", "1..3").on_grid()) == [1, 2, 3]  # no more than there are


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"space": {"a": "1..12 12 steps", "b": "1..100 100 steps"}, "jobs_max": 50}, "1,200 runs; the budget is 50."),
        ({"space": {"a": "1..1001 100 steps", "b": "1..20 20 steps"}}, "This is 2,000 runs; the budget is 1,000."),
        ({"space": {"a": [1, 2]}, "method": "random", "jobs_max": 3}, "There are only 2 different runs"),
        ({"space": {"a": "1..9"}, "method": "random"}, "how many runs shall be drawn"),
        ({"space": {}}, "which parameters change"),
        ({"space": {"a": "5..1"}}, "ends where it begins"),
        ({"space": {"a": "0..1 log"}}, "begins above zero"),
        ({"space": {"a": "1..9 fast"}}, "'fast' is nothing of a range"),
        ({"space": {"a": {"low": 1, "high": 9, "many": 3}}}, "'many' is nothing of a range"),
        ({"space": {"a": {"low": "x", "high": 9}}}, "needs two numbers"),
        ({"space": {"a": {"low": 1.5, "high": 9, "whole": True}}}, "of whole numbers"),
        ({"space": {"a": [{"b": 1}]}}, "A value is a number"),
        ({"space": {"a": 3}}, "needs several values or a range"),
        ({"space": {"a": []}}, "takes 1 to 200 values"),
        ({"space": {"a": ["\x00"]}}, "none of them is NUL"),
        ({"space": {"a": [float("nan")]}}, "A number is finite"),
        ({"space": {"a": [2**70]}}, "64 bits at most"),
        ({"space": {"a": [10**400]}}, "64 bits at most"),
        ({"space": {"a": {"low": 1, "high": 10**400}}}, "is too wide"),
        ({"space": {"a": "1..1e999"}}, "is too wide"),
        ({"space": {"a": {"low": float("nan"), "high": 1}}}, "needs two numbers"),
        ({"space": {"a\x00": [1]}}, "A parameter's name"),
        ({"space": {"a" * 201: [1]}}, "A parameter's name"),
        ({"space": {"a": [*range(200)], "b": [*range(200)]}}, "names 300 values at most"),
        ({"space": {"a": [1]}, "metric": "m" * 251}, "The name of a metric"),
        ({"space": {"a": [1]}, "method": "bayes"}, "no way to sweep"),
        ({"space": {"a": [1]}, "at_once": 0}, "At the same time"),
        ({"space": {"a": [1]}, "seconds_max": 0}, "A budget of time"),
    ],
)  # fmt: skip
def test_what_makes_no_sweep_is_told_in_words(asked, words):
    with pytest.raises(Invalid, match=words.replace("(", r"\(")):
        plan_of(**asked)


def test_all_problems_of_a_space_come_at_once_each_with_its_field():
    with pytest.raises(InvalidFields) as told:
        plan_of(space={"a": "5..1", "b": 3, "c": [1]})
    assert [one.field for one in told.value.problems] == ["space.a", "space.b"]


def test_a_form_asks_for_a_sweep_or_for_none():
    form = {
        "sweep": "random",
        "sweep_space.lr": "1e-4..0.1 log",
        "sweep_space.depth": "",
        "sweep_runs": "20",
        "sweep_at_once": "4",
        "sweep_minutes": "90",
        "sweep_seed": "5",
        "sweep_metric": "loss",
        "sweep_goal": "min",
    }
    plan = sweep_from_form(form)
    assert plan == plan_of(space={"lr": "1e-4..0.1 log"}, method="random", jobs_max=20, at_once=4, seconds_max=5400,
                           seed=5, metric="loss", higher_is_better=False)  # fmt: skip
    assert sweep_from_form({**form, "sweep": ""}) is None
    lines = {"sweep": "grid", "sweep_space": "lr = 0.1, 0.01\r\n\r\n model=svm ,forest\n"}
    assert sweep_from_form(lines) == plan_of(space={"lr": [0.1, 0.01], "model": ["svm", "forest"]})
    with pytest.raises(Invalid, match="names no parameter"):
        sweep_from_form({"sweep": "grid", "sweep_space": "0.1, 0.01"})
    with pytest.raises(Invalid) as told:
        sweep_from_form({**form, "sweep_runs": "many"})
    assert told.value.field == "sweep_runs"
    names = [form_name(field) for field in ("space.lr", "space", "jobs_max", "sweep_runs", "params.lr")]
    assert names == ["sweep_space", "sweep_space", "sweep_runs", "sweep_runs", "params.lr"]
