"""A run beside the table that it was opened from: what tells most of it, in a narrow pane."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from experiments.pages.figures import figures_of
from experiments.pages.frame import run_frame, tab_url
from experiments.pages.inputs import described_inputs
from experiments.pages.notes import note_context
from experiments.pages.run import key_metrics, tiles_of
from experiments.pages.steps import came_from, with_pairs
from experiments.queries.experiments import metric_directions
from experiments.queries.runs import get_run, inputs_of, params_of, series_of

TILES, METRICS_SHOWN, PARAMS_SHOWN = 4, 20, 40


@require_safe
@signed_in
def pane(request: HttpRequest, run: str) -> HttpResponse:
    """The pane; who opens its address by itself gets the run's page."""
    if "HX-Request" not in request.headers:
        found = get_run(actor_of(request), run)
        return redirect(with_pairs(tab_url(found, "overview"), came_from(request)))
    found, context = run_frame(request, run, "overview")
    viewer = actor_of(request)
    params = params_of(viewer, found)
    directions = metric_directions(viewer, found.project)
    by_weight = key_metrics(series_of(viewer, found), directions, found.project.goal_metric)
    context |= {
        **note_context(request, viewer, found),
        "tiles": tiles_of(found, by_weight[:TILES], directions),
        "values": [figures_of(one, directions.get(one.key)) for one in by_weight[TILES : TILES + METRICS_SHOWN]],
        "params": list(params.items())[:PARAMS_SHOWN],
        "params_total": len(params),
        "inputs": described_inputs(inputs_of(viewer, found)),
        "page_url": with_pairs(tab_url(found, "overview"), came_from(request)),
    }
    return render(request, "experiments/run_beside.html", context)
