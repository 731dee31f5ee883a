"""My work: the first page after signing in, and the box that jumps."""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import can, standing
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from accounts.pages.projects import ProjectLine, projects_with_roles
from accounts.roles import Role
from experiments.models import Run
from experiments.pages.listing import Line, lines_of, tracking_uri
from experiments.pages.slots import Found, found_above, home_panels_of
from experiments.queries.overview import NEWEST, Named, named_like, newest_runs, running_now
from experiments.queries.runs import get_run
from experiments.queries.search import FoundCount
from experiments.queries.stars import runs_of_viewer, starred_runs
from kernel.actor import Actor
from kernel.errors import NotFound

RECENT, MINE, STARRED = 8, 6, 8
A_FEW = 5  # of each kind, below the box that jumps
LOOKS_LIKE_ID = re.compile(r"^(?:[0-9a-fA-F]{32}|[A-Za-z][A-Za-z0-9]{1,9}-\d+)$")


@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Recent runs, my projects, and how to log."""
    viewer = actor_of(request)
    shown = {
        "mine": runs_of_viewer(viewer, limit=MINE),
        "starred": starred_runs(viewer, limit=STARRED),
        "recent": newest_runs(viewer, limit=RECENT),
    }
    lines = {line.run.pk: line for line in lines_of(viewer, _each_once(shown.values()))}
    mine, starred, rows = ([lines[run.pk] for run in runs] for runs in shown.values())
    projects = projects_with_roles(viewer)
    start = _where_to_log(viewer, rows, projects)
    uri = tracking_uri(request, start) if start else ""
    keeps_only = not rows and _keeps_only(viewer)
    context = {
        "at": "home",
        "rows": rows,
        "mine": mine,
        "starred": starred,
        "mine_url": f"{reverse('experiments:all_runs')}?{urlencode({'q': 'mine = true'})}",
        "starred_url": f"{reverse('experiments:all_runs')}?{urlencode({'q': 'starred = true'})}",
        "projects": projects,
        "start": start,
        "tracking_uri": uri,
        "tracking_line": f"export MLFLOW_TRACKING_URI={uri}",
        "may_create": bool(can(viewer, "projects.create")),
        "panels": home_panels_of(request, viewer),
        "keeps_only": keeps_only,
        "summary": _keeper_summary(len(projects)) if keeps_only else _summary(running_now(viewer), len(projects)),
    }
    return render(request, "experiments/home.html", context)


def _each_once(lists: Iterable[Sequence[Run]]) -> list[Run]:
    return list({run.pk: run for runs in lists for run in runs}.values())


def _where_to_log(viewer: Actor, rows: Sequence[Line], projects: Sequence[ProjectLine]) -> Project | None:
    """The project that a new run most likely belongs to: where runs came last, of those that the viewer may log to."""
    candidates = [*(row.run.project for row in rows), *(item.project for item in projects)]
    return next((project for project in candidates if can(viewer, "experiments.log_run", project)), None)


def _summary(running: FoundCount, projects: int) -> str:
    going = (
        f"{running} run{'' if running.number == 1 else 's'} going in your projects"
        if running.number
        else "No run going"
    )
    return f"{going}, {projects} project{'' if projects == 1 else 's'}."


def _keeps_only(viewer: Actor) -> bool:
    """Whether this is an administrator and nothing else, who reads no experiments."""
    return {role for held in standing(viewer).values() for role in held} == {Role.ADMINISTRATOR}


def _keeper_summary(projects: int) -> str:
    return f"You keep the system, its people and {projects} project{'' if projects == 1 else 's'}."


@require_safe
@signed_in
def jump(request: HttpRequest) -> HttpResponse:
    """Straight to the run of an id; else what has the text in its name."""
    viewer = actor_of(request)
    text = request.GET.get("q", "").strip()[:200]
    if LOOKS_LIKE_ID.match(text) and request.GET.get("part") != "1":
        with suppress(NotFound):  # names of datasets look like that, too
            return redirect("experiments:run", run=get_run(viewer, text).uid.hex)
    above = found_above(viewer, text) if text else []
    if request.GET.get("part") == "1":
        typed = named_like(viewer, text, newest=NEWEST) if text else None
        lines = jump_lines(typed, above) if typed else []
        more = typed is not None and not typed.is_whole and len(typed.runs) < A_FEW
        return render(request, "experiments/jump_list.html", {"text": text, "lines": lines, "more": more})
    found = named_like(viewer, text) if text else None
    return render(request, "experiments/jump.html", {"text": text, "found": found, "above": above})


@dataclass(frozen=True, slots=True)
class Jump:
    """One place to jump to."""

    url: str
    label: str
    words: str
    kind: str
    icon: str


def jump_lines(found: Named, above: Sequence[Found]) -> list[Jump]:
    """What was found, a few of each kind, in one list."""
    lines = [
        Jump(reverse("experiments:run", args=[r.uid.hex]), r.name, r.readable_id, "run", "table") for r in found.runs
    ]
    experiments = [
        Jump(
            f"{reverse('experiments:runs', args=[one.project.slug])}?experiment={one.pk}",
            one.name,
            one.project.name,
            "experiment",
            "chart",
        )
        for one in found.experiments
    ]
    datasets = [
        Jump(
            reverse("artifacts:dataset", args=[one.project.slug, one.pk]), one.name, one.project.name, "dataset", "data"
        )
        for one in found.datasets
    ]
    projects = [
        Jump(reverse("experiments:project", args=[one.slug]), one.name, one.slug, "project", "folder")
        for one in found.projects
    ]
    others = [
        Jump(line.url, line.label, line.words, kind.title.lower().removesuffix("s"), kind.icon)
        for kind in above
        for line in kind.lines[:A_FEW]
    ]
    kinds = (lines, experiments, datasets, projects)
    return [*(line for kind in kinds for line in kind[:A_FEW]), *others]
