"""Parallel coordinates, scatter and boxes of the compared runs."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from experiments.compare.correlation import is_numeric
from experiments.compare.matrix import Figure
from experiments.pages.compare.columns import singles_of
from experiments.pages.compare.fields import Fields, metric_rows, param_rows
from experiments.pages.compare.frame import Frame, framed
from experiments.pages.panels import Panel, panel_text, parse_panel
from experiments.queries.comparison import compared

PANELS_MAX = 12
AXES = 6  # of parallel coordinates, unless somebody chooses
KINDS = {
    "parallel": "Parallel coordinates",
    "scatter": "Scatter",
    "box": "By category",
    "bar": "Values",
}


@require_safe
@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """The panels that the address names; those that tell most where it names none."""
    frame = framed(request, "plots")
    context = frame.context
    if frame.runs:
        rows = Fields(compared(frame.viewer, frame.runs), singles_of(frame))
        context |= {
            "panels": panels_of(request, usual_panels(rows, frame.asked.figure)),
            "points_url": points_url(frame),
        }
    return render(request, "experiments/compare_plots.html", context)


def points_url(frame: Frame) -> str:
    """Where the panels read the runs' values."""
    refs = ",".join(run.readable_id for run in frame.runs)
    return f"{reverse('experiments:points_of_runs')}?{urlencode({'runs': refs}, safe=',')}"


def panels_of(request: HttpRequest, usual: Sequence[Panel]) -> list[tuple[str, str]]:
    """The panels that the address names, else the usual ones: kind in words, and the text of each."""
    named = [panel for text in request.GET.getlist("panel") if (panel := parse_panel(text)) and panel.kind in KINDS]
    return [(KINDS[panel.kind], panel_text(panel)) for panel in named[:PANELS_MAX] or usual]


def usual_panels(rows: Fields, figure: Figure) -> list[Panel]:
    """Parallel coordinates over what differs, the result against the first number, boxes by the first words, bars."""
    metrics = [row for row in metric_rows(rows, figure) if row.varies]
    params = [row for row in param_rows(rows) if len({cell.text for cell in row.cells} - {None}) > 1]
    if not metrics:
        return []
    result = f"metrics.{metrics[0].name}.{'last' if metrics[0].higher_is_better is None else 'best'}"
    if not params:
        return [Panel(kind="bar", y=result)]
    numeric, words = _parted(params)
    return _panels(result, [f"params.{row.name}" for row in params], numeric, words)


def _parted(params: Sequence[Any]) -> tuple[list[str], list[str]]:
    """The names of parameters that are numbers, and of those that are words."""
    numeric: list[str] = []
    words: list[str] = []
    for row in params:
        kind = numeric if is_numeric([cell.text for cell in row.cells]) else words
        kind.append(f"params.{row.name}")
    return numeric, words


def _panels(result: str, params: Sequence[str], numeric: Sequence[str], words: Sequence[str]) -> list[Panel]:
    panels = [Panel(kind="parallel", fields=[*params[: AXES - 1], result], color=result, w=2)]
    if numeric:
        panels.append(Panel(kind="scatter", x=numeric[0], y=result, trend=True))
    if words or numeric:
        panels.append(Panel(kind="box", x=(words or numeric)[0], y=result))
    return [*panels, Panel(kind="bar", y=result)]
