"""How long records stay: legal holds, what runs out when, and purges."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, sees_experiments, signed_in
from artifacts.pages.slots import Panel
from audit.compliance.actions.holds import PERMISSION as HOLDS
from audit.compliance.actions.holds import REASON_MAX, lift_hold, place_hold
from audit.compliance.actions.purges import (
    ASK,
    PURGE,
    RUNS_MAX,
    ask_purge,
    carry_out_purge,
    refuse_purge,
    withdraw_purge,
)
from audit.compliance.models import Purge
from audit.compliance.queries.holds import find_hold, holds_in, holds_over
from audit.compliance.queries.purges import (
    find_purge,
    purges_in,
    purges_to_decide,
    run_out_first,
    tombstone_of,
    tombstones_in,
)
from audit.compliance.retention import CLASSES
from experiments.models import Run
from experiments.queries.runs import get_run
from kernel.actor import Actor
from kernel.errors import MledError, NotFound

KEEPS_SHOWN, PURGES_SHOWN, TOMBSTONES_SHOWN = 50, 50, 50
DECISIONS: dict[str, tuple[Callable[..., Any], str]] = {
    "carry-out": (carry_out_purge, "Purged. A tombstone stays of each run."),
    "refuse": (refuse_purge, "Refused. The runs stay."),
    "withdraw": (withdraw_purge, "Taken back. The runs stay."),
}


class Placing(forms.Form):
    """What the hold is for, and over which run."""

    run = forms.CharField(
        required=False, max_length=40, label="Run", help_text="Its id, such as VIS-12. Leave it empty for all of it."
    )
    reason = forms.CharField(
        label="Which matter it is for",
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say which matter it is for: a hold without one tells nobody when it may end."},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Holds and purges of a project; managers and auditors place holds. `?run=` fills in a run."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require_reader(viewer, project)
    form = Placing(request.POST or None, initial={"run": request.GET.get("run", "")[:40]})
    if request.method == "POST" and form.is_valid():
        try:
            hold = _place(viewer, project, form.cleaned_data)
        except NotFound as error:
            form.add_error("run", str(error))
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, f"The hold over {hold.run or project} stands until it is lifted.")
            return redirect("compliance:keeping", slug=project.slug)
    return render(request, "compliance/keeping.html", context_of(viewer, project, form))


def context_of(viewer: Actor, project: Project, form: Placing) -> dict[str, Any]:
    """What the page shows."""
    holds = list(holds_in(viewer, project))
    reads, carries_out = sees_experiments(viewer, project), bool(can(viewer, PURGE, project))
    purges = list(purges_in(viewer, project)[:PURGES_SHOWN]) if reads else []
    if carries_out and not reads:
        purges = list(purges_to_decide(viewer, project)[:PURGES_SHOWN])
    keeps, may_ask = run_out_first(viewer, project, limit=KEEPS_SHOWN) if reads else [], bool(can(viewer, ASK, project))
    return {
        "at": "keeping",
        "project": project,
        "form": form,
        "reads": reads,
        "standing": [one for one in holds if one.lifted_at is None],
        "lifted": [one for one in holds if one.lifted_at is not None],
        "may_hold": bool(can(viewer, HOLDS, project)),
        "retention": CLASSES.get(project.retention_class),
        "keeps": keeps,
        "may_ask": may_ask,
        "askable": may_ask and any(not keep.obstacle for keep in keeps),
        "purges": [(one, one.state == Purge.State.ASKED) for one in purges],
        "carries_out": carries_out,
        "tombstones": list(tombstones_in(viewer, project)[:TOMBSTONES_SHOWN]) if reads else [],
    }


def require_reader(viewer: Actor, project: Project) -> None:
    """Raise Refused for whoever neither sees runs of the project nor purges them."""
    if not sees_experiments(viewer, project) and not can(viewer, PURGE, project):
        require(viewer, "experiments.see", project)


def _place(viewer: Actor, project: Project, asked: dict[str, Any]) -> Any:
    name = asked["run"].strip()
    run = get_run(viewer, name, project=project) if name else None
    return place_hold(viewer, project, reason=asked["reason"], run=run)


@require_POST
@signed_in
def lift(request: HttpRequest, slug: str, hold: UUID) -> HttpResponse:
    """End a hold."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    found = find_hold(viewer, hold)
    if found.project_id != project.pk:
        raise NotFound("No such hold was found.")

    def do() -> str:
        lift_hold(viewer, found, reason=request.POST.get("reason", ""))
        return "The hold was lifted."

    return _told(request, project, do)


@require_POST
@signed_in
def ask(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask that chosen runs are purged."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, "experiments.see", project)
    uids = request.POST.getlist("run")[: RUNS_MAX + 1]

    def do() -> str:
        runs = [get_run(viewer, uid[:40], project=project) for uid in dict.fromkeys(uids)]
        made = ask_purge(viewer, project, runs=runs, reason=request.POST.get("reason", ""))
        return f"Asked. An administrator decides about {len(made.runs)} run{'' if len(made.runs) == 1 else 's'}."

    return _told(request, project, do)


@require_POST
@signed_in
def decide(request: HttpRequest, slug: str, purge: UUID, verb: str) -> HttpResponse:
    """Carry a purge out, refuse it or take it back."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    found = find_purge(viewer, purge)
    if found.project_id != project.pk or verb not in DECISIONS:
        raise NotFound("No such purge was found.")
    act, words = DECISIONS[verb]

    def do() -> str:
        act(viewer, found, reason=request.POST.get("reason", ""))
        return words

    return _told(request, project, do)


def _told(request: HttpRequest, project: Project, do: Callable[[], str]) -> HttpResponse:
    """Do it, and say on the page what came of it."""
    try:
        messages.success(request, do())
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
    return redirect("compliance:keeping", slug=project.slug)


def tombstone(request: HttpRequest, run: Run) -> HttpResponse:
    """The page of a purged run: that it was there, who removed it, when, why, and how much went."""
    stone = tombstone_of(actor_of(request), run)
    if stone is None:
        raise NotFound("No such run was found.")
    context = {"at": "keeping", "project": run.project, "run": run, "stone": stone, "purge": stone.purge}
    return render(request, "compliance/tombstone.html", context, status=410)


def hold_badge(viewer: Actor, run: Run) -> Panel | None:
    """Beside the status of a run: that it is under a legal hold."""
    holds = holds_over(viewer, run)
    return Panel("compliance/hold_badge.html", {"hold": holds[0], "project": run.project}) if holds else None
