"""The best result over time as an SVG: a step line to today, the target across, the day that it shall be reached by."""

import datetime as dt
import math
import sys
from dataclasses import dataclass

from django.urls import reverse

from accounts.templatetags.mled import number
from experiments.queries.goals import Goal, Improvement, Progress
from kernel.clock import from_ms, now

WIDTH, HEIGHT = 760, 250
LEFT, RIGHT, TOP, BOTTOM = 64, 14, 18, 24
DAY_MS = 24 * 3600 * 1000
OTHERS_MAX = 400
LABEL_ROOM = 70
LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure at an axis."""

    at: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Point:
    """An improving run: where it is drawn, where it leads, and what it says."""

    x: float
    y: float
    url: str
    words: str


@dataclass(frozen=True, slots=True)
class GoalPicture:
    """line and others are SVG paths; target and deadline: where their lines are, None for none."""

    line: str
    others: str
    points: list[Point]
    x_ticks: list[Mark]
    y_ticks: list[Mark]
    target: float | None
    deadline: Mark | None
    sentence: str


def picture_of(goal: Goal, progress: Progress) -> GoalPicture | None:
    """The picture; None while no run has measured it."""
    steps = progress.improvements
    if not steps:
        return None
    today = int(now().timestamp() * 1000)
    deadline = _ms(goal.by_date) if goal.by_date is not None else None
    first = progress.measured[0].at_ms if len(steps) < len(progress.measured) else steps[0].at_ms
    # Clients say when a run ended, in nanoseconds or in the year 10000 too: what lies beyond stands at the edge.
    begin = min(max(0, min(first, steps[0].at_ms)), today - DAY_MS)
    across = _Scale(begin, max(today, deadline or 0), LEFT, WIDTH - RIGHT)
    up = _upwards(goal, [one.value for one in steps])
    return GoalPicture(
        line=_line(steps, across, up, until=max(today, steps[-1].at_ms)),
        others=_others(progress, across, up),
        points=[_point(one, across, up) for one in steps],
        x_ticks=_days(across),
        y_ticks=[Mark(up.of(value), number(float(f"{value:.12g}"))) for value in up.round_values(6)],
        target=None if goal.target is None else up.of(goal.target),
        deadline=None if goal.by_date is None or deadline is None else _deadline(across.of(deadline), goal.by_date),
        sentence=_sentence(goal, steps),
    )


class _Scale:
    """From values to places between two pixels, and no further."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        room = 0.0 if high > low else abs(low) * 0.1 or 1.0
        self.low, self.high, self.start, self.end = max(low - room, -LARGEST), min(high + room, LARGEST), start, end
        # Two numbers can be further apart than a number reaches; a quarter of each is not.
        self.part = 1.0 if math.isfinite(self.high - self.low) else 0.25

    def of(self, value: float) -> float:
        low, high = self.low * self.part, self.high * self.part
        share = (min(max(value * self.part, low), high) - low) / (high - low)
        return round(self.start + share * (self.end - self.start), 1)

    def round_values(self, most: int) -> list[float]:
        """At most so many values between the ends, at round distances: 0.75, 0.8, 0.85."""
        reach = self.high - self.low
        if not (math.isfinite(reach) and reach / most > 0):
            return []
        tens = 10.0 ** math.floor(math.log10(reach / most))
        if not tens:
            return []
        step = next(tens * by for by in (1, 2, 2.5, 5, 10) if reach / (tens * by) <= most)
        first = math.ceil(self.low / step)
        return [place * step for place in range(first, first + most + 1) if place * step <= self.high]


def _upwards(goal: Goal, values: list[float]) -> _Scale:
    """From what the first run that counts had to the target, with some room beyond both."""
    shown = [*values, *([] if goal.target is None else [goal.target])]
    room = max(shown) * 0.08 - min(shown) * 0.08
    return _Scale(min(shown) - room, max(shown) + room, HEIGHT - BOTTOM, TOP)


def _line(steps: list[Improvement], across: _Scale, up: _Scale, *, until: int) -> str:
    begin = f"M{across.of(steps[0].at_ms)} {up.of(steps[0].value)}"
    rises = "".join(f"H{across.of(one.at_ms)}V{up.of(one.value)}" for one in steps[1:])
    return f"{begin}{rises}H{across.of(until)}"


def _others(progress: Progress, across: _Scale, up: _Scale) -> str:
    """Runs that were no improvement, as dots: evenly chosen where they are many, those within the picture only."""
    better = {one.run.pk for one in progress.improvements}
    rest = [one for one in progress.measured if one.run not in better and up.low <= one.value <= up.high]
    rest = rest[:: max(1, -(-len(rest) // OTHERS_MAX))]
    inside = (one for one in rest if one.at_ms >= across.low)
    return "".join(f"M{across.of(one.at_ms)} {up.of(one.value)}h0" for one in inside)


def _point(one: Improvement, across: _Scale, up: _Scale) -> Point:
    words = f"{one.run.readable_id} {one.run.name}: {number(one.value)}, {_day(one.at_ms)}"
    return Point(across.of(one.at_ms), up.of(one.value), reverse("experiments:run", args=[one.run.uid.hex]), words)


def _days(across: _Scale) -> list[Mark]:
    ends = (across.low, "start"), ((across.low + across.high) / 2, "middle"), (across.high, "end")
    marks = [Mark(across.of(at), _day(int(at)), anchor) for at, anchor in ends]
    return [mark for at, mark in enumerate(marks) if mark.text not in {one.text for one in marks[:at]}]


def _deadline(at: float, day: dt.date) -> Mark:
    anchor = "end" if at > WIDTH - LABEL_ROOM else "start" if at < LEFT + LABEL_ROOM else "middle"
    return Mark(at, f"by {day.day} {day:%b %Y}", anchor)


def _ms(day: dt.date) -> int:
    """The end of the day."""
    return int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp() * 1000) + DAY_MS - 1


def _day(at_ms: int) -> str:
    day = from_ms(at_ms)
    return "an unknown day" if day is None else f"{day.day} {day:%b %Y}"


def _sentence(goal: Goal, steps: list[Improvement]) -> str:
    first, last = steps[0], steps[-1]
    went = (
        f"{number(last.value)} on {_day(last.at_ms)}"
        if first is last
        else f"from {number(first.value)} on {_day(first.at_ms)} to {number(last.value)} on {_day(last.at_ms)}"
    )
    return f"Best {goal.metric}: {went}" + ("" if goal.target is None else f"; target {number(goal.target)}")
