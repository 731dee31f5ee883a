"""Asking for a report: what it is, of what, as of when. The address fills the form in; nothing of it gets lost."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.access import can, find_project
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.roles import Reach
from audit.compliance.actions.reports import request_report
from audit.compliance.models import Report
from audit.compliance.pages.log import Pick, picks_of
from audit.compliance.pages.report_preview import preview_of
from audit.compliance.pages.report_words import FORMATS, KINDS, LOG, default_title, scope_for
from audit.compliance.queries.as_of import moment_of
from audit.compliance.queries.log import READS, choices_in
from audit.compliance.queries.log_question import FIELDS as LOG_FIELDS
from audit.compliance.queries.report_scope import versions_to_offer
from audit.compliance.queries.report_standing import required_reach, version_words
from audit.compliance.queries.reports import may_have
from experiments.queries.overview import experiments_of
from experiments.queries.runs import get_run
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Invalid, MledError
from registry.queries.registered_models import find_model, get_version

Kind, Scope = Report.Kind, Report.Scope
TEXT_MAX = 4000
QUERY_MAX = 65_536
LIFECYCLES = [("active", "Active runs"), ("deleted", "Deleted runs"), ("all", "Active and deleted runs")]
# What an action calls a field, and what the form does.
FIELD_OF = {"query": "q", "question": "q", "subject": "run", "experiments": "experiment", "as_of": "at", "filter": "q"}


class ReportForm(forms.Form):
    """What is asked for. The fields of the log's filter come beside it, as log_<name>."""

    kind = forms.ChoiceField(choices=Kind.choices, label="What", widget=forms.RadioSelect)
    scope = forms.ChoiceField(choices=Scope.choices, label="Of what", widget=forms.RadioSelect, required=False)
    q = forms.CharField(
        required=False,
        max_length=QUERY_MAX,
        label="Which runs",
        help_text="A query, as above the run table. Empty: all runs.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    experiment = forms.TypedMultipleChoiceField(
        required=False, coerce=int, label="Only of these experiments", widget=forms.CheckboxSelectMultiple
    )
    lifecycle = forms.ChoiceField(required=False, choices=LIFECYCLES, label="Active or deleted")
    run = forms.CharField(required=False, max_length=64, label="Run")
    version = forms.CharField(
        required=False,
        max_length=300,
        label="Model version",
        help_text="Name and version, such as sepsis-risk v3.",
        widget=forms.TextInput(attrs={"list": "versions", "autocomplete": "off", "spellcheck": "false"}),
    )
    moment = forms.ChoiceField(
        required=False, choices=[("now", "Now"), ("then", "A moment")], label="As of", widget=forms.RadioSelect
    )
    at = forms.CharField(
        required=False,
        max_length=40,
        label="Day and time, UTC",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}),
    )
    title = forms.CharField(required=False, max_length=200, label="Title")
    reason = forms.CharField(
        required=False,
        max_length=TEXT_MAX,
        label="Reason",
        help_text="Why it is asked for. It stands on the report and in the log.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    formats = forms.MultipleChoiceField(
        choices=list(FORMATS.items()), label="Files", widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, viewer: Actor, project: Project, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer, self.project = viewer, project
        rows = experiments_of(viewer, project, lifecycle=None)
        self.fields["experiment"].choices = [(one.pk, one.name) for one in rows]  # type: ignore[attr-defined]
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (kind, Kind(kind).label) for kind in KINDS if may_have(viewer, project, kind)
        ]
        self.fields["run"].help_text = f"Its id, such as {project.key}-12."

    def clean_scope(self) -> str:
        """The scope; of a kind that has only one, that one."""
        return scope_for(str(self.cleaned_data.get("kind", "")), str(self.cleaned_data["scope"]))

    def clean_at(self) -> dt.datetime | None:
        """The moment, None for now."""
        if self.data.get("moment") != "then":
            return None
        text = str(self.cleaned_data["at"]).strip()
        try:
            return moment_of(text, "at") if text else self._refuse("Say which day and time, in UTC.")
        except Invalid as error:
            return self._refuse(f"{error.message} {error.hint}")

    def clean(self) -> dict[str, Any]:
        """With the subject: the run or the version that is named, as the action wants it."""
        given = super().clean() or self.cleaned_data
        try:
            given["subject"], given["about"] = subject_of(self.viewer, self.project, given)
        except MledError as error:
            if error.field not in self.fields:
                error.field = str(given["scope"])
            self.add_error(error.field, f"{error.message} {error.hint}".strip())
        return given

    @staticmethod
    def _refuse(words: str) -> None:
        raise forms.ValidationError(words)


def subject_of(viewer: Actor, project: Project, given: Mapping[str, Any]) -> tuple[str, str]:
    """The id of the run or version that a report is about, and what it is called; two empty texts for more.

    Raises Invalid, NotFound with the field.
    """
    scope = given.get("scope", "")
    if scope not in (Scope.RUN, Scope.VERSION):
        return "", ""
    text = str(given.get(scope, "")).strip()
    if not text:
        what = "run" if scope == Scope.RUN else "model version"
        raise Invalid(f"Say which {what}.", field=scope)
    try:
        if scope == Scope.RUN:
            run = get_run(viewer, text, project=project)
            return run.uid.hex, run.readable_id
        name, number = name_and_number(text)
        version = get_version(viewer, find_model(viewer, project, name), number)
        return str(version.pk), f"{name} v{version.number}"
    except MledError as error:
        error.field = scope
        raise


def name_and_number(text: str) -> tuple[str, str]:
    """A model's name and version from 'sepsis-risk v3' or 'sepsis-risk/3'. Raises Invalid."""
    name, slash, number = text.strip().rpartition("/")
    if not slash:
        name, _, number = text.strip().rpartition(" ")
    number = number.strip().removeprefix("v")
    if not name.strip() or not (number.isascii() and number.isdigit()):
        raise Invalid(f"'{text[:80]}' names no version.", hint="Write it as sepsis-risk v3.", field="version")
    return name.strip(), number


# --- What the form shows beside its fields


@dataclass(frozen=True, slots=True)
class KindChoice:
    """A kind to choose, with a line of what is in it."""

    key: str
    label: str
    contains: str


def kinds_for(form: ReportForm) -> list[KindChoice]:
    """The kinds that the form offers."""
    choices: Sequence[tuple[str, str]] = form.fields["kind"].choices  # type: ignore[attr-defined]
    return [KindChoice(key, str(label), KINDS[key].contains) for key, label in choices]


def picks_for(viewer: Actor, project: Project, given: Mapping[str, str]) -> list[Pick]:
    """The fields of the log's filter with what was chosen; none for who may not read the log."""
    if not can(viewer, READS, project):
        return []
    return picks_of(choices_in(viewer, project), {name: given.get(f"{LOG}{name}", "") for name in LOG_FIELDS})


# --- The page


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The form, filled in by the address; a post asks for the report, or with `check` only says what it would be."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    reach = required_reach(viewer, project)
    given = request.POST if request.method == "POST" else request.GET
    if request.method != "POST":
        return _page(request, project, ReportForm(viewer, project, initial=initial_of(viewer, project, given)), reach)
    form = ReportForm(viewer, project, given)
    if form.is_valid() and "check" not in given:
        try:
            made = request_report(viewer, project, **asked_for(form.cleaned_data, given))
        except MledError as error:
            error.field = field_of(error.field)
            if error.field not in form.fields and error.field and error.field.startswith(LOG):
                form.add_error(None, f"{error.message} {error.hint}".strip())
            else:
                fill_in_error(form, error)
        else:
            return redirect(f"{reverse('compliance:reports', args=[project.slug])}?asked={made.pk}")
    return _page(request, project, form, reach)


def _page(request: HttpRequest, project: Project, form: ReportForm, reach: Reach) -> HttpResponse:
    viewer = actor_of(request)
    given = request.POST if form.is_bound else filled(form)
    context = {
        "at": "reports",
        "project": project,
        "form": form,
        "kinds": kinds_for(form),
        "chosen_kind": given.get("kind", ""),
        "log_picks": picks_for(viewer, project, request.POST if form.is_bound else request.GET),
        "versions": versions_to_offer(viewer, project),
        "facts": preview_of(viewer, project, given),
        "own_only": reach is Reach.OWN,
    }
    return render(request, "compliance/report_form.html", context)


def initial_of(viewer: Actor, project: Project, given: QueryDict) -> dict[str, Any]:
    """What an address fills in; what it does not say is as most want it."""
    plain = {name: str(given[name]) for name in ReportForm.base_fields if given.get(name)}
    many = {"experiment": given.getlist("experiment"), "formats": given.getlist("formats") or list(FORMATS)}
    plain.setdefault("kind", Kind.COMPLIANCE)
    plain["scope"] = scope_for(plain["kind"], plain.get("scope", ""))
    plain.setdefault("moment", "then" if plain.get("at") else "now")
    plain.setdefault("lifecycle", "active")
    if plain.get("version", "").isdigit():
        plain["version"] = version_words(viewer, project, plain["version"])
    return {**plain, **many}


def filled(form: ReportForm) -> QueryDict:
    """What a form that was not sent yet has in its fields, as it would be sent."""
    given = QueryDict(mutable=True)
    for name, value in form.initial.items():
        given.setlist(name, [str(one) for one in value] if isinstance(value, list) else [str(value)])
    return given


def field_of(name: str | None) -> str:
    """The form's field that an action's error speaks of."""
    return FIELD_OF.get(name or "", name or "")


def asked_for(cleaned: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """A valid form as the action takes it."""
    kind, scope = cleaned["kind"], cleaned["scope"]
    question: dict[str, Any] | None = None
    if kind == Kind.TRAIL and scope == Scope.PROJECT:
        question = {name: text for name in LOG_FIELDS if (text := given.get(f"{LOG}{name}", "").strip())}
    elif scope == Scope.RUNS:
        lifecycle = cleaned["lifecycle"] or "active"
        question = {"query": cleaned["q"], "experiments": cleaned["experiment"], "lifecycle": lifecycle}
    return {
        "kind": kind,
        "scope": scope,
        "title": cleaned["title"] or default_title(kind, cleaned["about"], now()),
        "reason": cleaned["reason"].replace("\r\n", "\n"),
        "subject": cleaned["subject"],
        "question": question,
        "as_of": cleaned["at"],
        "formats": cleaned["formats"],
    }
