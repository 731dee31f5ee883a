"""Webhooks: who outside is told of registry events, and what became of each message."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import find_project
from accounts.pages.doors import actor_of, signed_in
from registry.queries.deliveries import webhooks_of


@require_safe
@signed_in
def webhooks(request: HttpRequest, slug: str) -> HttpResponse:
    """The list."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    context = {"at": "models", "project": project, "webhooks": webhooks_of(viewer, project)}
    return render(request, "registry/webhooks.html", context)
