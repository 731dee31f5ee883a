"""Small pictures as SVG paths: a scatter with its trend, boxes by word. The server draws them, so they need no script.

All points are one path of dots (lines of no length with round ends): two thousand of them weigh little.
"""

import math
from dataclasses import dataclass

import numpy as np

from accounts.templatetags.mled import number
from experiments.compare.correlation import Category, Correlation, Floats, Grouping

WIDTH, HEIGHT = 320, 150
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 8, 22
BOXES_SHOWN = 8
STRIP_UP_TO = 60  # runs in a category that are drawn one by one


@dataclass(frozen=True, slots=True)
class Tick:
    """A figure at an axis, and where along it."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """dots and trend are SVG paths. log: the x axis is logarithmic. sentence: what it says, for who does not see it."""

    dots: str
    trend: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    log: bool
    sentence: str
    kind: str = "scatter"


@dataclass(frozen=True, slots=True)
class Box:
    """One category. whiskers, box, median and dots are SVG paths; x its middle."""

    word: str
    n: int
    x: float
    width: float
    body: str
    median: str
    whiskers: str
    dots: str


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes side by side; left_out: categories that found no room."""

    boxes: list[Box]
    y_ticks: list[Tick]
    left_out: int
    sentence: str
    kind: str = "boxes"


def scatter(x: Floats, y: Floats, found: Correlation) -> Scatter:
    """Points with the least-squares line; on a logarithmic axis where x spans two powers of ten or more above zero.

    The line is straight in x, so on a logarithmic axis it is drawn as the curve that it is there.
    """
    both = np.isfinite(x) & np.isfinite(y)
    xs, ys = x[both], y[both]
    sentence = _sentence(found)
    if not len(xs):
        return Scatter("", "", [], [], log=False, sentence=sentence)
    log = bool(xs.min() > 0 and xs.max() / xs.min() >= 100)
    across = _Scale(xs, LEFT, WIDTH - RIGHT, log=log)
    up = _Scale(ys, HEIGHT - BOTTOM, TOP)
    return Scatter(
        _dots(across.of(xs), up.of(ys)),
        _trend(across, up, found),
        across.ticks(),
        up.ticks(),
        log=log,
        sentence=sentence,
    )


def _sentence(found: Correlation) -> str:
    if found.pearson is None or found.spearman is None:
        return f"{found.n} runs; no correlation can be computed"
    return f"{found.n} runs, Pearson {_share(found.pearson)}, Spearman {_share(found.spearman)}"


def _share(value: float) -> str:
    """A correlation with a real minus, and none before 0."""
    return f"{value:z.2f}".replace("-", "−")


def _dots(xs: Floats, ys: Floats) -> str:
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in zip(xs.tolist(), ys.tolist(), strict=True))


def _trend(across: "_Scale", up: "_Scale", found: Correlation) -> str:
    if found.slope is None or found.intercept is None:
        return ""
    xs = across.between(24 if across.log else 2)
    ys = found.intercept + found.slope * xs
    inside = (ys >= up.low) & (ys <= up.high)
    if inside.sum() < 2:
        return ""
    points = zip(across.of(xs[inside]).tolist(), up.of(ys[inside]).tolist(), strict=True)
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def boxes(grouping: Grouping) -> Boxes:
    """The most frequent categories, each with its quartiles and, where they are few, its runs as dots."""
    shown = grouping.categories[:BOXES_SHOWN]
    share = f", between them {100 * grouping.eta_squared:.0f} % of the variance" if grouping.eta_squared else ""
    sentence = f"{grouping.n} runs in {len(grouping.categories)} groups{share}"
    if not shown:
        return Boxes([], [], 0, sentence)
    up = _Scale(np.concatenate([one.values for one in shown]), HEIGHT - BOTTOM, TOP)
    room = (WIDTH - LEFT - RIGHT) / len(shown)
    drawn = [_box(one, LEFT + room * (at + 0.5), min(40.0, room * 0.6), up) for at, one in enumerate(shown)]
    return Boxes(drawn, up.ticks(), len(grouping.categories) - len(shown), sentence)


def _box(category: Category, x: float, width: float, up: "_Scale") -> Box:
    low, first, middle, third, high = up.of(np.array(category.quartiles)).tolist()
    left, right = x - width / 2, x + width / 2
    values = category.values
    dots = ""
    if len(values) <= STRIP_UP_TO:
        spread = ((np.arange(len(values)) * 0.618) % 1 - 0.5) * width * 0.6  # even, and the same at each look
        dots = _dots(np.asarray(x + spread, dtype=np.float64), up.of(values))
    return Box(
        word=category.word,
        n=len(values),
        x=round(x, 1),
        width=round(width, 1),
        body=f"M{left:.1f} {first:.1f}H{right:.1f}V{third:.1f}H{left:.1f}Z",
        median=f"M{left:.1f} {middle:.1f}H{right:.1f}",
        whiskers=f"M{x:.1f} {low:.1f}V{first:.1f}M{x:.1f} {third:.1f}V{high:.1f}",
        dots=dots,
    )


class _Scale:
    """From values to places between two pixels."""

    def __init__(self, values: Floats, start: float, end: float, *, log: bool = False) -> None:
        self.low, self.high, self.log = float(values.min()), float(values.max()), log
        self.start, self.end = start, end
        if self.low == self.high:
            room = abs(self.low) * 0.1 or 1.0
            self.low, self.high = self.low - room, self.high + room

    def of(self, values: Floats) -> Floats:
        """Where the values lie."""
        low, high = self._inner(np.array([self.low, self.high])).tolist()
        share = (self._inner(values) - low) / (high - low)
        return np.asarray(self.start + share * (self.end - self.start), dtype=np.float64)

    def between(self, count: int) -> Floats:
        """So many values from the lowest to the highest, evenly seen."""
        low, high = self._inner(np.array([self.low, self.high])).tolist()
        even = np.linspace(low, high, count)
        return np.asarray(np.exp(even) if self.log else even, dtype=np.float64)

    def ticks(self) -> list[Tick]:
        """The ends and the middle; on a logarithmic axis the powers of ten within."""
        if self.log:
            powers = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            values = [10.0**power for power in powers][:: max(1, len(powers) // 4)]
        else:
            values = [self.low, (self.low + self.high) / 2, self.high]
        places = self.of(np.array(values)).tolist() if values else []
        return [Tick(round(at, 1), number(float(f"{value:.3g}"))) for at, value in zip(places, values, strict=True)]

    def _inner(self, values: Floats) -> Floats:
        return np.asarray(np.log(values) if self.log else values, dtype=np.float64)
