"""What a project decided: a panel of its first page, the list, each with the runs that it cites, and the form."""

import html
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import can, find_project, require
from accounts.markdown import as_html
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from experiments.actions.decisions import (
    DECIDE,
    REASON_MAX,
    RUNS_MAX,
    TITLE_MAX,
    WHY_MAX,
    record_decision,
    take_back_decision,
)
from experiments.models import Decision, Run
from experiments.queries.decisions import (
    decisions_citing,
    decisions_of,
    decisions_that_hold,
    get_decision,
    runs_cited,
    runs_named,
    standing_of,
)
from experiments.refs import number_in
from kernel.actor import Actor
from kernel.errors import AlreadyExists, Conflict, MledError

PAGE = 25
ON_OVERVIEW = 4
CITED_SHOWN = 6
ON_RUN = 5
LOOKED_AT = 1000  # characters of a reason whose beginning is shown
REPLACEABLE_MAX = 200
SEE = "experiments.see"
SENT_BEFORE = "This form was sent before with other words, and that decision stands. Record this one, too?"


@dataclass(frozen=True, slots=True)
class Shown:
    """A decision as a page shows it. badge: kind, icon and word, None while it holds."""

    decision: Decision
    url: str
    cited: Sequence[Run]
    badge: tuple[str, str, str] | None
    later: Decision | None

    @property
    def why(self) -> SafeString:
        """All of it, drawn."""
        return as_html(self.decision.why)

    @property
    def words(self) -> str:
        """How it begins, in a line without Markdown."""
        return " ".join(html.unescape(strip_tags(as_html(self.decision.why[:LOOKED_AT]))).split())

    @property
    def first_cited(self) -> Sequence[Run]:
        return self.cited[:CITED_SHOWN]

    @property
    def more_cited(self) -> int:
        return max(0, len(self.cited) - CITED_SHOWN)


class DecisionForm(forms.Form):
    """What, why, by which runs, in place of which; `key` lets a form that is sent twice make one."""

    title = forms.CharField(
        label="Decision",
        max_length=TITLE_MAX,
        help_text="In one line, such as <em>Stop the LightGBM line</em>.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    why = forms.CharField(
        required=False,
        max_length=WHY_MAX,
        widget=forms.Textarea(attrs={"rows": 6, "data-markdown": ""}),
        help_text="What spoke for it and against it. Markdown.",
    )
    runs = forms.CharField(
        label="Runs cited",
        required=False,
        max_length=5000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "mono"}),
    )
    replaces = forms.TypedChoiceField(
        label="Replaces", required=False, coerce=int, empty_value=None, help_text="An earlier decision that it changes."
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, viewer: Actor, project: Project, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["runs"].help_text = (
            f"Their ids with commas between them, such as <code>{project.key}-12, {project.key}-15</code>; "
            f"at most {RUNS_MAX}. Ticked runs of the run table come here with <em>Decide</em>."
        )
        # The one that is asked for is judged by the action, which knows a form that was sent before.
        asked = number_in(str(self["replaces"].value() or ""))
        standing = decisions_that_hold(viewer, project, limit=REPLACEABLE_MAX, also=asked)
        self.fields["replaces"].choices = [  # type: ignore[attr-defined]  # of this kind of field
            ("", "none"),
            *((number, f"{number}: {title[:80]}") for number, title in sorted(standing.items(), reverse=True)),
        ]


class TakeBack(forms.Form):
    """Why a decision holds no longer."""

    reason = forms.CharField(
        label="Why it holds no longer", max_length=REASON_MAX, widget=forms.Textarea(attrs={"rows": 2})
    )


@require_safe
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """All decisions of a project, the newest first."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, SEE, project)
    listed = Paginator(decisions_of(viewer, project), PAGE).get_page(request.GET.get("page"))
    context = {
        "at": "overview",
        "project": project,
        "page": listed,
        "decisions": [shown(one) for one in listed],
        "may_decide": bool(can(viewer, DECIDE, project)),
    }
    return render(request, "experiments/decisions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; `?runs=` and `?replaces=` fill it in."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, DECIDE, project)
    if request.method == "POST":
        form = DecisionForm(viewer, project, request.POST)
        if form.is_valid():
            try:
                made = _recorded(viewer, project, form.cleaned_data)
            except AlreadyExists:
                form = DecisionForm(viewer, project, {**request.POST.dict(), "key": str(uuid.uuid4())})
                form.add_error(None, SENT_BEFORE)
            except MledError as error:
                fill_in_error(form, error)
            else:
                messages.success(request, f"Decision {made.number} is recorded.")
                return redirect(url_of(project, made))
    else:
        given = {name: request.GET.get(name, "") for name in ("runs", "replaces")}
        form = DecisionForm(viewer, project, initial=given | {"key": uuid.uuid4()})
    return render(request, "experiments/decision_new.html", {"at": "overview", "project": project, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def one(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One decision; a post takes it back."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    decision = get_decision(viewer, project, number)
    form = TakeBack(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        require(viewer, DECIDE, project)
        if form.is_valid():
            try:
                take_back_decision(viewer, decision, reason=form.cleaned_data["reason"])
            except Conflict as error:
                messages.error(request, str(error))
                return redirect(url_of(project, decision))
            except MledError as error:
                fill_in_error(form, error)
            else:
                messages.success(request, f"Decision {decision.number} is taken back.")
                return redirect(url_of(project, decision))
    context = {
        "at": "overview",
        "project": project,
        "one": shown(decision),
        "form": form,
        "may_decide": bool(can(viewer, DECIDE, project)) and standing_of(decision).holds,
    }
    return render(request, "experiments/decision.html", context)


def url_of(project: Project, decision: Decision) -> str:
    """The page of a decision."""
    return reverse("experiments:decision", args=[project.slug, decision.number])


def badge_of(decision: Decision) -> tuple[str, str, str] | None:
    """Kind, icon and word of what became of it; None while it holds."""
    standing = standing_of(decision)
    if standing.later is not None:
        return ("", "refresh", "Replaced")
    return None if standing.holds else ("warn", "undo", "Taken back")


def shown(decision: Decision) -> Shown:
    """A decision with all that a page says of it."""
    standing, badge = standing_of(decision), badge_of(decision)
    return Shown(decision, url_of(decision.project, decision), runs_cited(decision), badge, standing.later)


def decisions_context(viewer: Actor, project: Project) -> dict[str, Any]:
    """What the panel of a project's first page shows to who reads its experiments."""
    rows = decisions_of(viewer, project)
    return {
        "decisions": [shown(one) for one in rows[:ON_OVERVIEW]],
        "decision_count": rows.count(),
        "may_decide": bool(can(viewer, DECIDE, project)),
    }


def citing_context(viewer: Actor, run: Run) -> dict[str, Any]:
    """What a run's first page says of the decisions that cite it."""
    rows = decisions_citing(viewer, run)
    newest = [(one, url_of(one.project, one), badge_of(one)) for one in rows[: ON_RUN + 1]]
    return {"cited_in": newest[:ON_RUN], "cited_in_more": rows.count() - ON_RUN if len(newest) > ON_RUN else 0}


def _recorded(viewer: Actor, project: Project, asked: dict[str, Any]) -> Decision:
    replaces = asked["replaces"]
    return record_decision(
        viewer,
        project,
        title=asked["title"],
        why=asked["why"],
        runs=runs_named(viewer, project, asked["runs"].replace(",", " ").split(), most=RUNS_MAX, key=asked["key"]),
        replaces=None if replaces is None else get_decision(viewer, project, replaces),
        key=asked["key"],
    )
