"""The project's models, and registering one: a name alone, or with what a run or logged model kept as its version."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, sees_experiments, signed_in
from experiments.models import Run
from experiments.queries.runs import get_run
from kernel.actor import Actor
from kernel.clock import from_ms, now, now_ms
from kernel.errors import AlreadyExists, Invalid, MledError, NotFound
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import LoggedModel, RegisteredModel
from registry.pages.slots import marks_of
from registry.queries.logged_models import get_logged_model
from registry.queries.model_lines import LISTED, model_lines
from registry.queries.registered_models import find_model


@require_safe
@signed_in
def models(request: HttpRequest, slug: str) -> HttpResponse:
    """The list, those that changed last first."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    if not sees_experiments(viewer, project):
        require(viewer, "experiments.see", project)
    text = request.GET.get("q", "").strip()[:200]
    lines = model_lines(viewer, project, text=text)
    marks = marks_of(viewer, [line.latest for line in lines if line.latest])
    context = {
        "at": "models",
        "project": project,
        "lines": [(line, marks.get(line.latest.pk, []) if line.latest else []) for line in lines],
        "text": text,
        "listed": LISTED,
        "waiting": sum(line.waiting for line in lines),
        "may_register": bool(can(viewer, "registry.register", project)),
        "sees_webhooks": bool(can(viewer, "webhooks.see", project)),
    }
    return render(request, "registry/models.html", context)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a new version is made of. path: of the model's folder in a run's files."""

    run: Run | None = None
    logged_model: LoggedModel | None = None
    path: str = ""

    @property
    def source(self) -> str:
        """Where its files are, in the client's words."""
        if self.logged_model is not None:
            return f"models:/{self.logged_model.model_id}"
        return f"runs:/{self.run.uid.hex}/{self.path}" if self.run is not None else ""

    @property
    def page(self) -> str:
        """Where it can be looked at."""
        if self.logged_model is not None:
            return reverse("registry:logged_model", args=[self.logged_model.project.slug, self.logged_model.model_id])
        return reverse("experiments:run", args=[self.run.uid.hex]) if self.run is not None else ""


class Registration(forms.Form):
    """A name, new or known, and what the version is."""

    name = forms.CharField(max_length=256, help_text="A new name, or one that exists: then it gets its next version.")
    folder = forms.CharField(
        max_length=500,
        label="Folder in the run's files",
        help_text="Where MLmodel lies: <code>model</code>",
    )
    description = forms.CharField(
        required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 4}), help_text="Markdown."
    )
    opened = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, origin: Origin, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs.update({"list": "known-names", "autocomplete": "off"})
        if origin.run is None:
            del self.fields["folder"]
        if not origin.source:
            self.fields["name"].help_text = "Versions come later: from runs and logged models."


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def register(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; a post makes the version, and the name where it is new."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, "registry.register", project)
    origin = _origin(request, viewer, project)
    form = Registration(origin, request.POST or None, initial={"folder": origin.path, "opened": now_ms()})
    if request.method == "POST" and form.is_valid():
        try:
            where = _register(request, viewer, project, origin, form.cleaned_data)
        except MledError as error:
            if error.field == "source":
                error.field = "folder"
            fill_in_error(form, error)
        else:
            return redirect(where)
    context = {
        "at": "models",
        "project": project,
        "origin": origin,
        "form": form,
        "known": [line.model.name for line in model_lines(viewer, project)],
    }
    return render(request, "registry/register.html", context)


def _origin(request: HttpRequest, viewer: Actor, project: Project) -> Origin:
    """What `?run=` and `?path=`, or `?logged=`, name. Raises NotFound, also for what lies in another project."""
    logged, run = request.GET.get("logged", ""), request.GET.get("run", "")
    if logged:
        return Origin(logged_model=get_logged_model(viewer, logged, project=project))
    if not run:
        return Origin()
    found = get_run(viewer, run)
    if found.project_id != project.pk:
        raise NotFound("No such run was found.")
    return Origin(run=found, path=request.GET.get("path", "model").strip("/"))


def _register(request: HttpRequest, viewer: Actor, project: Project, origin: Origin, asked: dict[str, Any]) -> str:
    """Where to go on. A form that is sent twice, as by a double click, makes one: what it made since it was opened."""
    name, description = asked["name"], asked["description"].replace("\r\n", "\n")
    since = _opened_at(asked["opened"])
    if not origin.source:
        made = _new_model(viewer, project, name, description, since)
        messages.success(request, f"{made.name} is registered. It has no version yet.")
        return reverse("registry:model", args=[project.slug, made.name])
    if origin.run is not None:
        path = asked["folder"].strip("/")
        if not path:
            raise Invalid("Say which folder of the run's files holds the model.", field="folder")
        origin = Origin(run=origin.run, path=path)
    model = _named(viewer, project, name)
    version = create_version(
        viewer,
        model,
        source=origin.source,
        run=origin.run,
        logged_model=origin.logged_model,
        description=description,
        unless_since=since,
    )
    messages.success(request, f"{model.name} v{version.number} is registered.")
    return reverse("registry:version", args=[project.slug, model.name, version.number])


def _opened_at(ms: int | None) -> dt.datetime | None:
    """When the form was opened, within the last day; None where it does not say so."""
    said = from_ms(ms) if ms is not None else None
    return max(now() - dt.timedelta(days=1), said) if said is not None and said <= now() else None


def _new_model(
    viewer: Actor, project: Project, name: str, description: str, since: dt.datetime | None
) -> RegisteredModel:
    try:
        return create_registered_model(viewer, project, name=name, description=description)
    except AlreadyExists:
        found = find_model(viewer, project, name)
        if since is None or found.created_by_id != viewer.user_id or found.created_at < since:
            raise
        return found


def _named(viewer: Actor, project: Project, name: str) -> RegisteredModel:
    try:
        return find_model(viewer, project, name)
    except NotFound:
        try:
            return create_registered_model(viewer, project, name=name)
        except AlreadyExists:  # made meanwhile
            return find_model(viewer, project, name)
