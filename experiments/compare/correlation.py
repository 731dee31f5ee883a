"""What goes with what: how the parameters of runs relate to one of their results.

Pearson's r for a straight line, Spearman's rank correlation for any monotonic relation, and the correlation ratio
(eta squared: the share of the result's variance between the groups) for parameters that are words. Every figure comes
with the number of runs behind it. None of them says what causes what.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TOO_FEW = 20  # runs; below this a figure says little
NUMERIC_SHARE = 0.9  # a parameter counts as numeric if this share of its values are numbers
CATEGORIES_MAX = 40

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Correlation:
    """Two numeric columns. pearson and spearman: None where one of them is constant or fewer than three pairs exist."""

    n: int
    pearson: float | None
    spearman: float | None
    slope: float | None = None
    intercept: float | None = None

    @property
    def is_thin(self) -> bool:
        """Too few runs to tell."""
        return self.n < TOO_FEW


@dataclass(frozen=True, slots=True)
class Category:
    """The results of the runs that share one word."""

    word: str
    values: Floats

    @property
    def quartiles(self) -> tuple[float, float, float, float, float]:
        """Lowest, first quartile, median, third quartile, highest: what a box plot draws."""
        low, first, middle, third, high = np.quantile(self.values, (0, 0.25, 0.5, 0.75, 1))
        return float(low), float(first), float(middle), float(third), float(high)


@dataclass(frozen=True, slots=True)
class Grouping:
    """A parameter of words against a result. eta_squared: None where all results are the same or all in one group."""

    n: int
    categories: list[Category]
    eta_squared: float | None

    @property
    def is_thin(self) -> bool:
        """Too few runs to tell."""
        return self.n < TOO_FEW


def as_numbers(values: Sequence[str | None]) -> Floats:
    """The values as floats, NaN where one is missing, no number or not finite."""
    return np.array([_number(value) for value in values], dtype=np.float64)


def _number(text: str | None) -> float:
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def is_numeric(values: Sequence[str | None]) -> bool:
    """Whether a parameter is a number nearly everywhere it is said."""
    said = [value for value in values if value is not None]
    if not said:
        return False
    return float(np.isfinite(as_numbers(said)).mean()) >= NUMERIC_SHARE


def correlate(x: Floats, y: Floats) -> Correlation:
    """Pearson and Spearman over the pairs in which both are finite, and the least-squares line."""
    both = np.isfinite(x) & np.isfinite(y)
    xs, ys = x[both], y[both]
    n = len(xs)
    if n < 3 or _constant(xs) or _constant(ys):
        return Correlation(n, None, None)
    r = _pearson(xs, ys)
    slope = r * _spread(ys) / _spread(xs)
    return Correlation(n, r, _pearson(ranks(xs), ranks(ys)), slope, float(ys.mean() - slope * xs.mean()))


def _constant(values: Floats) -> bool:
    return bool(values.min() == values.max())


def _pearson(x: Floats, y: Floats) -> float:
    # Scaled first, so that values near the ends of the range neither overflow nor vanish.
    a, b = _standard(x), _standard(y)
    return float(np.clip((a * b).mean(), -1.0, 1.0))


def _spread(values: Floats) -> float:
    """The standard deviation, also where squares would overflow."""
    top = float(np.abs(values).max())
    return top * float((values / top).std())


def _standard(values: Floats) -> Floats:
    scaled = values / np.abs(values).max()
    centred = scaled - scaled.mean()
    return np.asarray(centred / math.sqrt(float((centred**2).mean())), dtype=np.float64)


def ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse], dtype=np.float64)


def group(words: Sequence[str | None], y: Floats) -> Grouping:
    """The results by word, most frequent first; the rarest beyond CATEGORIES_MAX are left out."""
    found: dict[str, list[float]] = {}
    for word, value in zip(words, y.tolist(), strict=True):
        if word is not None and math.isfinite(value):
            found.setdefault(word, []).append(value)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))[:CATEGORIES_MAX]
    categories = [Category(word, np.array(values, dtype=np.float64)) for word, values in ordered]
    n = sum(len(one.values) for one in categories)
    return Grouping(n, categories, _eta_squared([one.values for one in categories]))


def _eta_squared(groups: Sequence[Floats]) -> float | None:
    if len(groups) < 2:
        return None
    every = np.concatenate(groups)
    with np.errstate(all="ignore"):  # results may be further apart than a number reaches
        total = float(((every - every.mean()) ** 2).sum())
        between = float(sum(len(values) * (values.mean() - every.mean()) ** 2 for values in groups))
    if len(every) < 3 or total == 0 or len(groups) == len(every) or not math.isfinite(total + between):
        return None
    return min(1.0, between / total)


def columns_of(params: Mapping[str, Sequence[str | None]]) -> list[str]:
    """The parameters that can tell anything: said by at least three runs, with at least two values."""
    return [
        name
        for name, values in params.items()
        if sum(value is not None for value in values) >= 3 and len({value for value in values if value is not None}) > 1
    ]
