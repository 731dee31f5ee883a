"""Curves as figures of a page: where its points and its ticks lie, and what is said of it in words."""

import math
from typing import Any, Final

from audit.compliance.reports.facts import Curve

SIDE: Final = 1000  # of the square that points are given in; the template stretches it
POINTS_MAX: Final = 160
LOG_FROM: Final = 1_000  # times the least value: then powers of ten are shown

Plot = dict[str, Any]


def plot(curve: Curve) -> Plot | None:
    """The figure of a curve; None where it has no number."""
    points = [
        (step, value)
        for step, value in zip(curve.steps, curve.values, strict=False)
        if math.isfinite(step) and math.isfinite(value)
    ]
    if not points:
        return None
    thin = thinned(sorted(points), POINTS_MAX)
    steps, values = [step for step, _ in thin], [value for _, value in thin]
    is_log = min(values) > 0 and max(values) / min(values) > LOG_FROM
    across, up = Scale(steps, ticks=5), Scale(values, ticks=4, is_log=is_log)
    return {
        "points": [[across.at(step), SIDE - up.at(value)] for step, value in thin],
        "across": across.marks(),
        "up": [[SIDE - at, word] for at, word in up.marks()],
        "note": _note(curve, len(thin), is_log),
        "alt": _alt(points),
    }


def _note(curve: Curve, shown: int, is_log: bool) -> str:
    words = [
        f"by step, {curve.points:,} points"
        if shown >= curve.points
        else f"by step, {shown:,} of {curve.points:,} points"
    ]
    if is_log:
        words.append("logarithmic scale")
    if curve.gaps:
        words.append(f"{curve.gaps:,} not a number")
    return ", ".join(words)


def _alt(points: list[tuple[float, float]]) -> str:
    ordered = sorted(points)
    low, high = min(points, key=lambda point: point[1]), max(points, key=lambda point: point[1])
    (first, start), (last, end) = ordered[0], ordered[-1]
    return (
        f"Line from {short(start)} at step {short(first)} to {short(end)} at step {short(last)}; "
        f"least {short(low[1])} at step {short(low[0])}, greatest {short(high[1])} at step {short(high[0])}."
    )


def thinned(points: list[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """At most this many points: the lowest and the highest of each bucket in their order, and both ends."""
    if len(points) <= most:
        return points
    inner, buckets = points[1:-1], most // 2 - 1
    kept = [points[0]]
    for number in range(buckets):
        bucket = inner[number * len(inner) // buckets : (number + 1) * len(inner) // buckets]
        low, high = min(bucket, key=lambda point: point[1]), max(bucket, key=lambda point: point[1])
        kept.extend(sorted({low, high}))
    return [*kept, points[-1]]


class Scale:
    """From a number to its place between 0 and SIDE, with ticks at round numbers."""

    def __init__(self, numbers: list[float], *, ticks: int, is_log: bool = False) -> None:
        self.is_log = is_log
        low, high = (self._of(number) for number in (min(numbers), max(numbers)))
        if low == high:
            low, high = low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5)
        self.ticks = _decades(low, high) if is_log else _round_ticks(low, high, ticks)
        self.low, self.high = min(low, self.ticks[0]), max(high, self.ticks[-1])

    def _of(self, number: float) -> float:
        return math.log10(number) if self.is_log else number

    def at(self, number: float) -> int:
        """Its place."""
        return self._place(self._of(number))

    def _place(self, height: float) -> int:
        # Halved first: the difference of two finite numbers need not be one.
        whole = self.high / 2 - self.low / 2
        return round((height / 2 - self.low / 2) / whole * SIDE) if whole else SIDE // 2

    def marks(self) -> list[list[Any]]:
        """Ticks with their words."""
        return [[self._place(tick), short(10**tick if self.is_log else tick)] for tick in self.ticks]


def _decades(low: float, high: float) -> list[float]:
    first, last = math.floor(low), math.ceil(high)
    stride = max(1, math.ceil((last - first) / 5))
    return [float(power) for power in range(first, last + 1, stride)]


def _round_ticks(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten from below low to above high."""
    rough = 2 * ((high / 2 - low / 2) / most)
    if not math.isfinite(rough) or rough < max(abs(low), abs(high), 1e-290) * 1e-10:
        return [low, high]
    unit = 10.0 ** math.floor(math.log10(rough))
    stride = next((unit * times for times in (1, 2, 2.5, 5) if unit * times >= rough * 0.999), unit * 10)
    first, last = math.floor(low / stride + 1e-9), math.ceil(high / stride - 1e-9)
    ticks = [number * stride for number in range(first, last + 1)]
    return ticks if math.isfinite(ticks[0]) and math.isfinite(ticks[-1]) else [low, high]


def short(number: float) -> str:
    """The number with the digits that a tick needs."""
    if number and not 1e-4 <= abs(number) < 1e6:
        mantissa, power = f"{number:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(power)}"
    if number == int(number):
        return f"{int(number):,}"
    return f"{number:.4g}"
