"""Reading the metric store: exact duplicates folded, whole or in pages, or thinned for a screen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.metrics.batch import Points
from experiments.models import MetricSegment, MetricSeries

_FIRST_SEGMENTS = 64  # how many segments a page of history looks at first; doubled until the page is full


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of history ended: the last point's time, step and the bits of its value."""

    at_ms: int
    step: int
    bits: int


def folded(parts: Iterable[tuple[bytes, bytes, bytes]]) -> Points:
    """The points of packed segments in (time, step, value) order, each exact duplicate once."""
    rows = list(parts)
    if not rows:
        return Points.none()
    steps = np.frombuffer(b"".join(row[0] for row in rows), "<i8")
    times = np.frombuffer(b"".join(row[1] for row in rows), "<i8")
    values = np.frombuffer(b"".join(row[2] for row in rows), "<f8")
    if _in_order(steps, times):
        return Points(steps, times, values)
    bits = values.view("<i8")
    order = np.lexsort((bits, values, steps, times))
    steps, times, values, bits = steps[order], times[order], values[order], bits[order]
    fresh = np.ones(len(steps), bool)
    fresh[1:] = (steps[1:] != steps[:-1]) | (times[1:] != times[:-1]) | (bits[1:] != bits[:-1])
    return Points(steps[fresh], times[fresh], values[fresh])


def _in_order(steps: NDArray[np.int64], times: NDArray[np.int64]) -> bool:
    """Whether each point is later than the one before, or of a higher step at the same time: nothing to fold."""
    later = times[1:] > times[:-1]
    return bool(np.all(later | ((times[1:] == times[:-1]) & (steps[1:] > steps[:-1]))))


def history(series: MetricSeries) -> Points:
    """Every point of a series, ordered by time, step, value."""
    rows = MetricSegment.objects.filter(series=series).values_list("steps", "times", "values")
    return folded((bytes(a), bytes(b), bytes(c)) for a, b, c in rows.iterator())


def history_of_many(series: Sequence[MetricSeries]) -> dict[int, Points]:
    """The points of several series by series id, in one query."""
    parts: dict[int, list[tuple[bytes, bytes, bytes]]] = {one.pk: [] for one in series}
    rows = MetricSegment.objects.filter(series__in=[one.pk for one in series])
    for series_id, steps, times, values in rows.values_list("series_id", "steps", "times", "values").iterator():
        parts[series_id].append((bytes(steps), bytes(times), bytes(values)))
    return {series_id: folded(rows_of_one) for series_id, rows_of_one in parts.items()}


def history_page(series: MetricSeries, limit: int, after: Position | None) -> tuple[Points, Position | None]:
    """At most `limit` points behind `after`, and where they end if more follow.

    Reads only as many segments as the page needs: those with the earliest times, until every point before the next
    unread one is known.
    """
    spans = MetricSegment.objects.filter(series=series).order_by("min_ms", "id")
    if after is not None:
        spans = spans.filter(max_ms__gte=after.at_ms)
    index = list(spans.values_list("id", "min_ms", "count"))
    take = _enough(index, limit)
    while True:
        ids = [row[0] for row in index[:take]]
        rows = MetricSegment.objects.filter(pk__in=ids).values_list("steps", "times", "values")
        points = _behind(folded((bytes(a), bytes(b), bytes(c)) for a, b, c in rows), after)
        if take < len(index):
            points = points.take(points.times < index[take][1])
        if len(points) > limit or take >= len(index):
            return _cut(points, limit)
        take = min(len(index), take * 2)


def _enough(index: list[tuple[int, int, int]], limit: int) -> int:
    total = 0
    for position, (_, _, count) in enumerate(index):
        total += count
        if total > limit and position + 1 >= _FIRST_SEGMENTS // 16:
            return min(len(index), position + 2)
    return len(index)


def _behind(points: Points, after: Position | None) -> Points:
    if after is None:
        return points
    value = np.array([after.bits], "<i8").view("<f8")[0]
    bits = points.values.view("<i8")
    later_value = np.where(np.isnan(value), False, (points.values > value) | np.isnan(points.values)) | (
        (points.values == value) & (bits > after.bits)
    )
    keep = (points.times > after.at_ms) | (
        (points.times == after.at_ms) & ((points.steps > after.step) | ((points.steps == after.step) & later_value))
    )
    return points.take(keep)


def _cut(points: Points, limit: int) -> tuple[Points, Position | None]:
    if len(points) <= limit:
        return points, None
    page = points.take(slice(0, limit))
    last = Position(int(page.times[-1]), int(page.steps[-1]), int(page.values[-1:].view("<i8")[0]))
    return page, last
