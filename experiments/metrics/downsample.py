"""Thinning a curve for a screen without hiding spikes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.metrics.batch import Points

_Places = NDArray[np.intp] | slice


@dataclass(frozen=True, slots=True)
class Curve:
    """Columns to draw, x ascending. total: points in the window before thinning; odd: NaN and infinities among them.

    means: where it was thinned, mean x and mean y of the finite points of each span: what smoothing begins with, as
    the lowest and highest point of a span say nothing of its middle.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    total: int
    odd: int
    means: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    @property
    def is_thinned(self) -> bool:
        """Whether points were left out."""
        return len(self.x) < self.total


def sample(points: Points, buckets: int, *, by_time: bool = False, window: tuple[float, float] | None = None) -> Curve:
    """The points thinned, see `thinned`. x is the step, or seconds since 1970 where by_time."""
    x = points.times / 1000.0 if by_time else points.steps.astype(np.float64)
    if np.all(x[1:] > x[:-1]):
        return thinned(x, points.values, buckets, window)
    order = np.lexsort((points.times, x))
    return thinned(x[order], points.values[order], buckets, window)


def thinned(
    x: NDArray[np.float64], y: NDArray[np.float64], buckets: int, window: tuple[float, float] | None = None
) -> Curve:
    """The lowest, highest, first and last point of each of `buckets` equal spans of x; NaN and infinities all kept.

    x is ascending. At most 4 * buckets finite points come back, in order of x; n <= 4 * buckets comes back unchanged.
    Odd values are kept, at most `buckets` of them.
    """
    if window is not None:
        inside = slice(np.searchsorted(x, window[0]), np.searchsorted(x, window[1], side="right"))
        x, y = x[inside], y[inside]
    finite, odd = _told_apart(y)
    if len(x) <= 4 * buckets:
        return Curve(x, y, len(x), len(odd))
    finite_x, finite_y = x[finite], y[finite]
    starts, counts = _spans(finite_x, buckets)
    keep = _kept(finite_y, finite, starts, counts, odd[:buckets])
    means = (_mean(finite_x, starts, counts), _mean(finite_y, starts, counts))
    return Curve(x[keep], y[keep], len(x), len(odd), means)


def picked(points: Points, most: int, *, by_time: bool = False) -> Points:
    """At most `most` finite points as they were logged, in order of x: the extremes of equal spans, as `thinned` does.

    Besides them at most a quarter as many NaN and infinities. Fewer points than that come back all of them.
    """
    x = points.times.astype(np.float64) if by_time else points.steps.astype(np.float64)
    if not np.all(x[1:] > x[:-1]):
        order = np.lexsort((points.times, x))
        points, x = points.take(order), x[order]
    buckets = max(1, most // 4)
    if len(x) <= max(most, 4):
        return points
    finite, odd = _told_apart(points.values)
    starts, counts = _spans(x[finite], buckets)
    return points.take(_kept(points.values[finite], finite, starts, counts, odd[:buckets]))


def _told_apart(y: NDArray[np.float64]) -> tuple[_Places, NDArray[np.intp]]:
    """Where the finite values are, and where NaN and infinities: nothing is copied where there are none of these."""
    is_finite = np.isfinite(y)
    if is_finite.all():
        return slice(None), np.empty(0, np.intp)
    return np.flatnonzero(is_finite), np.flatnonzero(~is_finite)


def _kept(
    y: NDArray[np.float64],
    finite: _Places,
    starts: NDArray[np.intp],
    counts: NDArray[np.intp],
    odd: NDArray[np.intp],
) -> NDArray[np.intp]:
    """The places of what is not left out. y: of the finite points alone."""
    found = _extremes(y, starts, counts)
    return found if isinstance(finite, slice) else np.union1d(finite[found], odd)


def _spans(x: NDArray[np.float64], buckets: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each span that has points begins, and how many it has.

    x is ascending, so that the borders are searched for, all of them at once by halving: 20 looks at each instead of a
    division for every point.
    """
    if not len(x):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    low, reach, numbers = x[0], x[-1] - x[0], np.arange(1, buckets)
    starts, ends = np.zeros(buckets - 1, np.intp), np.full(buckets - 1, len(x), np.intp)
    while reach and np.any(starts < ends):
        middle = (starts + ends) >> 1
        span = np.minimum(((x[np.minimum(middle, len(x) - 1)] - low) / reach * buckets).astype(np.int64), buckets - 1)
        before = (span < numbers) & (starts < ends)
        starts, ends = np.where(before, middle + 1, starts), np.where(before, ends, np.minimum(middle, ends))
    starts = np.unique(np.r_[0, starts])
    starts = starts[starts < len(x)]
    return starts, np.diff(np.r_[starts, len(x)])


def _extremes(y: NDArray[np.float64], starts: NDArray[np.intp], counts: NDArray[np.intp]) -> NDArray[np.intp]:
    """The places of the first, last, lowest and highest value of each span."""
    found = [starts, starts + counts - 1]
    spans = [y[start:end] for start, end in zip(starts.tolist(), (starts + counts).tolist(), strict=True)]
    found += [starts + np.array([span.argmin() for span in spans], np.intp)]
    found += [starts + np.array([span.argmax() for span in spans], np.intp)]
    return np.unique(np.concatenate(found))


def _mean(values: NDArray[np.float64], starts: NDArray[np.intp], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    sums = np.add.reduceat(values, starts) if len(starts) else np.empty(0)
    return np.asarray(sums / np.maximum(counts, 1), dtype=np.float64)
