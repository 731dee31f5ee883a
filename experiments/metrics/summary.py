"""The summary of a series: order-free and replay-safe, so that it can be merged in any order, any number of times."""

import math
from dataclasses import dataclass

import numpy as np

from experiments.metrics.batch import Points, SeriesPoints

_NAN = float("nan")


@dataclass(slots=True)
class Summary:
    """last and first: greatest and least (step, time, value). min and max leave out NaN; earliest step on a tie.

    A NaN compares as 0 among equal step and time, as MLflow has it, and comes before a 0. A -0.0 counts as 0.0: SQLite
    keeps no difference.
    """

    last_value: float | None
    last_is_nan: bool
    last_step: int
    last_ms: int
    first_value: float | None
    first_step: int
    first_ms: int
    min_value: float | None
    min_step: int | None
    max_value: float | None
    max_step: int | None


def summarise(points: SeriesPoints) -> Summary:
    """The summary of at least one point."""
    if len(points.steps) == 1:
        return _of_one(points.steps[0], points.times[0], points.values[0])
    if points.climbs and not points.has_nan:
        return _of_climbing(points)
    return summary_of(columns(points))


def columns(points: SeriesPoints) -> Points:
    """The gathered lists as arrays; every NaN and every zero with the same bits."""
    values = np.array(points.values, np.float64) + 0.0
    values[np.isnan(values)] = _NAN
    return Points(np.array(points.steps, np.int64), np.array(points.times, np.int64), values)


def _of_one(step: int, at_ms: int, value: float) -> Summary:
    if math.isnan(value):
        return Summary(None, True, step, at_ms, None, step, at_ms, None, None, None, None)
    value += 0.0
    return Summary(value, False, step, at_ms, value, step, at_ms, value, step, value, step)


def _of_climbing(points: SeriesPoints) -> Summary:
    """Of numbers whose steps climb: a few searches of the lists, five times as fast as sorting arrays of this size."""
    steps, times, values = points.steps, points.times, points.values
    low, high = min(values), max(values)
    return Summary(
        last_value=values[-1] + 0.0,
        last_is_nan=False,
        last_step=steps[-1],
        last_ms=times[-1],
        first_value=values[0] + 0.0,
        first_step=steps[0],
        first_ms=times[0],
        min_value=low + 0.0,
        min_step=steps[values.index(low)],
        max_value=high + 0.0,
        max_step=steps[values.index(high)],
    )


def summary_of(points: Points) -> Summary:
    """The summary of at least one stored point, as `columns` leaves them."""
    is_nan = np.isnan(points.values)
    order = np.lexsort((~is_nan, np.where(is_nan, 0.0, points.values), points.times, points.steps))
    first, last = int(order[0]), int(order[-1])
    low, high = _extremes(points)
    last_value, first_value = float(points.values[last]), float(points.values[first])
    return Summary(
        last_value=None if math.isnan(last_value) else last_value,
        last_is_nan=math.isnan(last_value),
        last_step=int(points.steps[last]),
        last_ms=int(points.times[last]),
        first_value=None if math.isnan(first_value) else first_value,
        first_step=int(points.steps[first]),
        first_ms=int(points.times[first]),
        min_value=None if low is None else float(points.values[low]),
        min_step=None if low is None else int(points.steps[low]),
        max_value=None if high is None else float(points.values[high]),
        max_step=None if high is None else int(points.steps[high]),
    )


def _extremes(points: Points) -> tuple[int | None, int | None]:
    numbers = np.flatnonzero(~np.isnan(points.values))
    if not len(numbers):
        return None, None
    values, steps = points.values[numbers], points.steps[numbers]
    low = numbers[np.lexsort((steps, values))[0]]
    high = numbers[np.lexsort((steps, -values))[0]]
    return int(low), int(high)
