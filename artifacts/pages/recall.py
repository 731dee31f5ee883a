"""Recalling a version, and taking that back: what it will flag is told before."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import require
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from artifacts.actions.recall import REASON_MAX, reinstate_version, withdraw_version
from artifacts.models import DatasetVersion
from artifacts.pages.frame import told_names, version_frame, version_url
from kernel.actor import Actor
from kernel.errors import MledError


@dataclass(frozen=True, slots=True)
class Turn:
    """One of the two ways: how its page is called, and what is said when it is done."""

    act: Callable[..., DatasetVersion]
    verb: str
    done: str


RECALL = Turn(withdraw_version, "Recall", "is recalled. New uses are refused, and what was built on it bears the flag.")
REINSTATE = Turn(reinstate_version, "Reinstate", "is reinstated. It may be used again.")


class Why(forms.Form):
    """The reason; it is kept and told."""

    reason = forms.CharField(
        max_length=REASON_MAX, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept in the log and told to owners."
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def recall(request: HttpRequest, slug: str, dataset: UUID, number: int) -> HttpResponse:
    """What a recall means here, and the form for its reason."""
    return _turn(request, slug, dataset, number, RECALL)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def reinstate(request: HttpRequest, slug: str, dataset: UUID, number: int) -> HttpResponse:
    """The same for taking it back."""
    return _turn(request, slug, dataset, number, REINSTATE)


def _turn(request: HttpRequest, slug: str, dataset: UUID, number: int, turn: Turn) -> HttpResponse:
    version, context = version_frame(request, slug, dataset, number, "overview")
    viewer: Actor = actor_of(request)
    require(viewer, "datasets.recall", version)
    form = Why(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            turn.act(viewer, version, reason=form.cleaned_data["reason"])
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, f"{version} {turn.done}")
            return redirect(version_url(version))
    return render(
        request, "artifacts/recall.html", context | {"form": form, "turn": turn, "told": told_names(viewer, version)}
    )
