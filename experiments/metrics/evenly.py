"""Every n-th point of a series, found without reading all of it.

Segments that do not reach into one another have their points at known places of the whole, so that only those are read
in which a point was picked; what overlaps, or lies partly in the window, is read and counted. A curve that was logged
in order in a thousand segments costs its 320 picks that many small rows at most; of one that was merged PostgreSQL
gives the picked points alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.metrics.batch import Points
from experiments.metrics.parts import Merged, Stretch, parts_of_segments, stretches_of_runs
from experiments.metrics.slices import Pick, reads_single_points, single_points
from experiments.metrics.store import folded, joined

Steps = tuple[int, int]


@dataclass(slots=True)
class _Clump:
    """Segments that reach into one another, behind everything before them. points: by step, time, value; once read."""

    stretches: list[Stretch]
    count: int
    points: Points | None = None

    def is_certain(self, steps: Steps | None) -> bool:
        """Whether its count is right without a look: a single segment, all of it inside of the window."""
        (one, *more) = self.stretches
        return not more and (steps is None or (steps[0] <= one.min_step and one.max_step <= steps[1]))


@dataclass(slots=True)
class _Chosen:
    """Places in a clump. alone: the points there, where the clump as a whole was not read."""

    clump: _Clump
    places: NDArray[np.int64]
    alone: Points | None = None

    @property
    def pick(self) -> Pick:
        return Pick(self.clump.stretches[0], self.places)

    def points(self) -> Points:
        if self.alone is not None:
            return self.alone
        return (self.clump.points or Points.none()).take(self.places)


def evenly(runs: Sequence[int], key: str, most: int, steps: Steps | None = None) -> dict[int, Points]:
    """At most `most` points of a metric of each run, at even distances in the order of step, time, value; by run.

    The first of all and the last are among them (of one, the last). Exact duplicates count once. steps: only points
    from the one to the other, both included.
    """
    while True:
        try:
            return _picked(_looked_up(runs, key, steps), most, steps)
        except Merged:
            continue


def _picked(found: dict[int, list[Stretch]], most: int, steps: Steps | None) -> dict[int, Points]:
    clumps = {run: _clumps(stretches) for run, stretches in found.items()}
    _read((one for some in clumps.values() for one in some if not one.is_certain(steps)), steps)
    places = {run: _places(sum(one.count for one in some), most) for run, some in clumps.items()}
    chosen = {run: list(_shared_out(some, places[run])) for run, some in clumps.items()}
    _fetch([one for some in chosen.values() for one in some if one.clump.points is None])
    return {run: _joined([one.points() for one in some]) for run, some in chosen.items()}


def _fetch(chosen: Sequence[_Chosen]) -> None:
    """What was picked of segments that were not read yet: a few points one by one, or out of the segment's arrays."""
    picks = [(one, one.pick) for one in chosen] if reads_single_points() else []
    sparse = [(one, pick) for one, pick in picks if pick.is_sparse]
    for (one, _), points in zip(sparse, single_points([pick for _, pick in sparse]), strict=True):
        one.alone = points
    whole = {one.clump.stretches[0].segment: one for one in chosen if one.alone is None}
    for part in parts_of_segments(list(whole)):
        one = whole[part.segment]
        one.alone = _in_step_order(part.points).take(one.places)


def _in_step_order(points: Points) -> Points:
    """The points of a segment in the order of step, time, value; steps nearly always count up."""
    if (points.steps[1:] > points.steps[:-1]).all():
        return points
    return _by_step(folded([points]))


def _looked_up(runs: Sequence[int], key: str, steps: Steps | None) -> dict[int, list[Stretch]]:
    found: dict[int, list[Stretch]] = {run: [] for run in runs}
    for one in stretches_of_runs(runs, key):
        if steps is None or (one.min_step <= steps[1] and one.max_step >= steps[0]):
            found[one.owner].append(one)
    return found


def _clumps(stretches: list[Stretch]) -> list[_Clump]:
    stretches.sort(key=lambda one: (one.min_step, one.min_ms))
    clumps: list[_Clump] = []
    reached: tuple[int, int] | None = None
    for one in stretches:
        ends = (one.max_step, one.max_ms)
        if reached is not None and (one.min_step, one.min_ms) <= reached:
            clumps[-1].stretches.append(one)
            clumps[-1].count += one.size
            reached = max(reached, ends)
        else:
            clumps.append(_Clump([one], one.size))
            reached = ends
    return clumps


def _read(clumps: Iterable[_Clump], steps: Steps | None) -> None:
    """Fetch the points of these clumps, in one statement for all."""
    wanted = list(clumps)
    owners = {one.segment: clump for clump in wanted for one in clump.stretches}
    parts: dict[int, list[Points]] = defaultdict(list)
    for part in parts_of_segments(list(owners)):
        parts[id(owners[part.segment])].append(part.points)
    for clump in wanted:
        clump.points = _within(_by_step(folded(parts[id(clump)])), steps)
        clump.count = len(clump.points)


def _by_step(points: Points) -> Points:
    """Points that come by time, step, value in the order of step, time, value."""
    if (points.steps[1:] >= points.steps[:-1]).all():
        return points
    return points.take(np.argsort(points.steps, kind="stable"))


def _within(points: Points, steps: Steps | None) -> Points:
    if steps is None:
        return points
    first, last = np.searchsorted(points.steps, steps[0]), np.searchsorted(points.steps, steps[1], side="right")
    return points.take(slice(int(first), int(last)))


def _places(total: int, most: int) -> NDArray[np.int64]:
    """Where each of `most` portions of about the same size begins, and the last place instead of the last of these."""
    if total <= most:
        return np.arange(total)
    size, larger = divmod(total, most)
    portions = np.arange(most)
    places = portions * size + np.minimum(portions, larger)
    places[-1] = total - 1
    return places


def _shared_out(clumps: list[_Clump], places: NDArray[np.int64]) -> Iterable[_Chosen]:
    """The places by the clump that they lie in, counted from its first point."""
    ends = np.cumsum([clump.count for clump in clumps])
    first = 0
    for clump, end, last in zip(clumps, ends.tolist(), np.searchsorted(places, ends).tolist(), strict=True):
        if last > first:
            yield _Chosen(clump, places[first:last] - (end - clump.count))
        first = last


def _joined(found: list[Points]) -> Points:
    return joined(found) if found else Points.none()
