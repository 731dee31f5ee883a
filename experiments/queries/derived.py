"""Columns that are computed from recorded ones: whether they still say the same.

Copies for quick search (the experiment of a param, a param as a number) and summaries of series stand in no event:
they follow from what does. A change of them in SQL would show on pages and in searches, so verify_ledger asks here.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.db.models import F

from artifacts.storage.base import BlobDamaged
from audit.ledger.evidence import Problem
from experiments.metrics.batch import finite_number
from experiments.metrics.seal import each_with_points
from experiments.metrics.summary import summary_of
from experiments.models import MetricSeries, Param, Run, RunTag

RUNS_AT_ONCE = 200


def wrong_derived_columns() -> Iterator[Problem]:
    """For verify_ledger: every derived column that does not follow from the recorded ones."""
    for model in (Param, RunTag, MetricSeries):
        yield from _wrong_experiments(model)
    yield from _wrong_numbers()
    yield from _wrong_summaries()


def _wrong_experiments(model: type[Param] | type[RunTag] | type[MetricSeries]) -> Iterator[Problem]:
    rows = model.objects.exclude(experiment_id=F("run__experiment_id"))
    found = rows.values_list("run__uid", "key", "experiment_id", "run__experiment_id")
    for uid, key, copied, right in found.iterator():
        yield _problem(model._meta.label_lower, f"{uid.hex} {key}", "experiment_id", right, copied)


def _wrong_numbers() -> Iterator[Problem]:
    rows = Param.objects.values_list("run__uid", "key", "value", "number")
    for uid, key, value, number in rows.iterator(chunk_size=5000):
        right = finite_number(value)
        if number != right:
            yield _problem(Param._meta.label_lower, f"{uid.hex} {key}", "number", right, number)


def _wrong_summaries() -> Iterator[Problem]:
    """Of sealed runs: their points are proven, and nobody writes to them meanwhile."""
    sealed = list(Run.objects.filter(sealed_at__isnull=False).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(sealed), RUNS_AT_ONCE):
        runs = sealed[start : start + RUNS_AT_ONCE]
        series = MetricSeries.objects.filter(run__in=runs).select_related("run").order_by("pk")
        for one, points in each_with_points(list(series)):
            if not isinstance(points, BlobDamaged) and len(points):  # the check of seals tells of damaged ones
                yield from _differences(one, asdict(summary_of(points)))


def _differences(series: MetricSeries, right: dict[str, Any]) -> Iterator[Problem]:
    for name, value in right.items():
        stored = getattr(series, name)
        if stored != value:
            yield _problem(series._meta.label_lower, f"{series.run.uid.hex} {series.key}", name, value, stored)


def _problem(kind: str, row_id: str, field: str, expected: Any, found: Any) -> Problem:
    return Problem(
        "A column does not follow from what was recorded.",
        kind=kind,
        id=row_id,
        field=field,
        expected=expected,
        found=found,
    )
