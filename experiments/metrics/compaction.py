"""Merging small segments of a series into large ones, while its run goes on and is read.

A run that logs one point per call leaves a row for each. Segments are merged by size: once a tier holds enough of them
they become one of the next tier, so that a point is rewritten a few times at most and a series is read in few rows.
What a reader sees does not change: the exact duplicates that reading folds are gone.

Each merge is a transaction of its own: readers find the old rows or the new ones, a process that dies leaves the old
ones, and two that merge at once do not touch the same rows. Writers only insert, so that nobody waits for anybody.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Max

from experiments.metrics.batch import Points
from experiments.metrics.holding import share_run
from experiments.metrics.packing import pack_integers
from experiments.metrics.parts import Merged, parts_of_segments
from experiments.metrics.store import folded
from experiments.models import MetricSegment, MetricSeries

LARGEST: Final = 65_536  # points of a segment: 0.8 MB mostly, 1.5 at most
SERIES_AT_ONCE: Final = 500
IDS_AT_ONCE: Final = 20_000


class Tier(NamedTuple):
    """Segments of `least` to `below` points: merged as soon as there are `enough` of them, at most `most` at once."""

    least: int
    below: int
    enough: int
    most: int


TIERS: Final = (Tier(0, 64, 64, 1_024), Tier(64, 4_096, 64, 64), Tier(4_096, LARGEST // 4, 16, 16))


def crowded(series: Sequence[int]) -> list[int]:
    """Those of these series, by id, that have enough small segments for a merge."""
    small = MetricSegment.objects.filter(series__in=series, archive=None, count__lt=TIERS[-1].below)
    rows = small.order_by().values("series")
    few = rows.annotate(n=Count("pk")).filter(n__gte=min(tier.enough for tier in TIERS))
    return list(few.values_list("series", flat=True))


def written_since(after: int) -> Iterator[tuple[int, list[int]]]:
    """The crowded series among those that were written to in segments with an id above `after`, in portions, each with
    the id up to which it looked."""
    newest = newest_segment()
    while after < newest:
        after = min(after + IDS_AT_ONCE, newest)
        rows = MetricSegment.objects.filter(pk__gt=after - IDS_AT_ONCE, pk__lte=after).order_by()
        found = sorted(set(rows.values_list("series", flat=True)))
        portions = (found[start : start + SERIES_AT_ONCE] for start in range(0, len(found), SERIES_AT_ONCE))
        yield after, [pk for portion in portions for pk in crowded(portion)]


def newest_segment() -> int:
    """The greatest id of a segment; 0 where there is none."""
    return MetricSegment.objects.aggregate(newest=Max("pk"))["newest"] or 0


def compact(series_id: int) -> int:
    """Merge what is worth merging in one series; how many rows fewer there are then."""
    series = MetricSeries.objects.filter(pk=series_id).only("pk", "run_id").first()
    if series is None:
        return 0
    fewer = 0
    for tier in TIERS:
        while (taken := _merge(series, tier)) is not None:
            fewer += taken
    return fewer


def _merge(series: MetricSeries, tier: Tier) -> int | None:
    """One merge: how many rows fewer there are. None where there is nothing to do, or somebody else is at it.

    Segments are never changed, only added and removed, so that they are read and packed before the transaction: it
    writes one row and removes some, a few milliseconds. A merge that finds one of them gone is none.
    """
    chosen = _chosen(series, tier)
    if chosen is None:
        return None
    try:
        merged = segment_of(series, folded(part.points for part in parts_of_segments(chosen)))
    except Merged:
        return None
    with transaction.atomic():
        if not share_run(series.run_id) or not _remove(chosen):
            transaction.set_rollback(True)
            return None
        merged.save(force_insert=True)
    return len(chosen) - 1


def _chosen(series: MetricSeries, tier: Tier) -> list[int] | None:
    """The earliest segments of a tier, by id: as many as make one of the largest size, if there are enough of all."""
    rows = MetricSegment.objects.filter(series=series, archive=None, count__gte=tier.least, count__lt=tier.below)
    found = list(rows.order_by("min_ms", "pk").values_list("pk", "count")[: tier.most])
    if len(found) < tier.enough:
        return None
    sums = accumulate(count for _, count in found)
    chosen = [pk for (pk, _), total in zip(found, sums, strict=True) if total <= LARGEST]
    return chosen if len(chosen) > 1 else None


def _remove(segments: Sequence[int]) -> bool:
    """Remove these rows, if all of them are there and nobody else is at them."""
    rows = MetricSegment.objects.filter(pk__in=segments, archive=None)
    if connection.features.has_select_for_update_skip_locked:
        held = rows.select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True)
        if len(held) < len(segments):
            return False
    gone, _ = rows.delete()
    return gone == len(segments)


def segment_of(series: MetricSeries, points: Points) -> MetricSegment:
    """The points as one row, not saved."""
    return MetricSegment(
        series=series,
        count=len(points),
        min_step=int(np.min(points.steps)),
        max_step=int(np.max(points.steps)),
        min_ms=int(np.min(points.times)),
        max_ms=int(np.max(points.times)),
        steps=pack_integers(points.steps),
        times=pack_integers(points.times),
        values=points.values.astype("<f8", copy=False).tobytes(),
    )
