"""Curves of a run: the page, and each curve as bytes that a chart can draw as they come.

The binary form is little-endian and laid out so that a browser maps it without copying:

    0   4 bytes  "MLC1"
    4   uint32   n, points that follow
    8   float64  points in the window before thinning
    16  uint32   points among those that are NaN or infinite
    20  uint32   1 where points were left out, else 0
    24  float64  reserved, 0
    32  float64  n times x (step, or milliseconds since 1970), then n times y
"""

import struct
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from experiments.exporting.fields import Field, Kind
from experiments.metrics.downsample import Curve
from experiments.models import MetricSeries, Run
from experiments.pages.charts import charts_of
from experiments.pages.drawing import buckets_asked, csv_file, window_asked
from experiments.pages.figures import figures_of
from experiments.pages.frame import run_frame
from experiments.queries.experiments import metric_directions
from experiments.queries.record import SYSTEM_PREFIX
from experiments.queries.runs import get_run, metric_curves, metric_history, series_of
from kernel.errors import NotFound

MAGIC = b"MLC1"
BUCKETS = 150
CSV_FIELDS = (Field("step", Kind.INTEGER), Field("time_ms", Kind.INTEGER), Field("value", Kind.NUMBER))


@require_safe
@signed_in
def page(request: HttpRequest, run: str) -> HttpResponse:
    """The metrics that the run logged itself."""
    return _curves(request, run, "curves", system=False)


@require_safe
@signed_in
def system_page(request: HttpRequest, run: str) -> HttpResponse:
    """What the machine did meanwhile."""
    return _curves(request, run, "system", system=True)


def _curves(request: HttpRequest, ref: str, tab: str, *, system: bool) -> HttpResponse:
    run, context = run_frame(request, ref, tab)
    viewer = actor_of(request)
    series = [one for one in series_of(viewer, run) if one.key.startswith(SYSTEM_PREFIX) == system]
    directions = metric_directions(viewer, run.project)
    charts = charts_of(request, viewer, [run], directions, system=system)
    drawn = set(charts["model"]["metrics"])
    context |= {
        **charts,
        "alone": run,
        "figures": {one.key: figures_of(one, directions.get(one.key)) for one in series if one.key in drawn},
        "system": system,
        "values": [figures_of(one, directions.get(one.key)) for one in series if one.key not in drawn],
    }
    return render(request, "experiments/run_curves.html", context)


def data_url(run: Run, series: MetricSeries) -> str:
    """Where a curve's points come from."""
    return f"{reverse('experiments:curve_data', args=[run.uid.hex])}?{urlencode({'key': series.key})}"


@require_safe
@signed_in
def curve_data(request: HttpRequest, run: str) -> HttpResponse:
    """One curve, thinned for a screen: `key`, `x=step|time`, `buckets`, `from`, `to`."""
    viewer = actor_of(request)
    found = get_run(viewer, run)
    by_time = request.GET.get("x") == "time"
    key = request.GET.get("key", "")
    curves = metric_curves(
        viewer,
        found,
        [key],
        buckets=buckets_asked(request, BUCKETS),
        by_time=by_time,
        window=window_asked(request, 1000.0 if by_time else 1.0),
    )
    curve = curves.get(key)
    if curve is None:
        raise NotFound(
            f"The run {found.name} has no metric '{key[:80]}'.", hint="Its page shows how its metrics are called."
        )
    response = HttpResponse(packed(curve, milliseconds=by_time), content_type="application/octet-stream")
    response["Cache-Control"] = "private, no-store"
    return response


def packed(curve: Curve, *, milliseconds: bool) -> bytes:
    """The binary form of the module's head."""
    x = curve.x * 1000.0 if milliseconds else curve.x
    head = struct.pack("<4sIdIId", MAGIC, len(curve.x), curve.total, curve.odd, int(curve.is_thinned), 0.0)
    return head + x.astype("<f8").tobytes() + curve.y.astype("<f8").tobytes()


@require_safe
@signed_in
def curve_csv(request: HttpRequest, run: str) -> HttpResponse:
    """Every point of one curve as a table."""
    viewer = actor_of(request)
    found = get_run(viewer, run)
    key = request.GET.get("key", "")
    points = metric_history(viewer, found, key).points
    rows = zip(points.steps.tolist(), points.times.tolist(), points.values.tolist(), strict=True)
    name = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in key)
    return csv_file(f"{found.readable_id}-{name}", CSV_FIELDS, rows)
