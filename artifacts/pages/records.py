"""What people write about a version: the panel with its gaps, and the form that fills them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import require
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from artifacts.actions.records import write_record
from artifacts.models import DatasetVersion
from artifacts.pages.frame import version_frame, version_url
from artifacts.records import FIELDS, RecordField, completeness
from artifacts.versions import record_of
from kernel.errors import MledError

ONE_LINE = 500


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One field: its words, or a gap. needed: whether a gap counts as one."""

    name: str
    label: str
    words: str
    needed: bool


class RecordForm(forms.Form):
    """All fields of a record, none of them required."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in FIELDS.values():
            self.fields[field.name] = _control(field)

    @property
    def said(self) -> dict[str, str]:
        """The fields of the record as they were sent."""
        return {name: self.cleaned_data[name] for name in FIELDS}


def _control(field: RecordField) -> forms.Field:
    common: dict[str, Any] = {"required": False, "label": field.label, "help_text": field.asks}
    if field.choices:
        return forms.ChoiceField(choices=[("", "Not recorded"), *field.choices.items()], **common)
    widget = forms.TextInput() if field.limit <= ONE_LINE else forms.Textarea(attrs={"rows": 2})
    return forms.CharField(max_length=field.limit, widget=widget, **common)


def written(version: DatasetVersion | None) -> Mapping[str, str]:
    """What stands in a version's record, by field."""
    record = record_of(version) if version else None
    return {name: getattr(record, name) for name in FIELDS} if record else {}


def record_context(version: DatasetVersion) -> dict[str, Any]:
    """The panel of the overview."""
    said, whole = written(version), completeness(record_of(version))
    gaps = set(whole.gaps)
    lines = [
        RecordLine(field.name, field.label, field.shown(said.get(field.name, "")), field.label in gaps)
        for field in FIELDS.values()
        if field.name != "note"
    ]
    return {"record_lines": lines, "gaps": len(whole.gaps), "note": said.get("note", "")}


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, slug: str, dataset: UUID, number: int) -> HttpResponse:
    """The record of a version as a form; `?field=` is where the cursor goes."""
    version, context = version_frame(request, slug, dataset, number, "overview")
    viewer = actor_of(request)
    require(viewer, "datasets.register", version)
    form = RecordForm(request.POST or None, initial=dict(written(version)))
    _put_cursor(form, request.GET.get("field", ""))
    if request.method == "POST" and form.is_valid():
        try:
            write_record(viewer, version, fields=form.said)
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, f"The record of v{version.number} is written.")
            return redirect(version_url(version))
    return render(request, "artifacts/record.html", context | {"form": form})


def _put_cursor(form: RecordForm, name: str) -> None:
    field = form.fields.get(name)
    if field is not None:
        cast("forms.Widget", field.widget).attrs["autofocus"] = True
