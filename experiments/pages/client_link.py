"""The links that MLflow's client prints ('View run … at: …/mlflow/<project>/#/experiments/4/runs/…') lead here."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import find_project
from accounts.pages.doors import actor_of, signed_in


@require_safe
@signed_in
def client_link(request: HttpRequest, slug: str) -> HttpResponse:
    """What the link names stands behind '#', which only the browser sees: the page's script goes on from there."""
    project = find_project(actor_of(request), slug)
    return render(request, "experiments/client_link.html", {"project": project})
