"""A project's settings: what it is called and for, and how its models get promoted."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import can, find_project, require
from accounts.actions.governance import govern_project
from accounts.actions.projects import edit_project
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.pages.tabs import settings_tabs
from kernel.actor import Actor
from kernel.errors import MledError

RULES = (
    ("open", "Open: aliases and stages move freely"),
    ("governed", "Governed: protected names move by promotion, signed by a second person"),
)


class About(forms.Form):
    """What the project is called and for."""

    name = forms.CharField(max_length=120)
    purpose = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What the models are for, and what they are not for. Reports quote it.",
    )
    risk_class = forms.ChoiceField(
        required=False,
        choices=Project.RiskClass.choices,
        help_text="How much depends on the models: the class of the AI Act, or your own. Who chose it is on record.",
    )

    def clean_risk_class(self) -> str | None:
        """None where a form does not send it: then it stays as it is."""
        return self.cleaned_data["risk_class"] if "risk_class" in self.data else None


class Governance(forms.Form):
    """Open or governed, and which names a promotion moves."""

    rules = forms.ChoiceField(
        label="Rules", choices=RULES, widget=forms.RadioSelect(attrs={"class": "form-check-input"})
    )
    protected_names = forms.CharField(
        required=False,
        label="Protected aliases and stages",
        max_length=4000,
        help_text="Separated by commas: <code>champion, production</code>. Upper and lower case are the same.",
    )
    reason = forms.CharField(
        required=False, max_length=1000, label="Why", help_text="Needed where the rules get looser; it is kept."
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """The settings as they stand; a manager's post changes one section of them."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    about, governance = About(initial=_about(project)), Governance(initial=_governance(project))
    if request.method == "POST":
        require(viewer, "projects.edit", project)
        if "rules" in request.POST:
            form: forms.Form = (governance := Governance(request.POST))
            words = _save(_govern, viewer, project, form)
        else:
            form = about = About(request.POST)
            words = _save(_edit, viewer, project, form)
        if words:
            messages.success(request, words)
            return redirect("accounts:settings", slug=project.slug)
    context = {
        "at": "settings",
        "project": project,
        "may_edit": bool(can(viewer, "projects.edit", project)),
        "about": about,
        "governance": governance,
        "tabs": settings_tabs(project),
        "tab": "project",
    }
    return render(request, "accounts/settings.html", context)


def _about(project: Project) -> dict[str, str]:
    return {"name": project.name, "purpose": project.purpose, "risk_class": project.risk_class}


def _governance(project: Project) -> dict[str, str]:
    return {
        "rules": "governed" if project.is_governed else "open",
        "protected_names": ", ".join(project.protected_names),
    }


def _save(change: Any, viewer: Actor, project: Project, form: forms.Form) -> str:
    """What was done, in words; empty where the form has errors."""
    if not form.is_valid():
        return ""
    try:
        return str(change(viewer, project, form.cleaned_data))
    except MledError as error:
        fill_in_error(form, error)
        return ""


def _edit(viewer: Actor, project: Project, asked: dict[str, str]) -> str:
    purpose = asked["purpose"].replace("\r\n", "\n")
    saved = edit_project(viewer, project, name=asked["name"], purpose=purpose, risk_class=asked["risk_class"])
    return f"{saved.name} is saved."


def _govern(viewer: Actor, project: Project, asked: dict[str, str]) -> str:
    names = [name for name in asked["protected_names"].split(",") if name.strip()]
    governed = asked["rules"] == "governed"
    kept = govern_project(viewer, project, is_governed=governed, protected_names=names, reason=asked["reason"].strip())
    if not kept.is_governed:
        return "The project is open: aliases and stages move freely."
    return f"The project is governed: {', '.join(kept.protected_names)} move by promotion only."
