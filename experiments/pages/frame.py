"""What every page of a run shows around its tab: name, ids, state, author, tabs, and what the viewer may do to it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from accounts.access import Allowed, can
from accounts.pages.doors import actor_of
from accounts.pages.tabs import Tab
from artifacts.versions import page_of, when_withdrawn
from experiments.models import Experiment, Run
from experiments.pages.bulk import undo_of
from experiments.pages.slots import head_badges_of, head_buttons_of, head_origin_of, head_strips_of, run_tabs
from experiments.pages.steps import came_from, steps_of, with_pairs
from experiments.queries.overview import experiments_of
from experiments.queries.recalls import recalled_inputs
from experiments.queries.record import Counts, counts_of, place_in
from experiments.queries.runs import get_run, parent_of, tag_of
from experiments.queries.stars import starred_among
from experiments.recording.wanted import EMAIL
from experiments.values import BY_HAND, RunStatus
from kernel.actor import Actor
from kernel.clock import now, now_ms

PLACES_MAX = 500
SILENT = dt.timedelta(minutes=15)
TABS = {
    "overview": "Overview",
    "curves": "Curves",
    "system": "System",
    "params": "Params",
    "console": "Console",
    "artifacts": "Artifacts",
    "code": "Code & environment",
    "data": "Data & lineage",
    "notes": "Notes & comments",
    "history": "History",
}


@dataclass(frozen=True, slots=True)
class Recalled:
    """A dataset version that was recalled: its name, its page, and why."""

    name: str
    url: str
    words: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When a run that goes on was last written to. is_silent: that was long ago."""

    at: dt.datetime | None
    is_silent: bool


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that this viewer may do to the run."""

    verb: str
    label: str
    icon: str
    means: str
    destroys: bool
    needs_reason: bool


def run_frame(request: HttpRequest, ref: str, tab: str) -> tuple[Run, dict[str, Any]]:
    """The run that `ref` names for this viewer, and the context of the frame. Raises NotFound."""
    viewer = actor_of(request)
    run = get_run(viewer, ref)
    counts, kept = counts_of(viewer, run), came_from(request)
    parent = parent_of(viewer, run)
    return run, {
        "at": "runs",
        "project": run.project,
        "run": run,
        "parent": parent,
        "place_in_parent": place_in(viewer, run, parent) if parent else None,
        "run_ref": run.uid.hex,
        "tab": tab,
        "tab_label": TABS.get(tab) or next(one.label for one in run_tabs if one.key == tab),
        "tabs": tabs_of(viewer, run, counts, kept),
        "kept": with_pairs("", kept),
        "here_url": with_pairs(tab_url(run, tab), kept),
        "editing_url": with_pairs(tab_url(run, tab), [*kept, ("edit", "")]),
        "steps": steps_of(request, viewer, run, tab),
        "heartbeat": heartbeat_of(run),
        "badges": head_badges_of(request, viewer, run),
        "buttons": head_buttons_of(request, viewer, run),
        "strips": head_strips_of(request, viewer, run),
        "acts": acts_of(viewer, run),
        "may_log": bool(can(viewer, "experiments.log_run", run.project)),
        "origin": head_origin_of(request, viewer, run),
        "by_hand": run.source_type == BY_HAND,
        "took": took(run),
        "claimed": claimed(run),
        "email_label": tag_of(viewer, run, EMAIL) if run.source_type == BY_HAND else "",
        "children": counts.children,
        "children_url": children_url(run),
        "recalled": recalled_of(viewer, run),
        "is_starred": run.pk in starred_among(viewer, [run.pk]),
        "move_to": places_for(viewer, run),
        "undo": undo_of(request, run.project),
    }


def places_for(viewer: Actor, run: Run) -> list[Experiment]:
    """The experiments that the viewer may move the run to."""
    if run.is_deleted or not can(viewer, "experiments.move_run", run):
        return []
    return list(experiments_of(viewer, run.project).exclude(pk=run.experiment_id)[:PLACES_MAX])


def tabs_of(viewer: Actor, run: Run, counts: Counts, kept: Sequence[tuple[str, str]] = ()) -> list[Tab]:
    """The run's tabs with their counts, those of the rooms above before the history. kept: what their addresses carry
    on."""
    counted = {
        "curves": counts.curves,
        "system": counts.system,
        "params": counts.params,
        "artifacts": counts.files,
        "data": counts.inputs,
        "notes": counts.comments or None,
    }
    shown = [key for key in TABS if key != "system" or counts.system]
    own = [Tab(key, TABS[key], with_pairs(tab_url(run, key), kept), counted.get(key)) for key in shown]
    further = [Tab(one.key, one.label, with_pairs(one.url(run), kept), one.count(viewer, run)) for one in run_tabs]
    return [*own[:-1], *further, *own[-1:]]


def tab_url(run: Run, tab: str) -> str:
    """The address of one tab of a run."""
    if tab == "overview":
        return reverse("experiments:run", args=[run.uid.hex])
    return reverse("experiments:run_tab", args=[run.uid.hex, tab])


def children_url(run: Run) -> str:
    """The table of the runs nested in this one."""
    query = urlencode({"q": f"tags.`mlflow.parentRunId` = '{run.uid.hex}'", "tree": "0"})
    return f"{reverse('experiments:runs', args=[run.project.slug])}?{query}"


def recalled_of(viewer: Actor, run: Run) -> list[Recalled]:
    """The recalled dataset versions that the run was built on."""
    found = recalled_inputs(viewer, [run]).get(run.pk, [])
    withdrawn = ((version, when_withdrawn(version)) for version in found)
    return [Recalled(str(version), page_of(version), one.words) for version, one in withdrawn if one]


def heartbeat_of(run: Run) -> Heartbeat | None:
    """The last sign of a run that goes on; None for one that ended. One that gave none yet began with its start."""
    if run.status != RunStatus.RUNNING or run.is_deleted:
        return None
    last = run.heartbeat_at or run.created_at
    return Heartbeat(run.heartbeat_at, now() - last > SILENT)


def claimed(run: Run) -> str:
    """The name that the client gave, where it is not the author's own; MLflow's says "unknown" where it finds none."""
    author = run.created_by
    known = {author.email.casefold(), author.name.casefold()} if author else set()
    return "" if run.claimed_user.casefold() in {"unknown", *known} else run.claimed_user


def took(run: Run) -> int | None:
    """Milliseconds from start to end, or to now while it goes on."""
    if run.started_ms is None:
        return None
    if run.ended_ms is None and run.status != "RUNNING":
        return None
    return max(0, (run.ended_ms or now_ms()) - run.started_ms)


def acts_of(viewer: Actor, run: Run) -> list[Act]:
    """What the viewer may do to the run in its state; what they may not do is absent."""
    if run.is_deleted:
        offered = [("restore", "experiments.delete_run", "Restore run", "undo", "It is back in the table.", False)]
    elif run.is_locked:
        offered = [("unlock", "experiments.lock_run", "Unlock run", "lock", "It can be written to again.", False)]
    else:
        offered = [
            (
                "lock",
                "experiments.lock_run",
                "Lock run",
                "lock",
                "Nothing in it can change until it is unlocked.",
                False,
            ),
            ("delete", "experiments.delete_run", "Delete run", "trash", "It leaves the table; all is kept.", True),
        ]
    acts = []
    for verb, permission, label, icon, means, destroys in offered:
        allowed = can(viewer, permission, run)
        if isinstance(allowed, Allowed):
            acts.append(Act(verb, label, icon, means, destroys, allowed.needs_reason))
    return acts
