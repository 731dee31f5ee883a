"""The curves of one metric in many runs, thinned for a screen, singly or as bands of groups."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count

import numpy as np
from django.db.models.functions import Left

from experiments.compare.correlation import Floats
from experiments.metrics.batch import Points
from experiments.metrics.parts import Bounds
from experiments.metrics.seal import in_portions
from experiments.metrics.store import history_of_many
from experiments.models import MetricSeries, Param, Run, RunInput, RunTag
from experiments.queries.record import SYSTEM_PREFIX
from experiments.values import RunStatus
from kernel.actor import Actor

NO_GROUP = "none"  # runs without the field that they are grouped by
Window = tuple[float, float] | None
_LONGEST = 200  # characters of a value that runs are told apart by


@dataclass(frozen=True, slots=True)
class Axis:
    """The x axis. by: step, time (seconds since 1970), relative (seconds since the run's first point) or metric.

    metric: the metric whose value at the same step is x, where by is "metric".
    """

    by: str = "step"
    window: Window = None
    metric: str = ""

    def bounds(self) -> Bounds | None:
        """What has to be read for the window; None for everything, as where x is counted from a run's first point."""
        return Bounds.around(self.window, by_time=self.by == "time") if self.by in ("step", "time") else None


@dataclass(frozen=True, slots=True)
class Columns:
    """One run's curve before thinning. left_out: points at whose step the metric of the x axis has no finite value."""

    x: Floats
    y: Floats
    left_out: int = 0

    def within(self, window: Window) -> tuple[Floats, Floats]:
        """x and y inside of the window; all of them for None."""
        if window is None:
            return self.x, self.y
        inside = slice(np.searchsorted(self.x, window[0]), np.searchsorted(self.x, window[1], side="right"))
        return self.x[inside], self.y[inside]


def metric_keys(viewer: Actor, runs: Sequence[Run]) -> list[str]:
    """The metrics that any of the runs has more than one step of, each name once."""
    rows = MetricSeries.objects.visible_to(viewer).filter(run__in=[run.pk for run in runs], context="")
    found = rows.values_list("key", "first_step", "last_step")
    return sorted({key for key, first, last in found if first != last})


def whole_curves(viewer: Actor, run: Run, keys: Sequence[str]) -> list[tuple[str, Points]]:
    """Every point of these metrics of a run, or of all that it logged itself, by name; unknown ones are left out."""
    rows = MetricSeries.objects.visible_to(viewer).filter(run=run, context="").order_by("key")
    rows = rows.filter(key__in=keys) if keys else rows.exclude(key__startswith=SYSTEM_PREFIX)
    series = list(rows)
    histories = history_of_many(series)
    return [(one.key, histories[one.pk]) for one in series]


def columns_of_runs(viewer: Actor, runs: Sequence[Run], key: str, axis: Axis) -> dict[int, Columns]:
    """A metric against the axis, x ascending, by the run's place in `runs`: at least every point in its window."""
    return dict(columns_in_turn(viewer, runs, key, axis))


def columns_in_turn(viewer: Actor, runs: Sequence[Run], key: str, axis: Axis) -> Iterator[tuple[int, Columns]]:
    """The same one run after the other, read in portions of about a million points: whoever thins them holds no more.

    Against another metric everything is read at once, as both belong together.
    """
    places = {run.pk: place for place, run in enumerate(runs)}
    keys = {key, axis.metric} if axis.by == "metric" else {key}
    rows = MetricSeries.objects.visible_to(viewer).filter(run__in=list(places), key__in=keys, context="")
    series = sorted(rows, key=lambda one: places[one.run_id])
    for portion in [series] if axis.by == "metric" else in_portions(series):
        histories = history_of_many(portion, axis.bounds())
        said = {(one.run_id, one.key): histories[one.pk] for one in portion}
        for (run_id, of), points in said.items():
            if of == key:
                yield places[run_id], _columns(points, axis, said.get((run_id, axis.metric)))


def _columns(points: Points, axis: Axis, across: Points | None) -> Columns:
    left_out = 0
    y = points.values
    if axis.by == "metric":
        x, y, left_out = _by_metric(points, across or Points.none())
    elif axis.by == "step":
        x = points.steps.astype(np.float64)
    else:
        x = points.times / 1000.0
        if axis.by == "relative" and len(x):
            x = x - x.min()
    if np.any(x[1:] < x[:-1]):
        order = np.argsort(x, kind="stable")  # points come in the order of their times
        x, y = x[order], y[order]
    return Columns(x, y, left_out)


def _by_metric(points: Points, across: Points) -> tuple[Floats, Floats, int]:
    """x, y and how many points have no x: of `across` counts the value logged last at the same step, where finite."""
    if not len(points) or not len(across):
        return np.empty(0), np.empty(0), len(points)
    order = np.argsort(across.steps, kind="stable")  # stable: of one step, the last in time stays last
    steps, values = across.steps[order], across.values[order]
    last = np.r_[steps[1:] != steps[:-1], True]
    steps, values = steps[last], values[last]
    at = np.minimum(np.searchsorted(steps, points.steps), len(steps) - 1)
    there = (steps[at] == points.steps) & np.isfinite(values[at])
    return values[at][there], points.values[there], int(len(points) - there.sum())


def groups_of(viewer: Actor, runs: Sequence[Run], fields: Sequence[str]) -> dict[str, list[int]]:
    """Places in `runs` by what the runs say of up to three fields, see values_of; NO_GROUP where one says nothing."""
    said = values_of(viewer, runs, fields)
    groups: dict[tuple[str, ...], list[int]] = {}
    for place in range(len(runs)):
        groups.setdefault(tuple(said[field][place] or NO_GROUP for field in fields), []).append(place)
    ordered = sorted(groups.items(), key=lambda item: [(one == NO_GROUP, _natural(one)) for one in item[0]])
    found: dict[str, list[int]] = {}
    for names, places in ordered:
        found[_another(", ".join(names)[:_LONGEST], found)] = places
    return found


def _another(name: str, taken: Container[str]) -> str:
    """The name, with a number behind it where it is taken: groups may be told apart only by what was cut off."""
    numbered = (f"{name} ({number})" for number in count(2))
    return next(one for one in chain([name], numbered) if one not in taken)


def values_of(viewer: Actor, runs: Sequence[Run], fields: Sequence[str]) -> dict[str, list[str | None]]:
    """What each run says of each field: params.lr, tags.team, dataset, status, user or experiment."""
    ids = [run.pk for run in runs]
    found: dict[str, list[str | None]] = {}
    for kind, model in (("params", Param), ("tags", RunTag)):
        names = [field.partition(".")[2] for field in fields if field.startswith(f"{kind}.")]
        if names:
            rows = model.objects.visible_to(viewer).filter(run__in=ids, key__in=names)
            short = rows.annotate(short=Left("value", _LONGEST)).values_list("run_id", "key", "short")
            said = {(run, key): value for run, key, value in short}
            found |= {f"{kind}.{name}": [said.get((pk, name)) for pk in ids] for name in names}
    if "dataset" in fields:
        datasets = _datasets(viewer, ids)
        found["dataset"] = [datasets.get(pk) for pk in ids]
    own = {
        "status": lambda run: str(RunStatus(run.status).label),
        "user": lambda run: str(run.created_by) if run.created_by else None,
        "experiment": lambda run: run.experiment.name,
    }
    found |= {field: [own[field](run) for run in runs] for field in fields if field in own}
    return {field: found.get(field, [None] * len(ids)) for field in fields}


def _datasets(viewer: Actor, ids: Sequence[int]) -> dict[int, str]:
    rows = RunInput.objects.visible_to(viewer).filter(run__in=ids).select_related("dataset_version__dataset")
    said: dict[int, str] = {}
    for one in rows.order_by("context", "pk"):
        name = str(one.dataset_version)
        said[one.run_id] = f"{said[one.run_id]}, {name}" if one.run_id in said else name
    return said


def differing_fields(viewer: Actor, runs: Sequence[Run], most: int) -> dict[str, list[str | None]]:
    """The params and tags in which these runs differ, and what else tells them apart, with their values.

    Tags of MLflow's clients are left out: those tell runs apart, not together.
    """
    ids = [run.pk for run in runs]
    found: dict[str, list[str | None]] = {}
    for kind, rows in (
        ("params", Param.objects.visible_to(viewer).filter(run__in=ids)),
        ("tags", RunTag.objects.visible_to(viewer).filter(run__in=ids).exclude(key__startswith="mlflow.")),
    ):
        said: dict[str, dict[int, str]] = {}
        for run, key, value in rows.annotate(short=Left("value", _LONGEST)).values_list("run_id", "key", "short"):
            said.setdefault(key, {})[run] = value
        for key in sorted(said):
            values = [said[key].get(pk) for pk in ids]
            if len(set(values)) > 1 and len(found) < most:
                found[f"{kind}.{key}"] = values
    return found | values_of(viewer, runs, ("dataset", "status", "user", "experiment"))


def _natural(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def final_values(viewer: Actor, runs: Sequence[Run], key: str, higher_is_better: bool | None) -> dict[int, float]:
    """One figure of a metric by the run's primary key: its best where a direction is said, else its last."""
    column = {True: "max_value", False: "min_value", None: "last_value"}[higher_is_better]
    rows = MetricSeries.objects.visible_to(viewer).filter(run__in=[run.pk for run in runs], key=key, context="")
    return {run: value for run, value in rows.values_list("run_id", column) if value is not None}
