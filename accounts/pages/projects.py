"""All projects that one may see, and a form for one more."""

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import can
from accounts.actions.projects import create_project
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.queries.projects import my_projects
from kernel.actor import Actor
from kernel.errors import MledError


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """A project and the viewer's roles in it, in words."""

    project: Project
    roles: str


def projects_with_roles(viewer: Actor) -> list[ProjectLine]:
    """The viewer's projects as pages list them."""
    return [ProjectLine(one.project, ", ".join(role.label for role in one.roles)) for one in my_projects(viewer)]


class NewProject(forms.Form):
    """What a project needs to begin."""

    name = forms.CharField(max_length=120)
    slug = forms.CharField(max_length=50, label="Short name", help_text="In addresses: <code>icu-vitals</code>")
    key = forms.CharField(max_length=10, required=False, help_text="In run IDs: <code>ICU</code> makes ICU-123")
    purpose = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def projects(request: HttpRequest) -> HttpResponse:
    """The list; a post makes a project."""
    viewer = actor_of(request)
    form = NewProject(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_project(viewer, **form.cleaned_data)
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, f"Project {made.name} is there. You are its manager.")
            return redirect("accounts:members", slug=made.slug)
    context = {
        "at": "projects",
        "projects": projects_with_roles(viewer),
        "may_create": bool(can(viewer, "projects.create")),
        "form": form,
    }
    return render(request, "accounts/projects.html", context)
