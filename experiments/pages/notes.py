"""A run's name and note, as its author edits them. Who edits what somebody just changed is told, and loses nothing."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import can, require
from accounts.markdown import as_html
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from experiments.actions.notes import NOTE, NOTE_MAX, edit_notes, state_of
from experiments.mentions import pattern_of
from experiments.models import Run
from experiments.pages.frame import run_frame, tab_url
from experiments.pages.steps import came_from, with_pairs
from experiments.queries.comments import people_to_mention
from experiments.queries.notes import note_of
from experiments.queries.runs import get_run, tag_of
from kernel.actor import Actor
from kernel.errors import Conflict, MledError

PREVIEW_MAX = 25_000
PAGES = ("overview", "notes")


@dataclass(frozen=True, slots=True)
class Changed:
    """A line of a difference. sign: "+" only here, "-" only there, " " in both."""

    sign: str
    text: str


class Notes(forms.Form):
    """Name and note; `before` is the state of both when the form was opened."""

    name = forms.CharField(max_length=500)
    description = forms.CharField(
        label="Note",
        required=False,
        max_length=NOTE_MAX,
        widget=forms.Textarea(attrs={"rows": 8, "data-markdown": ""}),
        strip=True,
    )
    before = forms.CharField(widget=forms.HiddenInput, max_length=64)


def note_context(request: HttpRequest, viewer: Actor, run: Run) -> dict[str, Any]:
    """What the panel of the note shows: drawn, or with `?edit=note` as a form."""
    note = note_of(viewer, run)
    may_edit = bool(can(viewer, "experiments.edit_notes", run)) and not run.is_deleted
    context: dict[str, Any] = {
        "note": note.text,
        "note_html": as_html(note.text),
        "note_edited": note.edited,
        "may_edit": may_edit,
    }
    if may_edit and request.GET.get("edit") == "note":
        context["note_form"] = Notes(initial=_initial(run, note.text))
    return context


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, run: str) -> HttpResponse:
    """The form; a post keeps what was written."""
    back = request.POST.get("back", "")
    found, context = run_frame(request, run, back if back in PAGES else "overview")
    viewer = actor_of(request)
    require(viewer, "experiments.edit_notes", found)
    note = tag_of(viewer, found, NOTE)
    form = Notes(request.POST or None, initial=_initial(found, note))
    if request.method == "POST" and form.is_valid():
        try:
            _keep(viewer, found, form.cleaned_data)
        except Conflict as error:
            context["differences"] = list(differences(note, _text(form.cleaned_data)))
            context["is_changed"] = error.field == "expected"
            form = Notes(form.cleaned_data | {"before": state_of(found.name, note)})
            fill_in_error(form, error)
        except MledError as error:
            form = Notes(form.cleaned_data)
            fill_in_error(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect(with_pairs(tab_url(found, context["tab"]), came_from(request)))
    context |= {"form": form, "note_form": form, "current": {"name": found.name, "html": as_html(note)}}
    return render(request, "experiments/run_edit.html", context)


def differences(theirs: str, mine: str) -> Iterator[Changed]:
    """Line by line: what stands there now (-), and what was written here (+)."""
    before, after = theirs.splitlines(), mine.splitlines()
    for kind, start, end, new_start, new_end in difflib.SequenceMatcher(None, before, after).get_opcodes():
        if kind == "equal":
            yield from (Changed(" ", text) for text in before[start:end])
        else:
            yield from (Changed("-", text) for text in before[start:end])
            yield from (Changed("+", text) for text in after[new_start:new_end])


@require_POST
@signed_in
def preview(request: HttpRequest, run: str) -> HttpResponse:
    """Markdown as it will look, with the people whom it mentions."""
    viewer = actor_of(request)
    found = get_run(viewer, run)
    text = request.POST.get("text", "") or request.POST.get("description", "")
    people = people_to_mention(viewer, found) if "@" in text else []
    html = as_html(text[:PREVIEW_MAX], pattern_of(people))
    return render(request, "experiments/run_preview.html", {"html": html})


def _initial(run: Run, note: str) -> dict[str, str]:
    return {"name": run.name, "description": note, "before": state_of(run.name, note)}


def _text(written: dict[str, str]) -> str:
    return written["description"].replace("\r\n", "\n")


def _keep(viewer: Actor, run: Run, written: dict[str, str]) -> None:
    edit_notes(viewer, run, expected=written["before"], name=written["name"], note=_text(written))
