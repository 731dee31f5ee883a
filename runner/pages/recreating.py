"""Doing a run again: what can be met and what cannot, told before it starts."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import can, require
from accounts.pages.doors import actor_of, signed_in
from accounts.templatetags.mled import duration
from artifacts.pages.slots import Panel
from experiments.models import Run
from experiments.queries.runs import get_run
from experiments.values import ENDED
from kernel.actor import Actor
from kernel.errors import Conflict, InvalidFields, MledError
from runner.actions.recreating import recreate
from runner.bundles.contents import DATA_MB, data_mb_in
from runner.bundles.giving import bundle_response
from runner.queries.sweeps import sweep_of
from runner.recipes import Resources
from runner.recreating.changing import flat
from runner.recreating.likeness import Likeness, like
from runner.recreating.machines import workers_of

LAUNCH: Final = "runner.launch"
NAMES: Final = {
    "template": "Template", "code": "Code", "command": "Command", "folder": "Folder", "params": "Parameter",
    "seed": "Seed", "inputs": "Data", "environment": "Packages", "resources": "Limit", "network": "Network",
    "secrets": "Secrets",
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def page(request: HttpRequest, run: str) -> HttpResponse:
    """What it takes; a post does it."""
    viewer = actor_of(request)
    found = get_run(viewer, run)
    require(viewer, LAUNCH, found.project)
    problem: MledError | None = None
    if request.method == "POST":
        try:
            made = recreate(viewer, found)
        except (Conflict, InvalidFields) as error:
            problem = error
        else:
            return redirect(f"{reverse('experiments:run', args=[made.run.uid.hex])}?launched")
    shown = _shown(viewer, found, like(viewer, found))
    return render(request, "runner/recreate.html", {**shown, "problem": problem}, status=409 if problem else 200)


@require_safe
@signed_in
def bundle(request: HttpRequest, run: str) -> HttpResponseBase:
    """Everything of the run as a zip, to do it again elsewhere. ?data_mb: how much of its data goes in."""
    viewer = actor_of(request)
    return bundle_response(viewer, get_run(viewer, run), data_mb=data_mb_in(request.GET.get("data_mb", "")))


def _shown(viewer: Actor, run: Run, found: Likeness) -> dict[str, Any]:
    lines = [(*_named(field), words) for field, words in flat(viewer, run.project, found.wanted)]
    return {
        "at": "runs",
        "project": run.project,
        "run": run,
        "found": found,
        "lines": [one for one in lines if one[0] != "Limit"],
        "limits": limits_of(found.wanted),
        "cannot": [word.partition(": ") for word in found.cannot],
        "differs": [word.partition(": ") for word in found.differs],
        "is_over": run.status in ENDED,
        "workers": workers_of(found.queue),
        "changes_url": f"{reverse('runner:launch', args=[run.project.slug])}?{urlencode({'like': run.readable_id})}",
        "may_download": bool(can(viewer, "experiments.download", run)),
        "data_mb": DATA_MB,
        "commands": _commands(run, found.wanted),
        "image": _image(found.wanted),
    }


def _commands(run: Run, wanted: Mapping[str, Any]) -> list[str]:
    """How to do it from a terminal: on the workers, and on one's own machine where its code can be fetched there."""
    here = f"mled recreate {run.readable_id}"
    is_fetched = bool((wanted.get("repository") or {}).get("url")) and not _image(wanted)
    return [f"{here} --there", here] if is_fetched else [f"{here} --there"]


def _image(wanted: Mapping[str, Any]) -> str:
    """The image that it was done in, which no command line shows; '' for none."""
    environment = wanted.get("environment")
    return str(environment.get("image") or "") if isinstance(environment, Mapping) else ""


def limits_of(wanted: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How much it may use, as people say it."""
    most = {**asdict(Resources()), **(wanted.get("resources") or {})}
    told = [
        ("Time", duration(int(most["seconds"]) * 1000)),
        ("Memory", f"{most['memory_mb']:,} MB"),
        ("Disk", f"{most['disk_mb']:,} MB"),
        ("Processors", f"{float(most['cpus']):g}"),
    ]
    return [*told, ("Graphics cards", str(most["gpus"]))] if most["gpus"] else told


def _named(field: str) -> tuple[str, str]:
    """('Parameter', 'lr') of params.lr."""
    kind, _, name = field.partition(".")
    return NAMES[kind], name


def head_button(viewer: Actor, run: Run) -> Panel | None:
    """In the head of a run that is over, for who may launch."""
    if run.is_deleted or run.status not in ENDED or not can(viewer, LAUNCH, run.project):
        return None
    if sweep_of(viewer, run) is not None:
        return None  # it executes nothing itself: its runs are recreated
    return Panel("runner/recreate_button.html", {"url": reverse("runner:recreate", args=[run.uid.hex])})
