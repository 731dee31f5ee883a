"""Which rules a project follows: profile, retention, and what it asks besides."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, sees_experiments, signed_in
from audit.compliance.actions.profiles import change_copy, choose_profile, choose_retention
from audit.compliance.models import ProfileCopy
from audit.compliance.profile import profile_of, profiles
from audit.compliance.queries.assessments import copy_of
from audit.compliance.queries.holds import holds_in
from audit.compliance.retention import CLASSES
from audit.compliance.rules.engine import GROUPS, RULES
from audit.compliance.tolerances import read
from experiments.compare.tolerance import Tolerance
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound

LISTS = ("required_params", "required_tags", "required_metrics")


class Following(forms.Form):
    """The profile that a project follows."""

    profile = forms.ChoiceField(choices=lambda: [(one.name, one.title) for one in profiles().values()])
    reason = forms.CharField(
        required=False, max_length=1000, help_text="Needed where the new profile asks fewer rules; it is kept."
    )


class Keeping(forms.Form):
    """How long records are kept."""

    retention_class = forms.ChoiceField(
        label="Keep records for",
        choices=lambda: [("", "Not set"), *((one.name, one.title) for one in CLASSES.values())],
        help_text="At least so long. It can be made longer later, never shorter.",
    )


class Asking(forms.Form):
    """What every run has to have besides."""

    required_params = forms.CharField(required=False, label="Parameters", widget=forms.Textarea(attrs={"rows": 3}))
    required_tags = forms.CharField(required=False, label="Tags", widget=forms.Textarea(attrs={"rows": 3}))
    required_metrics = forms.CharField(required=False, label="Metrics", widget=forms.Textarea(attrs={"rows": 3}))
    tolerances = forms.CharField(
        required=False,
        label="Tolerances of reproductions",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line: val/auroc = 0.002, or 1 %, or 2 sd of seeds.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The rules of a project; managers change them."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    if not sees_experiments(viewer, project):
        require(viewer, "experiments.see", project)
    copy = copy_of(viewer, project)
    forms_ = {
        "following": Following(initial={"profile": profile_of(project.profile).name}, prefix="following"),
        "keeping": Keeping(initial={"retention_class": project.retention_class}, prefix="keeping"),
        "asking": Asking(initial=shown(copy), prefix="asking"),
    }
    if request.method == "POST":
        part = request.POST.get("part", "")
        if part not in forms_:
            raise NotFound(f"Rules have no part '{part[:40]}'.")
        form = forms_[part] = type(forms_[part])(request.POST, prefix=part)
        if form.is_valid() and keep(viewer, project, part, form):
            messages.success(request, "Saved. Runs are looked at again.")
            return redirect("compliance:project_rules", slug=project.slug)
    profile = profile_of(project.profile)
    context = {
        "at": "rules",
        "project": project,
        "profile": profile,
        "groups": grouped(profile.rules),
        "copy": copy,
        "forms": forms_,
        "may_edit": bool(can(viewer, "compliance.set_profile", project)),
        "retention": CLASSES.get(project.retention_class),
        "holds": [one for one in holds_in(viewer, project) if one.lifted_at is None],
    }
    return render(request, "compliance/project_rules.html", context)


def keep(viewer: Actor, project: Project, part: str, form: forms.Form) -> bool:
    """Do what one of the forms asks; its error stands in it where it cannot be done."""
    asked = form.cleaned_data
    try:
        if part == "following":
            choose_profile(viewer, project, profile=asked["profile"], reason=asked["reason"])
        elif part == "keeping":
            choose_retention(viewer, project, retention_class=asked["retention_class"])
        else:
            names = {field: lines_in(asked[field]) for field in LISTS}
            tolerances = tolerances_in(asked["tolerances"])
            change_copy(viewer, project, version=asked["version"], tolerances=tolerances, **names)
    except MledError as error:
        fill_in_error(form, error)
        return False
    return True


def shown(copy: ProfileCopy | None) -> dict[str, Any]:
    """What the project asks, as the form shows it."""
    if copy is None:
        return {"version": 0}
    lists = {name: "\n".join(getattr(copy, name)) for name in LISTS}
    limits = "\n".join(f"{name} = {far.text}" for name, far in read(copy.tolerances).items())
    return {**lists, "tolerances": limits, "version": copy.version}


def lines_in(text: str) -> list[str]:
    """The lines of a text that say something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def tolerances_in(text: str) -> dict[str, Any]:
    """'val/auroc = 0.002', one a line. Raises Invalid for a line that is none."""
    found = {}
    for line in lines_in(text):
        name, equals, value = line.rpartition("=")
        try:
            found[name.strip()] = Tolerance.written(value).as_json
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise Invalid(
                f"'{line[:80]}' is no tolerance.",
                hint="Write val/auroc = 0.002, or val/auroc = 1 %, or val/auroc = 2 sd of seeds.",
                field="tolerances",
            )
    return found


def grouped(asked: dict[str, Any]) -> list[tuple[str, list[tuple[Any, Any]]]]:
    """(group, (rule, severity)) in the order of the profile."""
    groups: dict[str, list[tuple[Any, Any]]] = {}
    for key, severity in asked.items():
        groups.setdefault(GROUPS[RULES[key].group], []).append((RULES[key], severity))
    return list(groups.items())
