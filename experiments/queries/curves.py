"""The curves of one metric in many runs, thinned for a screen, singly or as bands of groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.compare.bands import Band, Middle, Spread, band_of
from experiments.compare.correlation import Floats
from experiments.metrics.batch import Points
from experiments.metrics.downsample import Curve, sample
from experiments.metrics.store import history_of_many
from experiments.models import MetricSeries, Param, Run, RunInput, RunTag
from kernel.actor import Actor

NO_GROUP = "none"  # runs without the field that they are grouped by
Window = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Axis:
    """The x axis. by: step, time (seconds since 1970) or relative (seconds since the first point of each run)."""

    by: str = "step"
    window: Window = None


def metric_keys(viewer: Actor, runs: Sequence[Run]) -> list[str]:
    """The metrics that any of the runs has more than one step of, each name once."""
    rows = MetricSeries.objects.visible_to(viewer).filter(run__in=[run.pk for run in runs], context="")
    found = rows.values_list("key", "first_step", "last_step")
    return sorted({key for key, first, last in found if first != last})


def curves_of(viewer: Actor, runs: Sequence[Run], key: str, axis: Axis, buckets: int) -> dict[int, Curve]:
    """One curve for each run that has the metric, by the run's place in `runs`: two statements for any number."""
    return {place: _sampled(points, axis, buckets) for place, points in _histories(viewer, runs, key).items()}


def bands_of(
    viewer: Actor,
    runs: Sequence[Run],
    key: str,
    axis: Axis,
    buckets: int,
    *,
    groups: Mapping[str, Sequence[int]],
    middle: Middle,
    spread: Spread,
) -> dict[str, Band]:
    """One band for each group, from every point of its runs. groups: places in `runs` by the group's name."""
    histories = _histories(viewer, runs, key)
    found = {}
    for name, places in groups.items():
        curves = [_columns(histories[place], axis) for place in places if place in histories]
        if curves:
            found[name] = band_of(curves, buckets, middle, spread)
    return found


def groups_of(viewer: Actor, runs: Sequence[Run], field: str) -> dict[str, list[int]]:
    """Places in `runs` by what the runs say of a field ('params.lr', 'tags.team', 'dataset'); NO_GROUP for nothing."""
    kind, _, name = field.partition(".")
    ids = [run.pk for run in runs]
    if kind == "dataset":
        rows = RunInput.objects.visible_to(viewer).filter(run__in=ids).select_related("dataset_version__dataset")
        said: dict[int, str] = {}
        for one in rows.order_by("context", "pk"):
            said[one.run_id] = (
                f"{said[one.run_id]}, {one.dataset_version}" if one.run_id in said else str(one.dataset_version)
            )
    else:
        model = Param if kind == "params" else RunTag
        said = dict(model.objects.visible_to(viewer).filter(run__in=ids, key=name).values_list("run_id", "value"))
    groups: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        groups.setdefault(said.get(run.pk, NO_GROUP)[:200], []).append(place)
    return dict(sorted(groups.items(), key=lambda item: (item[0] == NO_GROUP, _natural(item[0]))))


def _natural(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def _histories(viewer: Actor, runs: Sequence[Run], key: str) -> dict[int, Points]:
    ids = [run.pk for run in runs]
    series = list(MetricSeries.objects.visible_to(viewer).filter(run__in=ids, key=key, context=""))
    histories = history_of_many(series)
    place = {run: at for at, run in enumerate(ids)}
    return {place[one.run_id]: histories[one.pk] for one in series}


def _sampled(points: Points, axis: Axis, buckets: int) -> Curve:
    if axis.by != "relative":
        return sample(points, buckets, by_time=axis.by == "time", window=axis.window)
    start = float(points.times.min()) / 1000.0 if len(points.times) else 0.0
    window = None if axis.window is None else (axis.window[0] + start, axis.window[1] + start)
    curve = sample(points, buckets, by_time=True, window=window)
    return Curve(curve.x - start, curve.y, curve.total, curve.odd)


def _columns(points: Points, axis: Axis) -> tuple[Floats, Floats]:
    x = points.steps.astype(np.float64) if axis.by == "step" else points.times / 1000.0
    if axis.by == "relative" and len(x):
        x = x - x.min()
    if axis.window is None:
        return x, points.values
    inside = (x >= axis.window[0]) & (x <= axis.window[1])
    return x[inside], points.values[inside]
