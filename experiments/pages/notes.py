"""A run's name and description, as its author edits them. Who edits what somebody else just changed is told so."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import require
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from experiments.actions.runs import set_tags
from experiments.models import Run
from experiments.pages.frame import run_frame
from experiments.queries.runs import tags_of
from kernel.actor import Actor
from kernel.digests import sha256_hex
from kernel.errors import Conflict, MledError

NAME_TAG, NOTE_TAG = "mlflow.runName", "mlflow.note.content"
NOTE_MAX = 20_000


class Notes(forms.Form):
    """Name and description; `before` is a digest of what they were when the form was opened."""

    name = forms.CharField(max_length=500)
    description = forms.CharField(
        required=False, max_length=NOTE_MAX, widget=forms.Textarea(attrs={"rows": 8}), strip=True
    )
    before = forms.CharField(widget=forms.HiddenInput, max_length=64)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, run: str) -> HttpResponse:
    """The form; a post keeps what was written."""
    found, context = run_frame(request, run, "overview")
    viewer = actor_of(request)
    require(viewer, "experiments.edit_notes", found)
    note = tags_of(viewer, found).get(NOTE_TAG, "")
    now = {"name": found.name, "description": note, "before": state_of(found.name, note)}
    form = Notes(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        try:
            keep(viewer, found, form.cleaned_data, now["before"])
        except MledError as error:
            form = Notes(form.cleaned_data | {"before": now["before"]})
            fill_in_error(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("experiments:run", run=found.uid.hex)
    context |= {"form": form, "current": now}
    return render(request, "experiments/run_edit.html", context)


def state_of(name: str, note: str) -> str:
    """A digest that tells whether name or description changed meanwhile."""
    return sha256_hex(f"{name}\0{note}".encode())


def keep(viewer: Actor, run: Run, written: dict[str, str], before: str) -> None:
    """Store what changed. Raises Conflict where somebody else changed it since the form was opened."""
    if written["before"] != before:
        raise Conflict(
            "Somebody changed this while you wrote; below the form stands what it says now.",
            hint="Take over what you want to keep of it, then save again.",
        )
    set_tags(viewer, run, tags={NAME_TAG: written["name"], NOTE_TAG: written["description"].replace("\r\n", "\n")})
