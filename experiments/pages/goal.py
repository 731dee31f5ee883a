"""A project's goal: a panel of its first page, and the form where a manager says it."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from experiments.actions.goals import SET, clear_goal, set_goal, state_of
from experiments.pages.projects.goal_picture import picture_of
from experiments.queries.goals import TREND_DAYS, Goal, GoalState, goal_of, progress_of
from experiments.queries.overview import metrics_of, newest_runs
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, MledError

WAYS = (("higher", "Higher is better"), ("lower", "Lower is better"))
# Kind, icon and word of a badge.
STATES = {
    GoalState.REACHED: ("ok", "ok", "Reached"),
    GoalState.ON_THE_WAY: ("run", "running", "On the way"),
    GoalState.LATE: ("fail", "clock", "Late"),
}
RUNS_LOOKED_AT = 50


class GoalForm(forms.Form):
    """Metric, direction, target and day; `before` is the state of the goal when the form was opened."""

    metric = forms.CharField(
        max_length=250,
        widget=forms.TextInput(attrs={"list": "metrics", "autocomplete": "off"}),
        help_text="Its name as runs log it, such as <code>val/auroc</code>.",
    )
    better = forms.ChoiceField(
        label="Which way is better", choices=WAYS, help_text="It holds for this metric in all of the project."
    )
    target = forms.FloatField(help_text="The value that the best run shall reach.")
    by_date = forms.DateField(
        label="By",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="The last day that is in time, in UTC. Empty: no day.",
    )
    reason = forms.CharField(required=False, max_length=1000, label="Why", help_text="Kept in the project's log.")
    before = forms.CharField(widget=forms.HiddenInput, max_length=64)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; a post keeps the goal, or clears it where it says `clear`."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, SET, project)
    goal = goal_of(viewer, project)
    form, is_changed = GoalForm(initial=_initial(project, goal)), False
    if request.method == "POST":
        form = GoalForm(request.POST)
        clears = "clear" in request.POST
        if clears or form.is_valid():
            try:
                words = _clear(viewer, project, request) if clears else _set(viewer, project, form.cleaned_data)
            except Conflict as error:
                is_changed = True
                shown = _initial(project, goal) if clears else request.POST.dict()
                form = GoalForm({**shown, "before": state_of(project)})
                fill_in_error(form, error)
            except MledError as error:
                fill_in_error(form, error)
            else:
                messages.success(request, words)
                return redirect("experiments:project", slug=project.slug)
    context = {
        "at": "overview",
        "project": project,
        "goal": goal,
        "form": form,
        "is_changed": is_changed,
        "state": state_of(project),
        "metrics": _names(viewer, project),
    }
    return render(request, "experiments/goal.html", context)


def _names(viewer: Actor, project: Project) -> list[str]:
    """What the newest runs measured, for the field to offer."""
    return sorted({one.key for one in metrics_of(viewer, newest_runs(viewer, project=project, limit=RUNS_LOOKED_AT))})


def _initial(project: Project, goal: Goal | None) -> dict[str, Any]:
    if goal is None:
        return {"before": state_of(project), "better": "higher"}
    better = "lower" if goal.higher_is_better is False else "higher"
    kept = {"metric": goal.metric, "target": goal.target, "by_date": goal.by_date, "better": better}
    return kept | {"before": state_of(project)}


def _set(viewer: Actor, project: Project, asked: dict[str, Any]) -> str:
    kept = set_goal(
        viewer,
        project,
        metric=asked["metric"],
        higher_is_better=asked["better"] == "higher",
        target=asked["target"],
        by_date=asked["by_date"],
        expected=asked["before"],
        reason=asked["reason"].strip(),
    )
    return f"The goal of {kept.name} is saved."


def _clear(viewer: Actor, project: Project, request: HttpRequest) -> str:
    expected, reason = request.POST.get("before", ""), request.POST.get("reason", "").strip()
    return f"{clear_goal(viewer, project, expected=expected, reason=reason[:1000]).name} has no goal now."


def goal_context(viewer: Actor, project: Project) -> dict[str, Any]:
    """What the panel of a project's first page shows to who reads its experiments."""
    goal, may_set = goal_of(viewer, project), bool(can(viewer, SET, project))
    if goal is None:
        return {"goal": None, "may_set_goal": may_set}
    progress = progress_of(viewer, project, goal)
    return {
        "goal": goal,
        "may_set_goal": may_set,
        "progress": progress,
        "goal_badge": STATES[progress.state],
        "goal_days": _days_left(goal.by_date),
        "trend_days": TREND_DAYS,
        "picture": picture_of(goal, progress),
    }


def _days_left(by_date: dt.date | None) -> str:
    if by_date is None:
        return ""
    days = (by_date - now().date()).days
    if days == 0:
        return "today"
    count = f"{abs(days):,} day{'' if abs(days) == 1 else 's'}"
    return f"{count} left" if days > 0 else f"{count} ago"
