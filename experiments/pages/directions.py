"""Saying once for a project which way a metric is better: it brings the star and the heat into tables."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import find_project
from accounts.pages.doors import actor_of, signed_in
from experiments.actions.experiments import set_metric_direction
from experiments.actions.saved_views import checked_query
from experiments.queries.runs import get_run
from kernel.errors import Invalid

WAYS = {"higher": True, "lower": False}


@require_POST
@signed_in
def set_direction(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep the direction of one metric, and back to the run or the table where it was said."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    key, way = request.POST.get("key", ""), request.POST.get("better", "")
    if way not in WAYS:
        raise Invalid(f"'{way[:20]}' is no direction.", hint="It is higher or lower.", field="better")
    set_metric_direction(viewer, project, key=key, higher_is_better=WAYS[way])
    messages.success(request, f"{key}: {way} is better, in all of {project.name}.")
    if "table" in request.POST:
        return redirect(f"{reverse('experiments:runs', args=[project.slug])}?{checked_query(request.POST['table'])}")
    back = request.POST.get("run", "")
    if back:
        return redirect("experiments:run_tab", run=get_run(viewer, back).uid.hex, tab="params")
    return redirect("experiments:project", slug=project.slug)
