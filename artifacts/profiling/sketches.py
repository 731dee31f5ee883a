"""What is kept of a column while its values stream past: little, whatever their number."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.float64]


class Distinct:
    """How many different values there were, from the 8,192 smallest of their hashes (Bar-Yossef and others 2002).

    Exact below that number, beyond it within about 1 per cent (one standard deviation).
    """

    SIZE = 8192

    def __init__(self) -> None:
        self.smallest: Hashes = np.empty(0, dtype=np.uint64)

    def take(self, hashes: Hashes) -> None:
        """Take in the hashes of values, in any order, repeated or not."""
        if self.is_estimate:
            hashes = hashes[hashes < self.smallest[-1]]
        if len(hashes):
            self.smallest = np.unique(np.concatenate([self.smallest, hashes]))[: self.SIZE]

    @property
    def is_estimate(self) -> bool:
        """Whether there were more than could be kept."""
        return len(self.smallest) >= self.SIZE

    @property
    def count(self) -> int:
        """How many, as far as one can tell."""
        if not self.is_estimate:
            return len(self.smallest)
        return round((self.SIZE - 1) / (float(self.smallest[-1]) / 2.0**64))


class Frequent:
    """The most frequent values (Misra and Gries 1982): whatever is in more than 1/200 of the rows is found."""

    SIZE = 200
    SHOWN = 10

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.is_estimate = False

    def take(self, counts: dict[str, int], *, is_whole: bool) -> None:
        """Take in counted values. is_whole: these are all values of the batch, not just its most frequent."""
        for value, count in counts.items():
            self.counts[value] = self.counts.get(value, 0) + count
        self.is_estimate |= not is_whole
        if len(self.counts) > self.SIZE:
            self.is_estimate = True
            least = sorted(self.counts.values(), reverse=True)[self.SIZE]
            self.counts = {value: count - least for value, count in self.counts.items() if count > least}

    def top(self, rows: int) -> list[tuple[str, int]]:
        """The most frequent of so many rows, most frequent first; where it is an estimate, without chance finds."""
        least = rows / self.SIZE if self.is_estimate else 1
        found = [pair for pair in self.counts.items() if pair[1] >= least]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[: self.SHOWN]


class Moments:
    """Count, mean, standard deviation (of the sample), least and greatest of numbers (Chan, Golub, LeVeque 1979)."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0
        self.least, self.greatest = math.inf, -math.inf

    def take(self, numbers: Numbers) -> None:
        """Take in finite numbers, at least one."""
        with np.errstate(over="ignore", invalid="ignore"):
            count, mean = len(numbers), float(numbers.mean())
            squares = float(((numbers - mean) ** 2).sum())
            apart, both = mean - self.mean, self.count + count
            self.squares += squares + apart * apart * self.count * count / both
            self.mean += apart * count / both
        self.count = both
        self.least = min(self.least, float(numbers.min()))
        self.greatest = max(self.greatest, float(numbers.max()))

    @property
    def std(self) -> float | None:
        """None for fewer than two numbers."""
        return math.sqrt(self.squares / (self.count - 1)) if self.count > 1 and self.squares >= 0 else None


class Bars:
    """A histogram whose range grows with its values: when one falls outside, two bars become one. Counts are exact."""

    SIZE = 64
    SHOWN = 32

    def __init__(self) -> None:
        self.start, self.width = 0.0, 0.0
        self.counts: npt.NDArray[np.int64] = np.zeros(self.SIZE, dtype=np.int64)
        self.only: tuple[float, int] | None = None  # one value so far, how often: it has no width yet
        self.is_broken = False

    def take(self, numbers: Numbers) -> None:
        """Take in finite numbers, at least one."""
        low, high = float(numbers.min()), float(numbers.max())
        if self.width == 0.0 and not self._begin(low, high, len(numbers)):
            return
        with np.errstate(over="ignore", invalid="ignore"):
            while not self.is_broken and low < self.start:
                self._grow(down=True)
            while not self.is_broken and high > self.start + self.SIZE * self.width:
                self._grow(down=False)
            if not self.is_broken:
                places = np.clip(((numbers - self.start) / self.width).astype(np.int64), 0, self.SIZE - 1)
                self.counts += np.bincount(places, minlength=self.SIZE)

    def _begin(self, low: float, high: float, count: int) -> bool:
        """Set the first range; False while there is only one value."""
        value, times = self.only or (low, 0)
        low, high = min(low, value), max(high, value)
        if low == high:
            self.only = (low, times + count)
            return False
        self.start, self.width = low, (high - low) / self.SIZE
        self.is_broken = not math.isfinite(self.width) or self.width == 0.0
        if times and not self.is_broken:
            self.counts[min(int((value - low) / self.width), self.SIZE - 1)] += times
        self.only = None
        return True

    def _grow(self, *, down: bool) -> None:
        """Twice the range."""
        pairs, none = self.counts.reshape(-1, 2).sum(axis=1), np.zeros(self.SIZE // 2, dtype=np.int64)
        self.counts = np.concatenate([none, pairs] if down else [pairs, none])
        self.start -= self.SIZE * self.width if down else 0.0
        self.width *= 2
        self.is_broken = not (math.isfinite(self.start) and math.isfinite(self.SIZE * self.width))

    def shown(self) -> dict[str, Any] | None:
        """At most 32 bars from the first that is not empty to the last; None where there is nothing to draw."""
        if self.is_broken:
            return None
        if self.only is not None:
            return {"start": self.only[0], "width": 0.0, "counts": [self.only[1]]}
        filled = np.nonzero(self.counts)[0]
        if not len(filled):
            return None
        first, last = int(filled[0]), int(filled[-1])
        counts, width = self.counts[first : last + 1], self.width
        if len(counts) > self.SHOWN:
            even = np.append(counts, 0) if len(counts) % 2 else counts
            counts, width = even.reshape(-1, 2).sum(axis=1), self.width * 2
        return {"start": self.start + first * self.width, "width": width, "counts": [int(count) for count in counts]}
