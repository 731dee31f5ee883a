"""What a project allows its jobs, and the secrets that they can be given: a page of the project's settings."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.pages.tabs import Tab, settings_tabs
from kernel.actor import Actor
from kernel.errors import Invalid, MledError
from runner.actions.rules import RULES, set_rules
from runner.actions.secrets import KEEP, NAME_MAX, VALUE_MAX, keep_secret, remove_secret
from runner.amounts import MEMORY, SILENCE, TIME, Measure, memory_words, minutes_words, time_words
from runner.models import RunnerRules
from runner.queries.rules import get_rules
from runner.queries.secrets import SEE as SEE_SECRETS
from runner.queries.secrets import secrets_of

SET: Final = "runner.set_rules"
TAB: Final = "jobs"


def settings_tab(project: Project) -> Tab:
    """This page among those of the project's settings."""
    return Tab(TAB, "Jobs", reverse("runner:rules", args=[project.slug]))


class Amount(forms.CharField):
    """An amount with its unit, as people write it; cleaned, it is what is stored."""

    def __init__(self, measure: Measure, **said: Any) -> None:
        self.measure = measure
        super().__init__(max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"}), **said)

    def prepare_value(self, value: Any) -> Any:
        """What stands in the field: a stored amount in words, what was typed as it was typed."""
        return self.measure.written(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int:
        """The stored amount."""
        try:
            return self.measure.read(super().clean(value))
        except Invalid as error:
            raise forms.ValidationError(str(error)) from error


class Rules(forms.Form):
    """The bounds of jobs; errors of the action stand beside their field."""

    allows_network = forms.BooleanField(
        required=False,
        label="Jobs may use the network",
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
        help_text="Each recipe asks for it as well. Without it, a job reaches MLED and nothing else.",
    )
    cpus_max = forms.FloatField(label="Processors of a job, at most")
    memory_mb_max = Amount(MEMORY, label="Memory of a job", help_text="As in 16 GB or 512 MB.")
    disk_mb_max = Amount(MEMORY, label="What a job may write", help_text="As in 20 GB.")
    seconds_max = Amount(TIME, label="Time of a job", help_text="As in 24 hours or 90 minutes.")
    jobs_at_once = forms.IntegerField(label="Jobs at once", help_text="Of this project, over all workers.")
    retries = forms.IntegerField(label="Further tries", help_text="Of a job whose worker was lost.")
    silent_minutes = Amount(
        SILENCE,
        label="Silence of a run",
        help_text="As in 24 hours: after that a running run that logs nothing counts as dead. 0: never.",
    )
    reason = forms.CharField(required=False, max_length=1000, label="Why", help_text="It is kept with the change.")


class NewSecret(forms.Form):
    """A name and a value; the value is shown by no page, also not after an error."""

    name = forms.CharField(
        max_length=NAME_MAX,
        help_text="As of an environment variable: <code>HUB_TOKEN</code>. One that is there gets the new value.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}),
    )
    value = forms.CharField(
        max_length=VALUE_MAX,
        strip=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text="Nobody reads it again. A value of several lines is set over REST.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Rules and secrets as they stand; a post changes the rules, or sets a secret."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    rules, secret = Rules(initial=_initial(viewer, project)), NewSecret()
    if request.method == "POST":
        if "value" in request.POST:
            secret = NewSecret(request.POST)
            done = _saved(secret, lambda asked: _keep(viewer, project, asked), require_first=(viewer, KEEP, project))
        else:
            rules = Rules(request.POST)
            done = _saved(rules, lambda asked: _set(viewer, project, asked), require_first=(viewer, SET, project))
        if done:
            messages.success(request, done)
            return redirect("runner:rules", slug=project.slug)
    sees_secrets = bool(can(viewer, SEE_SECRETS, project))
    held = get_rules(viewer, project)
    context = {
        "at": "settings",
        "project": project,
        "rules": held,
        "said": {
            "memory": memory_words(held.memory_mb_max),
            "disk": memory_words(held.disk_mb_max),
            "time": time_words(held.seconds_max),
            "silence": minutes_words(held.silent_minutes),
        },
        "form": rules,
        "secret_form": secret,
        "secrets": list(secrets_of(viewer, project)) if sees_secrets else None,
        "may_set": bool(can(viewer, SET, project)),
        "may_keep": bool(can(viewer, KEEP, project)),
        "tabs": settings_tabs(project),
        "tab": TAB,
    }
    response = render(request, "runner/rules.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@signed_in
def remove(request: HttpRequest, slug: str, secret: str) -> HttpResponse:
    """Remove a secret."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    remove_secret(viewer, project, name=secret)
    messages.success(request, f"{secret} is removed. Jobs that need it fail when they begin.")
    return redirect("runner:rules", slug=project.slug)


def _initial(viewer: Actor, project: Project) -> dict[str, Any]:
    rules: RunnerRules = get_rules(viewer, project)
    return {name: getattr(rules, name) for name in ("allows_network", *RULES)}


def _saved(form: forms.Form, act: Any, *, require_first: tuple[Actor, str, Project]) -> str:
    """What was done, in words; empty where the form has errors."""
    viewer, permission, project = require_first
    require(viewer, permission, project)
    if not form.is_valid():
        return ""
    try:
        return str(act(form.cleaned_data))
    except MledError as error:
        for problem in getattr(error, "problems", [error]):
            fill_in_error(form, problem)
        return ""


def _set(viewer: Actor, project: Project, asked: dict[str, Any]) -> str:
    set_rules(viewer, project, **asked)
    return "The rules are saved. They hold for what is launched from now on."


def _keep(viewer: Actor, project: Project, asked: dict[str, Any]) -> str:
    kept = keep_secret(viewer, project, name=asked["name"].strip(), value=asked["value"])
    return f"{kept.name} is set. Jobs that name it get it from now on."
