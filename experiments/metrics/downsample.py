"""Thinning a curve for a screen without hiding spikes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.metrics.batch import Points


@dataclass(frozen=True, slots=True)
class Curve:
    """Columns to draw, x ascending. total: points in the window before thinning; odd: NaN and infinities among them."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    total: int
    odd: int

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
    if total > 4 * buckets:
        keep = np.union1d(_extremes(x, y, odd, buckets), np.flatnonzero(odd)[:buckets])
        x, y = x[keep], y[keep]
    return Curve(x, y, total, odd_count)


def _extremes(x: NDArray[np.float64], y: NDArray[np.float64], odd: NDArray[np.bool_], buckets: int) -> NDArray[np.intp]:
    finite = np.flatnonzero(~odd)
    if not len(finite):
        return finite
    xs, ys = x[finite], y[finite]
    span = xs[-1] - xs[0]
    bucket = np.zeros(len(xs), np.int64) if span == 0 else ((xs - xs[0]) / span * buckets).astype(np.int64)
    np.minimum(bucket, buckets - 1, out=bucket)
    starts = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    counts = np.diff(np.r_[starts, len(xs)])
    found = [starts, starts + counts - 1]
    for extreme in (np.minimum, np.maximum):
        hits = np.flatnonzero(ys == np.repeat(extreme.reduceat(ys, starts), counts))
        found.append(hits[np.searchsorted(hits, starts)])  # the first of each bucket
    return np.unique(finite[np.concatenate(found)])
