"""The log as a sealed bundle: asked for, sealed by an event, given out once the log covers that."""

import tempfile
from uuid import UUID

import orjson
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.access import find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from audit.compliance.actions.bundles import seal_bundle
from audit.compliance.actions.exports import export_log
from audit.compliance.queries.bundles import Sealed, sealed_log
from audit.compliance.queries.log import standing_of_log
from audit.compliance.queries.log_question import asked_of
from audit.compliance.reports.bundle import MEDIA_TYPE, Content, content_of_log, write_bundle
from kernel.actor import Actor
from kernel.digests import sha256_hex
from kernel.errors import Conflict


@require_POST
@signed_in
def ask(request: HttpRequest, slug: str) -> HttpResponse:
    """Seal what the filter in the address finds. Raises Invalid, Refused, Conflict before the first head."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, "compliance.report", project)
    asked = asked_of(viewer, project, request.GET)
    head = standing_of_log(viewer, project).head
    if head is None:
        raise Conflict("The log has no signed head yet.", hint="Try again in some seconds.")
    content = content_of_log(project, asked.words, asked.question, size=head.size)
    words = orjson.dumps(dict(asked.words)).decode()
    seal = seal_bundle(viewer, project, manifest=content.manifest, question=words)
    return redirect("compliance:log_bundle", project.slug, seal)


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
    content = _content(viewer, project, sealed)
    if sha256_hex(content.manifest) != sealed.manifest:
        raise Conflict("What the bundle holds is not what it was when it was sealed.", hint="Ask for it again.")
    out = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    write_bundle(content, seal, out)  # type: ignore[arg-type]  # a file that can seek
    out.seek(0)
    name = f"{project.slug}-log-{sealed.size}.mledlog"
    export_log(viewer, project, what=f"{name}, sealed by event {seal.hex}")
    response = FileResponse(out, as_attachment=True, filename=name, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "private, no-store"
    return response


def _content(viewer: Actor, project: Project, sealed: Sealed) -> Content:
    asked = asked_of(viewer, project, sealed.question)
    return content_of_log(project, asked.words, asked.question, size=sealed.size)


def _context(request: HttpRequest, slug: str, seal: UUID) -> dict[str, object]:
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    sealed = sealed_log(viewer, project, seal)
    name = f"{project.slug}-log-{sealed.size}.mledlog"
    command = f"python mled_verify.py {name} --key ledger.pub --anchor checkpoints.log"
    return {"at": "log", "project": project, "sealed": sealed, "name": name, "command": command}
