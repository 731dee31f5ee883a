"""Asking for an export, and bringing in an archive: the two forms."""

from typing import BinaryIO, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from artifacts.blobs import receive
from artifacts.pages.new_version import PLAIN_MAX_BYTES, sent_files
from artifacts.queries.uploads import finished_blobs
from artifacts.storage import StoredBlob
from experiments.queries.overview import experiments_of
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound, TooLarge
from transfer.actions.transfers import begin
from transfer.archive.reading import origin_in
from transfer.models import Transfer
from transfer.pages.slots import ImportForm
from transfer.pages.transfers import url_of
from transfer.queries.transfers import WITH_LOG

DRY_RUN = "dry_run"


class ExportForm(forms.Form):
    """What goes into the archive."""

    experiments = forms.TypedMultipleChoiceField(
        required=False, coerce=int, label="Only these experiments", widget=forms.CheckboxSelectMultiple
    )
    with_files = forms.BooleanField(required=False, initial=True, label="With the content of files")
    with_log = forms.BooleanField(required=False, label="With the project's log, sealed")


class ArchiveForm(forms.Form):
    """An archive that comes in. uploads: what the page's script sent."""

    uploads = forms.CharField(required=False, widget=forms.HiddenInput)
    dry_run = forms.BooleanField(required=False, initial=True, label="Only check it first, and say what would be done")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def export(request: HttpRequest, slug: str) -> HttpResponse:
    """The form for an export; sent, it is begun."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, "transfer.export", project)
    form = _export_form(request, viewer, project)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        asked = {"with_files": chosen["with_files"], WITH_LOG: chosen.get(WITH_LOG, False)}
        asked["experiments"] = chosen["experiments"] or None
        try:
            return redirect(url_of(begin(viewer, project, kind=Transfer.Kind.EXPORT, options=asked)))
        except MledError as error:
            fill_in_error(form, error)
    context = {"at": "transfers", "project": project, "form": form}
    return render(request, "transfer/export.html", context, status=400 if form.errors else 200)


def _export_form(request: HttpRequest, viewer: Actor, project: Project) -> ExportForm:
    form = ExportForm(request.POST if request.method == "POST" else None)
    field = cast("forms.TypedMultipleChoiceField", form.fields["experiments"])
    rows = experiments_of(viewer, project, lifecycle=None).order_by("name").values_list("pk", "name")
    field.choices = [(pk, name) for pk, name in rows[:500]]
    if not can(viewer, "projects.read_log", project):
        del form.fields[WITH_LOG]
    return form


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def bring_in(request: HttpRequest, slug: str) -> HttpResponse:
    """The form for an archive; sent, it is checked at once in outline, and whole in the background."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, "transfer.bring_in", project)
    form = ArchiveForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            name, stored = _archive_in(viewer, project, form.cleaned_data["uploads"], request)
            asked = {DRY_RUN: True} if form.cleaned_data[DRY_RUN] else {}
            kind, origin = Transfer.Kind.ARCHIVE, origin_in(stored)
            made = begin(viewer, project, kind=kind, source=name, origin=origin, options=asked, blob=stored)
            return redirect(url_of(made))
        except NotFound:
            form.add_error(None, "The archive that was sent is no longer there. Choose it again.")
        except MledError as error:
            fill_in_error(form, error)
    context = {"at": "transfers", "project": project, "form": form}
    return render(request, "transfer/import_archive.html", context, status=400 if form.errors else 200)


def _archive_in(viewer: Actor, project: Project, text: str, request: HttpRequest) -> tuple[str, StoredBlob]:
    """The one file that was sent: by the page's script, else in the form itself."""
    sent = sent_files(text)
    plain = [file for file in request.FILES.getlist("files") if isinstance(file, UploadedFile)]
    if len(sent) + len(plain) != 1:
        raise Invalid("Choose one archive, a .zip file.", field="files")
    if sent:
        return sent[0].path[:200], finished_blobs(viewer, project, [sent[0].id])[0]
    (file,) = plain
    if (file.size or 0) > PLAIN_MAX_BYTES:
        words = f"Without scripts a form takes at most {PLAIN_MAX_BYTES // 10**6} MB."
        raise TooLarge(words, hint="Switch scripts on, or send it over REST or with import_archive.", field="files")
    return (file.name or "archive.zip")[:200], receive(cast("BinaryIO", file), expected=file.size)


def archive_url(project: Project) -> str:
    """The form for an archive."""
    return reverse("transfer:import_archive", args=[project.slug])


ARCHIVE = ImportForm("Archive of MLED", "What another MLED exported, whole, with ids and files.", "upload", archive_url)
