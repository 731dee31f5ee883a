"""Many curves as one: the mean or median of a group of runs, and how far they spread, at each place of the x axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from experiments.compare.correlation import Floats


class Middle(StrEnum):
    """What stands for the group."""

    MEAN = "mean"
    MEDIAN = "median"


class Spread(StrEnum):
    """What the band shows. STD: sample standard deviation (n - 1); CI95: Student's interval for the mean."""

    MIN_MAX = "minmax"
    STD = "std"
    STDERR = "stderr"
    CI95 = "ci95"


# Two-sided 95 % quantiles of Student's t by degrees of freedom 1 to 30; beyond, those of the normal distribution.
_T95: Final = np.array(
    [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
     2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042]
)  # fmt: skip
_NORMAL95: Final = 1.960


@dataclass(frozen=True, slots=True)
class Band:
    """Columns of one length, x ascending. n: how many runs have a finite value there (at least one).

    bucketed: whether neighbouring places were put together, so that x is the middle of each.
    """

    x: Floats
    middle: Floats
    low: Floats
    high: Floats
    n: Floats
    bucketed: bool


def bands_of(
    curves: Mapping[int, tuple[Floats, Floats]],
    groups: Mapping[str, Sequence[int]],
    buckets: int,
    *,
    middle: Middle,
    spread: Spread,
) -> dict[str, Band]:
    """One band for each group, from every point of its curves. groups: keys of `curves` by the group's name."""
    found = {name: [curves[place] for place in places if place in curves] for name, places in groups.items()}
    return {name: band_of(mine, buckets, middle, spread) for name, mine in found.items() if mine}


def band_of(curves: Sequence[tuple[Floats, Floats]], buckets: int, middle: Middle, spread: Spread) -> Band:
    """The band of a group of (x, y) curves. With at most `buckets` distinct x each is a place of its own, exactly.

    Several points of a run at one place count as their mean; NaN and infinities are left out.
    """
    finite = [(x[np.isfinite(y)], y[np.isfinite(y)]) for x, y in curves]
    every = np.unique(np.concatenate([x for x, _ in finite])) if finite else np.zeros(0)
    if not len(every):
        empty = np.zeros(0)
        return Band(empty, empty, empty, empty, empty, bucketed=False)
    bucketed = len(every) > buckets
    if bucketed:
        width = (every[-1] - every[0]) / buckets
        x = every[0] + width * (np.arange(buckets) + 0.5)
        places = [np.minimum(((xs - every[0]) / width).astype(np.int64), buckets - 1) for xs, _ in finite]
    else:
        x = every
        places = [np.searchsorted(every, xs) for xs, _ in finite]
    table = np.array([_by_place(at, ys, len(x)) for at, (_, ys) in zip(places, finite, strict=True)])
    there = np.isfinite(table).any(axis=0)
    return _banded(x[there], table[:, there], middle, spread, bucketed=bucketed)


def _by_place(places: np.ndarray, values: Floats, width: int) -> Floats:  # type: ignore[type-arg]
    """The mean of a run's values at each place, NaN where it has none."""
    counts = np.bincount(places, minlength=width)
    sums = np.bincount(places, weights=values, minlength=width)
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), dtype=np.float64)


def _banded(x: Floats, table: Floats, middle: Middle, spread: Spread, *, bucketed: bool) -> Band:
    n = np.isfinite(table).sum(axis=0).astype(np.float64)
    mean = np.nanmean(table, axis=0)
    line = mean if middle is Middle.MEAN else np.nanmedian(table, axis=0)
    if spread is Spread.MIN_MAX:
        return Band(x, line, np.nanmin(table, axis=0), np.nanmax(table, axis=0), n, bucketed)
    squares = np.nansum((table - mean) ** 2, axis=0)
    reach = np.sqrt(squares / np.maximum(n - 1, 1))
    if spread is not Spread.STD:
        reach = reach / np.sqrt(n)
    if spread is Spread.CI95:
        reach = reach * _t95(n)
    return Band(x, line, line - reach, line + reach, n, bucketed)


def _t95(n: Floats) -> Floats:
    freedom = np.clip(n.astype(np.int64) - 1, 1, None)
    inside = np.minimum(freedom, len(_T95)) - 1
    return np.asarray(np.where(freedom <= len(_T95), _T95[inside], _NORMAL95), dtype=np.float64)
