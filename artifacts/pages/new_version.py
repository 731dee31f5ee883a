"""A new version: files that go up from the browser, or a reference to data that lie elsewhere."""

import json
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import require
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from artifacts.actions.versions import add_external_version, add_version
from artifacts.blobs import receive
from artifacts.manifests import FILES_MAX
from artifacts.models import Dataset, DatasetVersion
from artifacts.pages.frame import dataset_frame, version_url
from artifacts.pages.records import RecordForm, written
from artifacts.queries.uploads import finished_blobs
from artifacts.records import FIELDS
from artifacts.storage import StoredBlob
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound, TooLarge

PLAIN_MAX_BYTES = 100_000_000  # of a form that a browser without scripts sends in one go


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that the page's script has sent already."""

    id: str
    path: str
    size: int


class FromFiles(RecordForm):
    """The files, by the ids of their uploads, and the record. The files of a plain form stand beside it."""

    uploads = forms.CharField(required=False, widget=forms.HiddenInput())


class External(RecordForm):
    """Where the data lie, and what names their content."""

    source = forms.CharField(max_length=2000, label="Address", help_text="<code>s3://bucket/folder</code>, https, …")
    digest = forms.CharField(max_length=64, label="Digest", help_text="Names the content: a SHA-256, or as MLflow does")
    source_type = forms.CharField(
        max_length=200, required=False, label="Type", help_text="<code>s3</code>, <code>http</code>, <code>delta</code>"
    )
    field_order = ("source", "digest", "source_type")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new_version(request: HttpRequest, slug: str, dataset: UUID) -> HttpResponse:
    """The form with the record of the version before; a post makes the version."""
    found, context = _for_writing(request, slug, dataset)
    form = FromFiles(request.POST or None, initial=_as_before(context))
    if request.method == "POST" and form.is_valid():
        try:
            files = _files_of(actor_of(request), found, form.cleaned_data["uploads"], request)
            made = add_version(actor_of(request), found, files=files, record=form.said)
        except MledError as error:
            fill_in_error(form, _beside_the_files(error))
        else:
            return _made(request, made)
    context |= {"form": form, "record_fields": _record_fields(form), "next_number": _next_number(context)}
    return render(request, "artifacts/new_version.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def external(request: HttpRequest, slug: str, dataset: UUID) -> HttpResponse:
    """The form for a reference; a post makes the version."""
    found, context = _for_writing(request, slug, dataset)
    form = External(request.POST or None, initial=_as_before(context))
    own = ("source", "digest", "source_type")
    if request.method == "POST" and form.is_valid():
        try:
            said = {name: form.cleaned_data[name] for name in own}
            made = add_external_version(actor_of(request), found, record=form.said, **said)
        except MledError as error:
            fill_in_error(form, error)
        else:
            return _made(request, made)
    context |= {
        "form": form,
        "own_fields": [form[name] for name in own],
        "record_fields": _record_fields(form),
        "next_number": _next_number(context),
    }
    return render(request, "artifacts/new_external.html", context)


def _for_writing(request: HttpRequest, slug: str, dataset: UUID) -> tuple[Dataset, dict[str, Any]]:
    found, context = dataset_frame(request, slug, dataset)
    require(actor_of(request), "datasets.register", found)
    return found, context


def _newest(context: dict[str, Any]) -> DatasetVersion | None:
    lines = context["lines"]
    return lines[0].version if lines else None


def _as_before(context: dict[str, Any]) -> dict[str, str]:
    """The record of the newest version; its note was about that one."""
    return {**written(_newest(context)), "note": ""}


def _next_number(context: dict[str, Any]) -> int:
    newest = _newest(context)
    return newest.number + 1 if newest else 1


def _record_fields(form: RecordForm) -> list[forms.BoundField]:
    """The fields of the record but the note, which stands beside the button."""
    return [form[name] for name in FIELDS if name != "note"]


def _made(request: HttpRequest, version: DatasetVersion) -> HttpResponse:
    messages.success(request, f"{version.dataset.name} v{version.number} is there.")
    return redirect(version_url(version))


def _files_of(viewer: Actor, dataset: Dataset, text: str, request: HttpRequest) -> list[tuple[str, StoredBlob]]:
    """The files by path: those that the script sent, else those in the form itself."""
    sent = sent_files(text)
    if sent:
        blobs = finished_blobs(viewer, dataset.project, [one.id for one in sent])
        return [(one.path, blob) for one, blob in zip(sent, blobs, strict=True)]
    plain = [file for file in request.FILES.getlist("files") if isinstance(file, UploadedFile)]
    if sum(file.size or 0 for file in plain) > PLAIN_MAX_BYTES:
        raise TooLarge(
            f"Without scripts a form takes at most {PLAIN_MAX_BYTES // 10**6} MB.",
            hint="Switch scripts on, or send the files over REST.",
            field="files",
        )
    return [(file.name or "", receive(cast("BinaryIO", file), expected=file.size)) for file in plain]


def sent_files(text: str) -> list[Sent]:
    """The files that a page's script sent, as its hidden field tells of them. Raises Invalid."""
    try:
        told = json.loads(text or "[]")
        sent = [Sent(str(one["id"]), str(one["path"]), int(one.get("size", 0))) for one in told]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Invalid(
            "The list of sent files is not one that this page made.", hint="Choose the files again."
        ) from None
    if len(sent) > FILES_MAX:
        raise Invalid(f"A version has at most {FILES_MAX:,} files.", hint="Pack small ones into archives.")
    return sent


def _beside_the_files(error: MledError) -> MledError:
    """An upload that is gone is a mistake of the form, not a page that is missing."""
    if isinstance(error, NotFound):
        return Invalid("A file that was sent is no longer there.", hint="Choose the files again.")
    return error
