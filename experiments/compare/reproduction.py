"""A run done again beside the first: each metric the same, within tolerance, or different."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from experiments.compare.tolerance import Tolerance, allowed
from experiments.models import MetricSeries

SYSTEM_PREFIX = "system/"
NO_TOLERANCE = Tolerance()


class Verdict(StrEnum):
    """What came out, the best first."""

    SAME = "same"
    WITHIN = "within tolerance"
    MISSING = "missing"
    DIFFERENT = "different"

    @property
    def is_good(self) -> bool:
        """Whether it counts as done again."""
        return self in (Verdict.SAME, Verdict.WITHIN)


@dataclass(frozen=True, slots=True)
class Compared:
    """One metric of the first run, and what the second has for it (None: not measured). context: of the series;
    allowed: how far off it may be and by what, in words."""

    key: str
    context: str
    then: float
    now: float | None
    verdict: Verdict
    allowed: str = ""


def compared(
    then: Sequence[MetricSeries],
    now: Sequence[MetricSeries],
    *,
    tolerances: Mapping[str, Tolerance],
    tolerance: Tolerance = NO_TOLERANCE,
    seeds: Mapping[tuple[str, str], Sequence[float]] | None = None,
) -> list[Compared]:
    """Last values of what the first run measured, the worst first. tolerances: by metric; tolerance: of all others;
    seeds: by key and context what each seed gave. How busy the machine was is no result: system metrics are left out.
    """
    theirs = {(one.key, one.context): one for one in now}
    rows = [
        _row(
            one,
            theirs.get((one.key, one.context)),
            tolerances.get(one.key, tolerance),
            (seeds or {}).get((one.key, one.context), ()),
        )
        for one in then
        if not one.key.startswith(SYSTEM_PREFIX)
    ]
    return sorted(rows, key=lambda row: (-_RANK[row.verdict], row.key, row.context))


def verdict_of(rows: Sequence[Compared]) -> Verdict | None:
    """The verdict on all of them: the worst; what is missing came out differently. None: nothing was measured."""
    if not rows:
        return None
    worst = max((row.verdict for row in rows), key=lambda one: _RANK[one])
    return Verdict.DIFFERENT if worst is Verdict.MISSING else worst


_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


def _row(first: MetricSeries, second: MetricSeries | None, tolerance: Tolerance, seeds: Sequence[float]) -> Compared:
    then = last_value(first)
    may_be = allowed(tolerance, then, seeds)
    if second is None:
        return Compared(first.key, first.context, then, None, Verdict.MISSING, may_be.words)
    now = last_value(second)
    if then == now or (math.isnan(then) and math.isnan(now)):
        verdict = Verdict.SAME
    else:
        verdict = Verdict.WITHIN if may_be.holds(now) else Verdict.DIFFERENT
    return Compared(first.key, first.context, then, now, verdict, may_be.words)


def last_value(series: MetricSeries) -> float:
    """The last value of a series; NaN where that is what was logged."""
    return math.nan if series.last_is_nan or series.last_value is None else series.last_value
