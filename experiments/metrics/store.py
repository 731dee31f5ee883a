"""Reading the metric store: exact duplicates folded, whole or in pages, or thinned for a screen."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from experiments.metrics.batch import Points
from experiments.metrics.parts import Bounds, Merged, Stretch, parts_of_segments, parts_of_series, stretches_of
from experiments.models import MetricSegment, MetricSeries

PIECE: Final = 65_536  # points in memory at once where a history goes out in pieces: 1.5 MB
_SEGMENTS: Final = 4_096  # in one statement


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of history ended: the last point's time, step and the bits of its value."""

    at_ms: int
    step: int
    bits: int


def folded(parts: Iterable[Points]) -> Points:
    """The points of segments in (time, step, value) order, each exact duplicate once."""
    some = [part for part in parts if len(part)]
    if not some:
        return Points.none()
    if len(some) > 1:
        some.sort(key=lambda part: part.times[0])
    points = joined(some)
    return points if _in_order(points) else _sorted(points)


def joined(parts: Sequence[Points]) -> Points:
    """One after the other."""
    if len(parts) == 1:
        return parts[0]
    columns = zip(*((part.steps, part.times, part.values) for part in parts), strict=True)
    return Points(*(np.concatenate(column) for column in columns))


def _in_order(points: Points) -> bool:
    """Whether each point is later than the one before, or of a higher step at the same time: nothing to fold."""
    steps, times = points.steps, points.times
    later = times[1:] > times[:-1]
    return bool(later.all() or np.all(later | ((times[1:] == times[:-1]) & (steps[1:] > steps[:-1]))))


def _sorted(points: Points) -> Points:
    bits = points.values.view("<i8")
    order = np.lexsort((bits, points.values, points.steps, points.times))
    steps, times, bits = points.steps[order], points.times[order], bits[order]
    fresh = np.ones(len(steps), bool)
    fresh[1:] = (steps[1:] != steps[:-1]) | (times[1:] != times[:-1]) | (bits[1:] != bits[:-1])
    return Points(steps[fresh], times[fresh], bits[fresh].view("<f8"))


def history(series: MetricSeries) -> Points:
    """Every point of a series, ordered by time, step, value."""
    return history_of_many([series])[series.pk]


def history_of_many(series: Sequence[MetricSeries], bounds: Bounds | None = None) -> dict[int, Points]:
    """The points of several series by series id, in one query.

    bounds: all that lie there, and maybe others, but no segment is read that has none.
    """
    parts: dict[int, list[Points]] = {one.pk: [] for one in series}
    for part in parts_of_series(list(parts), bounds):
        parts[part.series].append(part.points)
    return {series_id: folded(of_one) for series_id, of_one in parts.items()}


def counts_of_many(series: Sequence[int]) -> dict[int, int]:
    """How many points each of these series has, by series id, exact duplicates once: the same however they are cut.

    Only series with segments that overlap in time are read, since only these can hold a point twice.
    """
    rows = MetricSegment.objects.filter(series__in=series).order_by("series", "min_ms", "pk")
    counts: dict[int, int] = {}
    ends: dict[int, int] = {}
    doubtful: set[int] = set()
    for pk, count, first, last in rows.values_list("series", "count", "min_ms", "max_ms").iterator():
        if first <= ends.get(pk, -1):
            doubtful.add(pk)
        counts[pk] = counts.get(pk, 0) + count
        ends[pk] = max(last, ends.get(pk, -1))
    for pk in doubtful:
        counts[pk] = len(folded(part.points for part in parts_of_series([pk])))
    return counts


def pieces(series: MetricSeries, *, after: Position | None = None, wanted: int = PIECE) -> Iterator[Points]:
    """The history behind `after` in pieces, one after the other: about `wanted` points are in memory at once.

    More where segments overlap in time. All that was there at the beginning comes, whoever merges meanwhile.
    """
    while True:
        try:
            for piece in _walked(series, after, wanted):
                after = _end_of(piece)
                yield piece
        except Merged:
            continue
        return


def _walked(series: MetricSeries, after: Position | None, wanted: int) -> Iterator[Points]:
    waiting = sorted(stretches_of([series.pk]), key=_beginning)
    if after is not None:
        waiting = [one for one in waiting if (one.max_ms, one.max_step) >= (after.at_ms, after.step)]
    held, at = Points.none(), 0
    while at < len(waiting):
        portion = _portion(waiting, at, wanted)
        at += len(portion)
        points = folded([held, *(part.points for part in parts_of_segments([one.segment for one in portion]))])
        known = _before(points, waiting[at]) if at < len(waiting) else len(points)
        held, points = points.take(slice(known, None)), _behind(points.take(slice(0, known)), after)
        if len(points):
            yield points
        else:
            wanted *= 2  # segments that lie on top of each other are not sorted again and again


def _beginning(stretch: Stretch) -> tuple[int, int, int]:
    return stretch.min_ms, stretch.min_step, stretch.segment


def _portion(waiting: Sequence[Stretch], at: int, wanted: int) -> Sequence[Stretch]:
    """The next segments that have so many points together; not too many for one statement."""
    end, total = at, 0
    while end < len(waiting) and total < wanted and end - at < _SEGMENTS:
        total += waiting[end].size
        end += 1
    return waiting[at:end]


def _before(points: Points, following: Stretch) -> int:
    """How many of the points come before anything that the following segment may hold."""
    first = int(np.searchsorted(points.times, following.min_ms))
    last = int(np.searchsorted(points.times, following.min_ms, side="right"))
    return first + int(np.searchsorted(points.steps[first:last], following.min_step))


def history_page(series: MetricSeries, limit: int, after: Position | None) -> tuple[Points, Position | None]:
    """At most `limit` points behind `after`, and where they end if more follow: as few segments are read as will do."""
    found: list[Points] = []
    total = 0
    for piece in pieces(series, after=after, wanted=min(limit + 1, PIECE)):
        found.append(piece)
        total += len(piece)
        if total > limit:
            page = joined(found).take(slice(0, limit))
            return page, _end_of(page)
    return joined(found) if found else Points.none(), None


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


def _end_of(points: Points) -> Position:
    return Position(int(points.times[-1]), int(points.steps[-1]), int(points.values[-1:].view("<i8")[0]))
