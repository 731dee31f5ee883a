"""Sheets of past experiments: those of a project, and the form that brings in another."""

from typing import BinaryIO, Final, cast

from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from artifacts.actions.uploads import append_upload, begin_upload, finish_upload
from experiments.actions.sheets import bring_sheet
from experiments.pages.sheet_words import badge_of
from experiments.queries.sheets import BRING_IN, sheets_of
from experiments.sheets.limits import COLUMNS, FILE_BYTES, MEBIBYTE, ROWS
from experiments.sheets.mapping import checked_zone
from experiments.sheets.template import NAME, template
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound, Refused, TooLarge, Unauthenticated

PAGE: Final = 50
SEE: Final = "transfer.see"


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The imports so far with the form above them; a post brings in a sheet."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, SEE, project)
    problem: MledError | None = None
    if request.method == "POST":
        try:
            made = _brought(request, viewer, project)
            return redirect("experiments:sheet", slug=project.slug, sheet=made)
        except (NotFound, Refused, Unauthenticated):
            raise
        except MledError as error:
            problem = error
    listed = Paginator(sheets_of(viewer, project), PAGE).get_page(request.GET.get("page"))
    context = {
        "at": "runs",
        "project": project,
        "page": listed,
        "sheets": [(one, badge_of(one)) for one in listed],
        "may_bring": bool(can(viewer, BRING_IN, project)),
        "problem": problem,
        "limits": f"At most {FILE_BYTES // MEBIBYTE} MiB, {ROWS:,} rows and {COLUMNS} columns.",
    }
    return render(request, "experiments/sheets.html", context)


def _brought(request: HttpRequest, viewer: Actor, project: Project) -> str:
    """The id of the sheet that the form sends. Raises Invalid, TooLarge."""
    require(viewer, BRING_IN, project)
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile) or not file.name:
        raise Invalid("No file is chosen.", hint="Choose a CSV or XLSX file.", field="file")
    size = file.size or 0
    if size > FILE_BYTES:
        words = f"This file has {size:,} bytes; a sheet has at most {FILE_BYTES:,}."
        raise TooLarge(words, hint="Split it, or save the one sheet as CSV.", field="file")
    upload = begin_upload(viewer, project, size_bytes=size, purpose=f"the sheet {file.name[:200]}")
    if size:
        upload = append_upload(viewer, upload, offset=0, incoming=cast("BinaryIO", file))
    done = finish_upload(viewer, upload)
    return str(bring_sheet(viewer, project, upload=str(done.pk), name=file.name, zone=_zone(request)).pk)


def _zone(request: HttpRequest) -> str:
    """That of the browser, which the form's script tells; UTC without it, and for one that is unknown here."""
    try:
        return checked_zone(request.POST.get("zone") or "UTC")
    except Invalid:
        return "UTC"


@require_safe
@signed_in
def blank(request: HttpRequest, slug: str) -> HttpResponse:
    """A sheet to begin with."""
    viewer = actor_of(request)
    require(viewer, SEE, find_project(viewer, slug))
    response = HttpResponse(template(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{NAME}"'
    return response
