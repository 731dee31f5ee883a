"""The seal of a run: one digest over everything in it, made anew from the rows at any time.

SHA-256 of the canonical JSON (RFC 8785) of

    {"run": uid, "params": {key: value}, "tags": {key: value}, "files": {path: {"digest", "size_bytes"}},
     "series": [[key, context, number of points, SHA-256 of their arrays], ...]}        sorted by key and context

where the arrays of a series are its steps, times (int64) and values (float64), little-endian, one array after the
other, points in (time, step, value) order and exact duplicates folded. How points are cut into segments does not show.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.db.models import Sum

from artifacts.models import ArtifactFile
from artifacts.storage.base import BlobDamaged
from artifacts.trees import recorded
from experiments.metrics.batch import Points
from experiments.metrics.store import history, history_of_many
from experiments.models import MetricSegment, MetricSeries, Param, Run, RunTag
from kernel.digests import canonical_json, sha256_hex

RUNS_AT_ONCE = 200
POINTS_AT_ONCE = 1_000_000  # 24 MB of arrays

Series = tuple[str, str, int, str]


def seal_of(run: Run) -> str:
    """The seal of a run as it is now, in hex."""
    ((_, seal),) = seals_of([run])
    return seal


def seals_of(runs: Iterable[Run]) -> Iterator[tuple[Run, str]]:
    """The seals of many runs, a few queries for each 200 of them. Raises BlobDamaged where points cannot be read."""
    for run, seal in seals_told(runs):
        if isinstance(seal, BlobDamaged):
            raise seal
        yield run, seal


def seals_told(runs: Iterable[Run]) -> Iterator[tuple[Run, str | BlobDamaged]]:
    """The same, with what is wrong in the place of a seal where points of a run cannot be read."""
    left = iter(runs)
    while some := list(islice(left, RUNS_AT_ONCE)):
        params, tags, files = _values(Param, some), _values(RunTag, some), _files(some)
        series = _series(some)
        for run in some:
            points = series[run.pk]
            if isinstance(points, BlobDamaged):
                yield run, points
                continue
            sealed = {
                "run": run.uid.hex,
                "params": params[run.pk],
                "tags": tags[run.pk],
                "files": files[run.artifact_root_id],
                "series": [list(one) for one in sorted(points)],
            }
            yield run, sha256_hex(canonical_json(sealed))


def _values(model: type[Param] | type[RunTag], runs: Sequence[Run]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    rows = model.objects.filter(run__in=[run.pk for run in runs]).values_list("run_id", "key", "value")
    for run_id, key, value in rows.iterator():
        found[run_id][key] = value
    return found


def _files(runs: Sequence[Run]) -> dict[Any, dict[str, Any]]:
    found: dict[Any, dict[str, Any]] = defaultdict(dict)
    roots = [run.artifact_root_id for run in runs if run.artifact_root_id]
    rows = ArtifactFile.objects.filter(root__in=roots).values_list("root_id", "path", "blob_id", "size_bytes")
    for root_id, path, digest, size_bytes in rows.iterator():
        found[root_id][path] = recorded(digest, size_bytes)
    return found


def _series(runs: Sequence[Run]) -> dict[int, list[Series] | BlobDamaged]:
    """Per run: key, context, number of points and digest of each series, or why they cannot be told."""
    found: dict[int, list[Series] | BlobDamaged] = {run.pk: [] for run in runs}
    rows = MetricSeries.objects.filter(run__in=[run.pk for run in runs]).order_by("pk")
    for one, points in each_with_points(list(rows)):
        of_run = found[one.run_id]
        if isinstance(points, BlobDamaged):
            found[one.run_id] = points
        elif not isinstance(of_run, BlobDamaged):
            of_run.append((one.key, one.context, len(points), _digest(points)))
    return found


def each_with_points(series: Sequence[MetricSeries]) -> Iterator[tuple[MetricSeries, Points | BlobDamaged]]:
    """The series with their points, some at a time; with what is wrong where an archive cannot be read."""
    for some in in_portions(series):
        yield from readable(some)


def readable(series: Sequence[MetricSeries]) -> Iterator[tuple[MetricSeries, Points | BlobDamaged]]:
    """The same of a few series, all at once."""
    try:
        found = history_of_many(series)
    except BlobDamaged:
        yield from ((one, _points_alone(one)) for one in series)
    else:
        yield from ((one, found[one.pk]) for one in series)


def _points_alone(series: MetricSeries) -> Points | BlobDamaged:
    try:
        return history(series)
    except BlobDamaged as error:
        return error


def in_portions(series: Sequence[MetricSeries]) -> Iterator[list[MetricSeries]]:
    """The series in portions whose points fit in memory together."""
    counted = MetricSegment.objects.filter(series__in=[one.pk for one in series]).values_list("series_id")
    counts: dict[int, int] = dict(counted.annotate(points=Sum("count")).order_by())
    portion: list[MetricSeries] = []
    total = 0
    for one in series:
        here = counts.get(one.pk, 0)
        if portion and total + here > POINTS_AT_ONCE:
            yield portion
            portion, total = [], 0
        portion.append(one)
        total += here
    if portion:
        yield portion


def _digest(points: Points) -> str:
    digest = hashlib.sha256(points.steps.astype("<i8", copy=False).tobytes())
    digest.update(points.times.astype("<i8", copy=False).tobytes())
    digest.update(points.values.astype("<f8", copy=False).tobytes())
    return digest.hexdigest()
