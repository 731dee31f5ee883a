"""The curves of the compared runs, over one another."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from experiments.pages.charts import charts_of
from experiments.pages.compare.frame import framed
from experiments.queries.overview import agreed_directions


@require_safe
@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """One chart for each metric with more than one step."""
    frame = framed(request, "curves")
    context = frame.context | {"groupings": []}
    if frame.runs:
        directions = agreed_directions(frame.viewer, {run.project for run in frame.runs})
        charts = charts_of(request, frame.viewer, frame.runs, directions)
        context |= {**charts, "chart_csv_url": charts["csv_url"], "csv_url": context["csv_url"]}
    return render(request, "experiments/compare_curves.html", context)
