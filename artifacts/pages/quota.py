"""What the files of a project take and may take: a page of the project's settings."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.pages.tabs import Tab, settings_tabs
from artifacts.actions.quotas import SET, set_quota
from artifacts.queries.quotas import room_of
from artifacts.quotas import quota_of
from artifacts.sizes import exact_size, read_size, size_words
from kernel.actor import Actor
from kernel.errors import Invalid, MledError

TAB: Final = "storage"


def settings_tab(project: Project) -> Tab:
    """This page among those of the project's settings."""
    return Tab(TAB, "Storage", reverse("artifacts:storage", args=[project.slug]))


class Quota(forms.Form):
    """A size as people write it; empty: no quota."""

    limit_bytes = forms.CharField(
        required=False,
        max_length=40,
        label="Quota",
        help_text="As in 10 GB or 500 MB; empty for none. Files that are there stay, whatever it is.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reason = forms.CharField(required=False, max_length=1000, label="Why", help_text="It is kept with the change.")

    def clean_limit_bytes(self) -> int | None:
        """In bytes."""
        written = self.cleaned_data["limit_bytes"].strip()
        try:
            return read_size(written) if written else None
        except Invalid as error:
            raise forms.ValidationError(str(error)) from error


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """How full it is; an administrator's post sets the quota."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    room, quota = room_of(viewer, project), quota_of(project)
    form = Quota(initial={"limit_bytes": exact_size(quota.limit_bytes) if quota else ""})
    if request.method == "POST":
        require(viewer, SET, project)
        form = Quota(request.POST)
        if done := _saved(viewer, project, form):
            messages.success(request, done)
            return redirect("artifacts:storage", slug=project.slug)
    context = {
        "at": "settings",
        "project": project,
        "room": room,
        "quota": quota,
        "used": size_words(room.used_bytes),
        "limit": size_words(room.limit_bytes or 0),
        "free": size_words((room.limit_bytes or 0) - room.used_bytes),
        "form": form,
        "may_set": bool(can(viewer, SET, project)),
        "tabs": settings_tabs(project),
        "tab": TAB,
    }
    return render(request, "artifacts/quota.html", context)


def _saved(viewer: Actor, project: Project, form: forms.Form) -> str:
    """What was done, in words; empty where the form has errors."""
    if not form.is_valid():
        return ""
    asked: dict[str, Any] = form.cleaned_data
    try:
        kept = set_quota(viewer, project, **asked)
    except MledError as error:
        fill_in_error(form, error)
        return ""
    return f"The files of the project may take {size_words(kept.limit_bytes)}." if kept else "The project has no quota."
