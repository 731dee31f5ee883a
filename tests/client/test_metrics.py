"""Metrics: exact values, one latest value per key, and whole histories."""

import json
import math
import random
from typing import Any

import pytest
from mlflow import MlflowClient

from tests.client.wire import INVALID, Wire, mled_only

EXACT = [0.1, 1e-320, 2.2250738585072014e-308, 1.7976931348623157e308, 1 / 3, 2**53 + 2.0, -123456.789, 5e-324]


def batch(wire: Wire, run: str, points: list[tuple[str, Any, int, int]]) -> None:
    """Points as (key, value, step, timestamp)."""
    metrics = [{"key": key, "value": value, "step": step, "timestamp": at} for key, value, step, at in points]
    wire.post("runs/log-batch", run_id=run, metrics=metrics)


def test_values_come_back_bit_for_bit(wire: Wire, run: str) -> None:
    for step, value in enumerate(EXACT[:3]):
        wire.log(run, "m", value, step=step)
    batch(wire, run, [("m", value, step + 3, 1000) for step, value in enumerate(EXACT[3:])])
    values = [value for value, _, _ in sorted(wire.history(run, "m"), key=lambda point: point[1])]
    assert [float(value).hex() for value in values] == [value.hex() for value in EXACT]


@mled_only
def test_a_negative_zero_keeps_its_sign(wire: Wire, run: str) -> None:
    wire.log(run, "m", -0.0)
    assert [float(value).hex() for value, _, _ in wire.history(run, "m")] == ["-0x0.0p+0"]


def test_what_is_no_number_travels_as_a_word(wire: Wire, run: str) -> None:
    for step, word in enumerate(["NaN", "Infinity", "-Infinity"]):
        wire.log(run, "m", word, step=step)
    answer = wire.call("GET", "api/2.0/mlflow/metrics/get-history", params={"run_id": run, "metric_key": "m"})

    def no_constant(word: str) -> float:
        raise AssertionError(f"a bare {word} is not JSON")

    points = json.loads(answer.text, parse_constant=no_constant)["metrics"]
    values = [point["value"] for point in sorted(points, key=lambda point: point.get("step", 0))]
    assert values[0] == "NaN"
    assert float(values[1]) in (math.inf, 1.7976931348623157e308)
    assert float(values[2]) in (-math.inf, -1.7976931348623157e308)


def test_nan_reads_back_as_nan_in_the_client(client: MlflowClient, run: str) -> None:
    client.log_metric(run, "m", math.nan, step=0)
    client.log_metric(run, "up", math.inf, step=0)
    assert math.isnan(client.get_metric_history(run, "m")[0].value)
    assert math.isnan(client.get_run(run).data.metrics["m"])
    assert client.get_run(run).data.metrics["up"] > 1e308


def test_a_number_may_come_as_a_string(wire: Wire, run: str) -> None:
    wire.log(run, "m", "0.25")
    wire.log(run, "n", "-1e-3")
    assert wire.latest(run) == {"m": (0.25, 0, 1000), "n": (-0.001, 0, 1000)}


@pytest.mark.parametrize("value", ["abc", ""])
def test_a_word_is_no_value(wire: Wire, run: str, value: str) -> None:
    assert wire.refused("runs/log-metric", run_id=run, key="m", value=value, timestamp=1) == INVALID
    assert wire.latest(run) == {}


@mled_only
@pytest.mark.parametrize("value", ["abc", "", {"a": 1}, [1], True, "0x10", "1_000"])
def test_a_value_that_is_no_number_is_refused(wire: Wire, run: str, value: Any) -> None:
    assert wire.refused("runs/log-metric", run_id=run, key="m", value=value, timestamp=1) == INVALID
    asked = [{"key": "m", "value": value, "timestamp": 1}]
    assert wire.refused("runs/log-batch", run_id=run, metrics=asked) == INVALID
    assert wire.latest(run) == {}


def test_the_step_is_zero_unless_said(wire: Wire, run: str) -> None:
    wire.post("runs/log-metric", run_id=run, key="m", value=1, timestamp=5)
    assert wire.latest(run) == {"m": (1, 0, 5)}


@pytest.mark.parametrize("step", [-1, -(2**63) + 1, 2**63 - 1, 2**53 + 1])
def test_steps_may_be_negative_and_huge(wire: Wire, run: str, step: int) -> None:
    wire.log(run, "m", 1, step=step)
    assert wire.history(run, "m") == [(1, step, 1000)]
    assert wire.latest(run)["m"][1] == step


def test_a_negative_timestamp_is_refused(wire: Wire, run: str) -> None:
    assert wire.refused("runs/log-metric", run_id=run, key="m", value=1, timestamp=-1) == INVALID
    asked = [{"key": "m", "value": 1, "timestamp": -1}]
    assert wire.refused("runs/log-batch", run_id=run, metrics=asked) == INVALID


def test_a_point_that_is_repeated_is_stored_once(wire: Wire, run: str) -> None:
    wire.log(run, "m", 1, step=2)
    wire.log(run, "m", 1, step=2)
    batch(wire, run, [("m", 1, 2, 1000), ("m", 1, 2, 1000), ("m", 5, 3, 1000), ("m", 5, 3, 1000)])
    batch(wire, run, [("m", 5, 3, 1000)])
    assert wire.history(run, "m") == [(1, 2, 1000), (5, 3, 1000)]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_repeated_point_without_a_number_is_stored_once(wire: Wire, run: str, word: str) -> None:
    wire.log(run, "m", word)
    wire.log(run, "m", word)
    batch(wire, run, [("m", word, 0, 1000), ("m", word, 0, 1000)])
    assert len(wire.history(run, "m")) == 1


def test_different_values_at_one_step_and_time_are_all_kept(wire: Wire, run: str) -> None:
    for value in (3, 1, 2):
        wire.log(run, "m", value)
    assert wire.history(run, "m") == [(1, 0, 1000), (2, 0, 1000), (3, 0, 1000)]
    assert wire.latest(run) == {"m": (3, 0, 1000)}


LATEST: dict[str, tuple[list[tuple[Any, int, int]], tuple[Any, int, int]]] = {
    "the highest step wins over a later time": ([(1, 5, 10), (2, 4, 99)], (1, 5, 10)),
    "at one step the latest time wins over a higher value": ([(1, 5, 11), (9, 5, 10)], (1, 5, 11)),
    "at one step and time the highest value wins": ([(1, 5, 10), (3, 5, 10), (2, 5, 10)], (3, 5, 10)),
    "a negative step is below zero": ([(1, -1, 99), (2, 0, 1)], (2, 0, 1)),
    "a later step without a number wins": ([(1, 1, 1), ("NaN", 2, 1)], ("NaN", 2, 1)),
}


@pytest.mark.parametrize("how", ["forwards", "backwards", "batch", "batch backwards"])
@pytest.mark.parametrize("rule", LATEST)
def test_the_latest_value_follows_step_time_and_value(wire: Wire, run: str, rule: str, how: str) -> None:
    points, expected = LATEST[rule]
    ordered = points[::-1] if "backwards" in how else points
    if "batch" in how:
        batch(wire, run, [("m", *point) for point in ordered])
    else:
        for value, step, at in ordered:
            wire.log(run, "m", value, step=step, at=at)
    assert wire.latest(run) == {"m": expected}


def test_the_latest_value_does_not_depend_on_the_order_of_arrival(wire: Wire, run: str) -> None:
    points = [(f"m{n % 3}", (n * 7) % 5, (n * 3) % 4, (n * 11) % 3 + 1) for n in range(60)]
    random.Random(3).shuffle(points)
    for start in range(0, len(points), 9):
        batch(wire, run, points[start : start + 9])
    for key, (value, step, at) in wire.latest(run).items():
        assert (step, at, value) == max((s, t, v) for k, v, s, t in points if k == key)


def test_history_is_in_order_of_time_then_step_then_value(wire: Wire, run: str) -> None:
    points = [(4, 1, 30), (1, 2, 10), (3, 1, 10), (2, 1, 10), (5, 0, 20)]
    for value, step, at in points:
        wire.log(run, "m", value, step=step, at=at)
    expected = sorted(points, key=lambda point: (point[2], point[1], point[0]))
    assert wire.history(run, "m") == expected


def test_history_comes_whole_unless_a_page_is_asked_for(wire: Wire, run: str) -> None:
    for start in range(0, 2500, 500):
        batch(wire, run, [("m", step / 7, step, 1000 + step) for step in range(start, start + 500)])
    whole = wire.get("metrics/get-history", run_id=run, metric_key="m")
    assert len(whole["metrics"]) == 2500
    assert not whole.get("next_page_token")


def test_history_comes_in_pages_until_the_end(wire: Wire, run: str) -> None:
    batch(wire, run, [("m", step, step, 1000) for step in range(10)])
    steps: list[int] = []
    token, pages = None, 0
    while pages == 0 or token:
        asked = {"run_id": run, "metric_key": "m", "max_results": 4} | ({"page_token": token} if token else {})
        page = wire.get("metrics/get-history", **asked)
        assert len(page["metrics"]) <= 4
        steps += [point.get("step", 0) for point in page["metrics"]]
        token, pages = page.get("next_page_token"), pages + 1
    assert (steps, pages) == (list(range(10)), 3)


def test_a_full_last_page_of_history_has_no_successor(wire: Wire, run: str) -> None:
    batch(wire, run, [("m", step, step, 1000) for step in range(4)])
    page = wire.get("metrics/get-history", run_id=run, metric_key="m", max_results=4)
    assert len(page["metrics"]) == 4
    if page.get("next_page_token"):
        after = wire.get(
            "metrics/get-history", run_id=run, metric_key="m", max_results=4, page_token=page["next_page_token"]
        )
        assert (after.get("metrics", []), after.get("next_page_token")) == ([], None)


@pytest.mark.parametrize("max_results", [0, -1])
def test_a_page_of_nothing_is_refused(wire: Wire, run: str, max_results: int) -> None:
    asked = {"run_id": run, "metric_key": "m", "max_results": max_results}
    assert wire.refused("metrics/get-history", method="GET", **asked) == INVALID


def test_a_page_token_that_was_never_given_is_refused(wire: Wire, run: str) -> None:
    asked = {"run_id": run, "metric_key": "m", "max_results": 5, "page_token": "garbage"}
    assert wire.refused("metrics/get-history", method="GET", **asked) == INVALID


def test_an_unknown_key_has_an_empty_history(wire: Wire, run: str) -> None:
    assert wire.history(run, "never logged") == []


def test_the_client_reads_a_history_of_many_points(wire: Wire, client: MlflowClient, run: str) -> None:
    for start in range(0, 26000, 1000):
        batch(wire, run, [("m", float(step), step, 1000) for step in range(start, start + 1000)])
    history = client.get_metric_history(run, "m")
    assert [point.step for point in history] == list(range(26000))
    assert [point.value for point in history] == [float(step) for step in range(26000)]


def test_histories_of_several_runs_come_in_one_answer(wire: Wire, module_experiment: str) -> None:
    runs = [wire.new_run(module_experiment) for _ in range(2)]
    for run in runs:
        batch(wire, run, [("m", step / 2, step, 1000) for step in range(5)])
    asked = {"run_id": runs, "metric_key": "m", "max_results": 100}
    answer = wire.call("GET", "ajax-api/2.0/mlflow/metrics/get-history-bulk", params=asked)
    assert answer.status_code == 200
    points = {(one["run_id"], one.get("step", 0), one["value"]) for one in answer.json()["metrics"]}
    assert points == {(run, step, step / 2) for run in runs for step in range(5)}


def test_a_long_curve_is_thinned_without_losing_its_ends(wire: Wire, run: str) -> None:
    for start in range(0, 3000, 1000):
        batch(wire, run, [("m", float(step), step, 1000 + step) for step in range(start, start + 1000)])
    asked = {"run_ids": [run], "metric_key": "m", "max_results": 100}
    answer = wire.call("GET", "ajax-api/2.0/mlflow/metrics/get-history-bulk-interval", params=asked)
    assert answer.status_code == 200
    points = answer.json()["metrics"]
    steps = [one.get("step", 0) for one in points]
    assert 50 <= len(steps) <= 110
    assert (steps[0], steps[-1]) == (0, 2999)
    assert steps == sorted(set(steps))
    assert all(one["value"] == one.get("step", 0) and one["run_id"] == run for one in points)


def test_a_window_of_a_curve_holds_only_its_steps(wire: Wire, run: str) -> None:
    batch(wire, run, [("m", float(step), step, 1000) for step in range(100)])
    asked = {"run_ids": [run], "metric_key": "m", "start_step": 20, "end_step": 30, "max_results": 100}
    answer = wire.call("GET", "ajax-api/2.0/mlflow/metrics/get-history-bulk-interval", params=asked)
    assert [one["step"] for one in answer.json()["metrics"]] == list(range(20, 31))
