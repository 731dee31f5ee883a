"""Curves of many runs over one another: those that a query finds, or those that are compared."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from experiments.compare.bands import Band, Middle, Spread
from experiments.exporting.fields import Field, Kind
from experiments.metrics.downsample import Curve
from experiments.models import Run
from experiments.pages.drawing import buckets_asked, csv_file, smoothing_asked, window_asked
from experiments.pages.figures import weight_of
from experiments.pages.questions import Problem, asked_of
from experiments.queries.comparison import runs_named
from experiments.queries.curves import Axis, bands_of, curves_of, groups_of, metric_keys
from experiments.queries.experiments import metric_directions
from experiments.queries.record import SYSTEM_PREFIX
from experiments.queries.runs import runs_in_order
from experiments.queries.search import search_runs
from experiments.queries.table import offered_names
from experiments.search.errors import QueryError
from experiments.templatetags.runs import RUN_COLOURS, slot
from kernel.actor import Actor

MAGIC = b"MLM1"
COUNTS = (5, 10, 20, 50, 100)
COUNT = 10
AXES = (("step", "Step"), ("relative", "Relative"), ("time", "Time"))
MIDDLES = (("mean", "Mean"), ("median", "Median"))
SPREADS = (
    ("minmax", "min–max"),
    ("std", "standard deviation"),
    ("stderr", "standard error"),
    ("ci95", "95 % interval"),
)
BUCKETS = 200
GROUPS_MAX = 24


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the legend: a run, or a group of them. place: its number in what the data address sends."""

    place: int
    slot: int
    name: str
    words: str
    url: str
    ref: str


@dataclass(frozen=True, slots=True)
class Grouped:
    """How runs are drawn together. field: '' for each by itself."""

    field: str
    middle: Middle
    spread: Spread

    @classmethod
    def parse(cls, params: QueryDict) -> "Grouped":
        """What is unknown is left out."""
        field = params.get("group", "")
        known = field == "dataset" or (field.startswith(("params.", "tags.")) and field.partition(".")[2] != "")
        middle, spread = params.get("middle", ""), params.get("spread", "")
        return cls(
            field if known else "",
            Middle(middle) if middle in list(Middle) else Middle.MEAN,
            Spread(spread) if spread in list(Spread) else Spread.MIN_MAX,
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """As it stands in an address."""
        if not self.field:
            return []
        return [("group", self.field), ("middle", self.middle.value), ("spread", self.spread.value)]


@require_safe
@signed_in
def of_project(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest runs that the run table's filter finds."""
    viewer = actor_of(request)
    project, table = asked_of(request, slug)
    count = request.GET.get("count", "")
    limit = int(count) if count in map(str, COUNTS) else COUNT
    problem, runs, more = None, [], False
    try:
        page = search_runs(
            viewer,
            project=project,
            experiments=table.experiment_ids or None,
            text=table.query,
            order=table.order,
            view=table.lives,
            limit=limit,
        )
        runs, more = runs_in_order(viewer, [run.id for run in page.rows]), page.next_token is not None
    except QueryError as error:
        problem = Problem.of(error, table.query)
    names = offered_names(viewer, project, experiments=table.experiment_ids or None)
    kept = table.kept("columns", "good", "saved")
    context = {
        "at": "charts",
        "project": project,
        "asked": table,
        "kept": kept,
        "problem": problem,
        "more": more,
        "limit": limit,
        "counts": COUNTS,
        "groupings": [
            *sorted(f"params.{name}" for name in names.varying),
            "dataset",
            *(f"tags.{n}" for n in _own(names.tags)),
        ],
        "table_url": f"{table.path}?{urlencode(table.kept('good'))}",
        **charts_of(request, viewer, runs, metric_directions(viewer, project)),
    }
    return render(request, "experiments/charts.html", context)


def _own(tags: Mapping[str, int]) -> list[str]:
    """Tags that people set: those of the MLflow client tell runs apart, not together."""
    return sorted(name for name in tags if not name.startswith("mlflow."))


def charts_of(request: HttpRequest, viewer: Actor, runs: Sequence[Run], ways: Mapping[str, bool]) -> dict[str, Any]:
    """The context of the charts: legend, sections of metrics, and where their data come from."""
    grouped = Grouped.parse(request.GET)
    groups = groups_of(viewer, runs, grouped.field) if grouped.field else {}
    if len(groups) > GROUPS_MAX:
        groups = dict(list(groups.items())[:GROUPS_MAX])
    keys = [key for key in metric_keys(viewer, runs) if not key.startswith(SYSTEM_PREFIX)]
    keys.sort(key=lambda key: weight_of(key, goal=runs[0].project.goal_metric if runs else "", directions=ways))
    data = [("runs", ",".join(run.readable_id for run in runs)), *grouped.pairs]
    x = request.GET.get("x", "step")
    return {
        "runs": runs,
        "lines": _group_lines(groups) if groups else _run_lines(runs),
        "grouped": grouped,
        "middles": MIDDLES,
        "spreads": SPREADS,
        "axes": AXES,
        "look": {
            "x": x if x in dict(AXES) else "step",
            "log": "log" in request.GET,
            "logx": "logx" in request.GET,
            "smooth": smoothing_asked(request),
        },
        "sections": _sections(keys, ways),
        "data_url": f"{reverse('experiments:charts_data')}?{urlencode(data, safe=',')}",
        "csv_url": f"{reverse('experiments:charts_csv')}?{urlencode(data, safe=',')}",
    }


def _sections(keys: Sequence[str], ways: Mapping[str, bool]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(prefix, [(metric, arrow)]) by the part of the name before the last slash."""
    found: dict[str, list[tuple[str, str]]] = {}
    for key in keys:
        prefix = key.rpartition("/")[0]
        found.setdefault(f"{prefix}/" if prefix else "Metrics", []).append(
            (key, {True: "↑", False: "↓", None: ""}[ways.get(key)])
        )
    return list(found.items())


def _run_lines(runs: Sequence[Run]) -> list[Line]:
    slots = slots_of(runs)
    return [
        Line(
            place,
            slots[place],
            run.name,
            run.readable_id,
            reverse("experiments:run", args=[run.uid.hex]),
            run.readable_id,
        )
        for place, run in enumerate(runs)
    ]


def slots_of(runs: Sequence[Run]) -> list[int]:
    """Each run's colour: its own, moved on only where two of those shown would be the same and another is free."""
    taken: set[int] = set()
    found = []
    for run in runs:
        own = slot(run)
        free = (1 + (own - 1 + by) % RUN_COLOURS for by in range(RUN_COLOURS))
        chosen = next((one for one in free if one not in taken), own)
        taken.add(chosen)
        found.append(chosen)
    return found


def _group_lines(groups: Mapping[str, Sequence[int]]) -> list[Line]:
    return [
        Line(place, place % RUN_COLOURS + 1, name, f"{len(of)} run{'' if len(of) == 1 else 's'}", "", name)
        for place, (name, of) in enumerate(groups.items())
    ]


@require_safe
@signed_in
def data(request: HttpRequest) -> HttpResponse:
    """The curves or bands of one metric, little-endian:

    0 "MLM1"; 4 uint32 blocks. Each block: uint32 kind (0 curve, 1 band), uint32 place, uint32 n, uint32 1 where points
    were left out or put together; float64 points before, float64 NaN or infinite among them; then n float64 each of
    x, y (curve) or x, middle, low, high, runs (band). x: step, or milliseconds.
    """
    blocks = list(_blocks(request))
    body = MAGIC + struct.pack("<I", len(blocks)) + b"".join(blocks)
    response = HttpResponse(body, content_type="application/octet-stream")
    response["Cache-Control"] = "private, no-store"
    return response


def _blocks(request: HttpRequest) -> Iterator[bytes]:
    scale = 1.0 if request.GET.get("x", "step") == "step" else 1000.0
    for _, place, found in _found(request):
        if isinstance(found, Curve):
            head = (0, place, len(found.x), int(found.is_thinned), float(found.total), float(found.odd))
            columns = [found.x * scale, found.y]
        else:
            head = (1, place, len(found.x), int(found.bucketed), float(found.n.sum()), 0.0)
            columns = [found.x * scale, found.middle, found.low, found.high, found.n]
        yield struct.pack("<IIIIdd", *head) + b"".join(np.asarray(one, dtype="<f8").tobytes() for one in columns)


@require_safe
@signed_in
def table(request: HttpRequest) -> HttpResponse:
    """What a chart shows, as CSV."""
    grouped = Grouped.parse(request.GET)
    fields = [Field("group" if grouped.field else "run"), Field("x", Kind.NUMBER)]
    names = ("middle", "low", "high", "runs") if grouped.field else ("value",)
    fields += [Field(name, Kind.NUMBER) for name in names]
    rows = []
    for name, _, found in _found(request):
        ys = (found.y,) if isinstance(found, Curve) else (found.middle, found.low, found.high, found.n)
        rows += [[name, *values] for values in zip(found.x.tolist(), *(y.tolist() for y in ys), strict=True)]
    return csv_file("chart", fields, rows)


def _found(request: HttpRequest) -> Iterator[tuple[str, int, Curve | Band]]:
    """(name, place, curve or band) of what the address asks. Raises Invalid, NotFound."""
    viewer = actor_of(request)
    runs = runs_named(viewer, request.GET.get("runs", "").split(","))
    key = request.GET.get("key", "")
    buckets = buckets_asked(request, BUCKETS)
    axis = _axis(request)
    grouped = Grouped.parse(request.GET)
    if not grouped.field:
        for place, curve in sorted(curves_of(viewer, runs, key, axis, buckets).items()):
            yield runs[place].readable_id, place, curve
        return
    groups = dict(list(groups_of(viewer, runs, grouped.field).items())[:GROUPS_MAX])
    bands = bands_of(viewer, runs, key, axis, buckets, groups=groups, middle=grouped.middle, spread=grouped.spread)
    for place, name in enumerate(groups):
        if name in bands:
            yield name, place, bands[name]


def _axis(request: HttpRequest) -> Axis:
    by = request.GET.get("x", "step")
    axis = by if by in dict(AXES) else "step"
    return Axis(axis, window_asked(request, 1.0 if axis == "step" else 1000.0))
