"""A sweep on the page of its parent run: how far it is, the best so far, what its parameters do, and Stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import numpy as np
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import can, find_project
from accounts.pages.doors import actor_of, signed_in
from accounts.templatetags.mled import duration
from artifacts.pages.slots import Panel
from experiments.compare.correlation import as_numbers
from experiments.compare.relations import Relation, related
from experiments.models import Run
from experiments.pages.pictures import Boxes, Scatter, boxes, scatter
from kernel.actor import Actor
from kernel.errors import MledError, NotFound
from runner.actions.sweeps import axis_words, stop_sweep
from runner.models import Job, Sweep
from runner.pages.jobs_words import badge_of, told_of
from runner.queries.sweeps import Child, Goal, best_of, children_of, get_sweep, goal_of, progress_of, sweep_of

PICTURES: Final = 3
LAST_SHOWN: Final = 6
COMPARED: Final = 20
COUNTED: Final = (
    (Job.State.FINISHED, "finished", "ok"),
    (Job.State.RUNNING, "running", "run"),
    (Job.State.PREPARING, "preparing", "run"),
    (Job.State.QUEUED, "queued", ""),
    (Job.State.FAILED, "failed", "fail"),
    (Job.State.STOPPED, "stopped", "warn"),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """One parameter against the goal."""

    name: str
    drawn: Scatter | Boxes


def sweep_strip(request: HttpRequest, viewer: Actor, run: Run) -> Panel | None:
    """Below the head of a run: the sweep that it is the parent of."""
    sweep = sweep_of(viewer, run)
    return None if sweep is None else Panel("runner/sweep_state.html", shown_sweep(viewer, sweep))


def conditions_elsewhere(viewer: Actor, run: Run) -> Panel | None:
    """In the place of the conditions of the parent run, which executes nothing: that its runs have them."""
    sweep = sweep_of(viewer, run)
    return None if sweep is None else Panel("runner/sweep_conditions.html", {"runs_url": _runs_url(sweep)})


def shown_sweep(viewer: Actor, sweep: Sweep) -> dict[str, Any]:
    """The context of `runner/sweep_state.html`."""
    goal, progress = goal_of(viewer, sweep), progress_of(viewer, sweep)
    children = children_of(viewer, sweep, goal)
    counts = [(progress.counts[state], word, kind) for state, word, kind in COUNTED if progress.counts.get(state)]
    return {
        "sweep": sweep,
        "project": sweep.project,
        "run": sweep.parent,
        "goal": goal,
        "progress": progress,
        "counts": counts,
        "took": duration(int(progress.seconds * 1000)),
        "budget": duration(sweep.seconds_max * 1000) if sweep.seconds_max else "",
        "axes": [(name, axis_words(axis)) for name, axis in sorted(sweep.space.items())],
        "best": best_of(viewer, sweep),
        "latest": [(one, badge_of(one.job), told_of(one.job)) for one in reversed(children[-LAST_SHOWN:])],
        "pictures": pictures_of(children, goal),
        "is_open": sweep.state == Sweep.State.RUNNING,
        "may_stop": sweep.state == Sweep.State.RUNNING and bool(can(viewer, "runner.stop", sweep)),
        "runs_url": _runs_url(sweep),
        "compare_url": _compare_url(children),
    }


def pictures_of(children: Sequence[Child], goal: Goal | None) -> list[Picture]:
    """What the parameters that changed do to the goal, the strongest first; none for fewer than three values."""
    measured = [one for one in children if one.value is not None]
    if goal is None or not measured:
        return []
    held = {name: [_text(one.point[name]) for one in measured] for name in measured[0].point}
    _, relations = related(held, np.array([one.value for one in measured], dtype=np.float64), len(held))
    drawn = [(one.name, _drawn(one, held[one.name], measured)) for one in relations[:PICTURES]]
    return [Picture(name, picture) for name, picture in drawn if picture is not None]


def _drawn(relation: Relation, texts: Sequence[str | None], measured: Sequence[Child]) -> Scatter | Boxes | None:
    if relation.grouping is not None:
        return boxes(relation.grouping)
    if relation.correlation is None:
        return None
    values = np.array([one.value for one in measured], dtype=np.float64)
    return scatter(as_numbers(texts), values, relation.correlation)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _runs_url(sweep: Sweep) -> str:
    """The runs table with these runs below their parent."""
    line = f"tags.\"mlflow.parentRunId\" = '{sweep.parent.uid.hex}'"
    return f"{reverse('experiments:runs', args=[sweep.project.slug])}?{urlencode({'q': line})}"


def _compare_url(children: Sequence[Child]) -> str:
    """Their parallel coordinates, side by side; '' for fewer than two that finished."""
    over = [one.job.run.readable_id for one in children if one.job.state == Job.State.FINISHED]
    if len(over) < 2:
        return ""
    asked = urlencode({"runs": ",".join(over[-COMPARED:])}, safe=",")
    return f"{reverse('experiments:compare_tab', args=['plots'])}?{asked}"


@require_safe
@signed_in
def state(request: HttpRequest, slug: str, sweep: UUID) -> HttpResponse:
    """How far it is: a page that is open asks again until it is over."""
    viewer, found = _asked(request, slug, sweep)
    response = render(request, "runner/sweep_state.html", shown_sweep(viewer, found))
    response["Cache-Control"] = "private, no-store"
    if found.state != Sweep.State.RUNNING and "HX-Request" in request.headers:
        response["HX-Refresh"] = "true"  # its run is over as well, which the head of the page tells
    return response


@require_POST
@signed_in
def stop(request: HttpRequest, slug: str, sweep: UUID) -> HttpResponseBase:
    """Stop it, and back to its page."""
    viewer, found = _asked(request, slug, sweep)
    try:
        stop_sweep(viewer, found, reason=request.POST.get("reason", "").strip())
        messages.success(request, f"The sweep {found.parent.readable_id} is stopped.")
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
    return redirect("experiments:run", found.parent.uid.hex)


def _asked(request: HttpRequest, slug: str, sweep: UUID) -> tuple[Actor, Sweep]:
    viewer = actor_of(request)
    found = get_sweep(viewer, sweep)
    if found.project_id != find_project(viewer, slug).pk:
        raise NotFound("No such sweep was found.")
    return viewer, found
