"""Thinning a curve for a screen without hiding spikes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.metrics.batch import Points


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
    odd = ~np.isfinite(y)
    total, odd_count = len(x), int(odd.sum())
    if total <= 4 * buckets:
        return Curve(x, y, total, odd_count)
    finite = np.flatnonzero(~odd)
    starts, counts = _spans(x[finite], buckets)
    keep = np.union1d(finite[_extremes(y[finite], starts, counts)], np.flatnonzero(odd)[:buckets])
    means = (_mean(x[finite], starts, counts), _mean(y[finite], starts, counts))
    return Curve(x[keep], y[keep], total, odd_count, means)


def _spans(x: NDArray[np.float64], buckets: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each span that has points begins, and how many it has."""
    if not len(x):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    reach = x[-1] - x[0]
    bucket = np.zeros(len(x), np.int64) if reach == 0 else ((x - x[0]) / reach * buckets).astype(np.int64)
    np.minimum(bucket, buckets - 1, out=bucket)
    starts = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    return starts, np.diff(np.r_[starts, len(x)])


def _extremes(y: NDArray[np.float64], starts: NDArray[np.intp], counts: NDArray[np.intp]) -> NDArray[np.intp]:
    """The places of the first, last, lowest and highest value of each span."""
    found = [starts, starts + counts - 1]
    for extreme in (np.minimum, np.maximum):
        if len(starts):
            hits = np.flatnonzero(y == np.repeat(extreme.reduceat(y, starts), counts))
            found.append(hits[np.searchsorted(hits, starts)])  # the first of each span
    return np.unique(np.concatenate(found))


def _mean(values: NDArray[np.float64], starts: NDArray[np.intp], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    sums = np.add.reduceat(values, starts) if len(starts) else np.empty(0)
    return np.asarray(sums / np.maximum(counts, 1), dtype=np.float64)
