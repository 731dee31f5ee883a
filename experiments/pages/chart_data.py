"""The numbers of a chart: the curves or bands of one metric in many runs, as bytes or as CSV."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.doors import actor_of, signed_in
from accounts.texts import checked_line
from experiments.actions.exports import note_csv
from experiments.compare.bands import Band, bands_of
from experiments.compare.correlation import Floats
from experiments.exporting.fields import Field, Kind
from experiments.metrics.downsample import Curve, thinned
from experiments.models import Run
from experiments.pages.chart_lines import Grouped, first_groups
from experiments.pages.drawing import buckets_asked, csv_file, window_asked
from experiments.queries.comparison import runs_named
from experiments.queries.curves import Axis, Columns, columns_in_turn, columns_of_runs, groups_of
from kernel.actor import Actor
from kernel.errors import Invalid

MAGIC = b"MLM2"
AXES = ("step", "relative", "time")
METRIC = "metrics."  # before the name of the metric that is the x axis
BUCKETS = 200


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one address asks. parts: (name, place, curve or band); places of bands count groups, of curves runs."""

    parts: list[tuple[str, int, Curve | Band]]
    groups: dict[str, list[int]]
    left_out: int


@require_safe
@signed_in
def data(request: HttpRequest) -> HttpResponse:
    """The curves or bands of one metric, little-endian:

    0 "MLM2"; 4 uint32 blocks. Each block: uint32 kind, uint32 place, uint32 n, uint32 1 where points were left out or
    put together; float64 points before, float64 NaN or infinite among them; then n float64 each of x and y (kind 0, a
    curve), of x, middle, low, high and runs (kind 1, a band), or of mean x and mean y of each span of the curve before
    it (kind 2, where it was thinned). x: step, milliseconds, or the value of a metric. At the end uint32 length and so
    many bytes of JSON: groups (name, places of its runs), left_out (points without an x).
    """
    drawn = drawn_of(request)
    scale = 1000.0 if axis_of(request).by in ("relative", "time") else 1.0
    blocks = [block for _, place, found in drawn.parts for block in _packed(place, found, scale)]
    told = msgspec.json.encode(
        {
            "groups": [{"name": name, "runs": places} for name, places in drawn.groups.items()],
            "left_out": drawn.left_out,
        }
    )
    body = b"".join((MAGIC, struct.pack("<I", len(blocks)), *blocks, struct.pack("<I", len(told)), told))
    response = HttpResponse(body, content_type="application/octet-stream")
    response["Cache-Control"] = "private, no-store"
    return response


def _packed(place: int, found: Curve | Band, scale: float) -> list[bytes]:
    if isinstance(found, Band):
        head = (1, place, len(found.x), int(found.bucketed), float(found.n.sum()), 0.0)
        return [_block(head, [found.x * scale, found.middle, found.low, found.high, found.n])]
    head = (0, place, len(found.x), int(found.is_thinned), float(found.total), float(found.odd))
    blocks = [_block(head, [found.x * scale, found.y])]
    if found.means:
        x, y = found.means
        blocks.append(_block((2, place, len(x), 1, float(found.total), 0.0), [x * scale, y]))
    return blocks


def _block(head: tuple[int, int, int, int, float, float], columns: list[Floats]) -> bytes:
    return struct.pack("<IIIIdd", *head) + b"".join(np.asarray(one, dtype="<f8").tobytes() for one in columns)


@require_safe
@signed_in
def table(request: HttpRequest) -> HttpResponse:
    """What a chart shows, as CSV."""
    grouped = Grouped.parse(request.GET)
    is_band = bool(grouped.fields) and not grouped.members
    fields = [Field("group" if is_band else "run"), Field("x", Kind.NUMBER)]
    fields += [Field(name, Kind.NUMBER) for name in (("middle", "low", "high", "runs") if is_band else ("value",))]
    rows = list(_rows(request, bands=is_band))
    viewer, key = actor_of(request), request.GET.get("key", "")
    note_csv(viewer, runs_named(viewer, request.GET.get("runs", "").split(",")), f"the chart of '{key[:200]}'")
    return csv_file("chart", fields, rows)


@require_POST
@signed_in
def note_shown(request: HttpRequest) -> HttpResponse:
    """Put on record that the numbers which charts show are taken out as CSV: `runs`, `what`. Raises Invalid, NotFound.

    The file itself is written in the browser, of what is seen there: lines that are drawn, the window, the smoothing.
    """
    viewer = actor_of(request)
    runs = runs_named(viewer, request.POST.get("runs", "").split(","))
    if not runs:
        raise Invalid("Say which runs the numbers are of.", field="runs")
    note_csv(
        viewer, runs, f"what is shown of {checked_line(request.POST.get('what', ''), 'A title', 200, field='what')}"
    )
    return HttpResponse(status=204)


def _rows(request: HttpRequest, *, bands: bool) -> Iterator[list[str | float]]:
    for name, _, found in drawn_of(request).parts:
        if isinstance(found, Band) is not bands:
            continue
        ys = (found.y,) if isinstance(found, Curve) else (found.middle, found.low, found.high, found.n)
        for values in zip(found.x.tolist(), *(y.tolist() for y in ys), strict=True):
            yield [name, *values]


def drawn_of(request: HttpRequest) -> Drawn:
    """What the address asks. Raises Invalid, NotFound for runs that the viewer may not see."""
    viewer = actor_of(request)
    runs = runs_named(viewer, request.GET.get("runs", "").split(","))
    buckets, axis, grouped = buckets_asked(request, BUCKETS), axis_of(request), Grouped.parse(request.GET)
    key = request.GET.get("key", "")
    if not grouped.fields:
        return _alone(runs, columns_in_turn(viewer, runs, key, axis), axis, buckets)
    columns = columns_of_runs(viewer, runs, key, axis)
    left_out = sum(one.left_out for one in columns.values())
    return _in_groups(viewer, runs, columns, axis, buckets, grouped, left_out)


def _alone(runs: list[Run], columns: Iterable[tuple[int, Columns]], axis: Axis, buckets: int) -> Drawn:
    """Each run's curve, thinned before the next is read."""
    parts: list[tuple[str, int, Curve | Band]] = []
    left_out = 0
    for place, one in columns:
        left_out += one.left_out
        parts.append((runs[place].readable_id, place, thinned(one.x, one.y, buckets, axis.window)))
    return Drawn(parts, {}, left_out)


def _in_groups(
    viewer: Actor,
    runs: list[Run],
    columns: dict[int, Columns],
    axis: Axis,
    buckets: int,
    grouped: Grouped,
    left_out: int,
) -> Drawn:
    groups: dict[str, list[int]] = first_groups(groups_of(viewer, runs, grouped.fields))
    within = {place: one.within(axis.window) for place, one in columns.items()}
    bands = bands_of(within, groups, buckets, middle=grouped.middle, spread=grouped.spread)
    parts: list[tuple[str, int, Curve | Band]] = [
        (name, place, bands[name]) for place, name in enumerate(groups) if name in bands
    ]
    if grouped.members:
        shown = {place for places in groups.values() for place in places}
        parts = [*_curves(runs, {at: one for at, one in columns.items() if at in shown}, axis, buckets), *parts]
    return Drawn(parts, groups, left_out)


def _curves(
    runs: list[Run], columns: dict[int, Columns], axis: Axis, buckets: int
) -> list[tuple[str, int, Curve | Band]]:
    return [
        (runs[place].readable_id, place, thinned(one.x, one.y, buckets, axis.window))
        for place, one in sorted(columns.items())
    ]


def axis_of(request: HttpRequest) -> Axis:
    """The x axis of an address; what is unknown is the step. Raises Invalid for a window that is none."""
    by = request.GET.get("x", "step")
    if by.startswith(METRIC) and len(by) > len(METRIC):
        return Axis("metric", window_asked(request, 1.0), by.removeprefix(METRIC))
    axis = by if by in AXES else "step"
    return Axis(axis, window_asked(request, 1.0 if axis == "step" else 1000.0))
