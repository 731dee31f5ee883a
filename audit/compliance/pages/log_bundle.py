"""The log as a sealed bundle: asked for, sealed by an event, given out once the log covers that."""

from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.access import find_project
from accounts.pages.doors import actor_of, signed_in
from audit.compliance.queries.bundles import sealed_log
from audit.compliance.reports.bundle import MEDIA_TYPE
from audit.compliance.taking_out import name_of, seal_log, sealed_file


@require_POST
@signed_in
def ask(request: HttpRequest, slug: str) -> HttpResponse:
    """Seal what the filter in the address finds. Raises Invalid, Refused, Conflict before the first head."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    return redirect("compliance:log_bundle", project.slug, seal_log(viewer, project, request.GET))


@require_safe
@signed_in
def page(request: HttpRequest, slug: str, seal: UUID) -> HttpResponse:
    """What is in the bundle, whether the log covers it yet, and how it is verified."""
    return render(request, "compliance/log_bundle.html", _context(request, slug, seal))


@require_safe
@signed_in
def state(request: HttpRequest, slug: str, seal: UUID) -> HttpResponse:
    """The part of the page that asks again while the log does not cover the bundle."""
    return render(request, "compliance/log_bundle_state.html", _context(request, slug, seal))


@require_safe
@signed_in
def file(request: HttpRequest, slug: str, seal: UUID) -> HttpResponseBase:
    """The bundle. Raises Conflict while it awaits its checkpoint, and where what was sealed has changed since."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    sealed = sealed_log(viewer, project, seal)
    out = sealed_file(viewer, project, sealed)
    response = FileResponse(out, as_attachment=True, filename=name_of(project, sealed), content_type=MEDIA_TYPE)
    response["Cache-Control"] = "private, no-store"
    return response


def _context(request: HttpRequest, slug: str, seal: UUID) -> dict[str, object]:
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    sealed = sealed_log(viewer, project, seal)
    name = name_of(project, sealed)
    command = f"python mled_verify.py {name} --key ledger.pub --anchor checkpoints.log"
    return {"at": "log", "project": project, "sealed": sealed, "name": name, "command": command}
