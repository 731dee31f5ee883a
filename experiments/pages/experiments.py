"""The experiments of a project; slashes in a name show as folders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.access import can, find_project, require
from accounts.pages.doors import actor_of, fill_in_error, sees_experiments, signed_in
from experiments.actions.experiments import create_experiment
from experiments.models import Experiment
from experiments.queries.overview import EXPERIMENTS_MAX, experiments_with_runs
from experiments.queries.search import FoundCount
from experiments.values import EXPERIMENT_NAME_MAX, Lifecycle
from kernel.errors import MledError

DEEPEST = 5
VIEWS = {"active": ("Active", Lifecycle.ACTIVE), "deleted": ("Deleted", Lifecycle.DELETED), "all": ("All", None)}


@dataclass(frozen=True, slots=True)
class FolderLine:
    """A line of the tree: an experiment, or a folder above some (experiment None, runs "")."""

    label: str
    depth: int
    experiment: Experiment | None = None
    runs: str = ""
    last_ms: int | None = None


class NewExperiment(forms.Form):
    """A name for a new experiment."""

    name = forms.CharField(
        max_length=EXPERIMENT_NAME_MAX, help_text="Slashes make folders: <code>ablation/dropout</code>"
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def experiments(request: HttpRequest, slug: str) -> HttpResponse:
    """All experiments, and a form for one more."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    if not sees_experiments(viewer, project):
        require(viewer, "experiments.see", project)
    form = NewExperiment(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_experiment(viewer, project, name=form.cleaned_data["name"])
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, f"Experiment {made.name} is there.")
            return redirect("experiments:experiments", slug=project.slug)
    view = request.GET.get("view", "active")
    view = view if view in VIEWS else "active"
    found = experiments_with_runs(viewer, project, lifecycle=VIEWS[view][1], limit=EXPERIMENTS_MAX)
    here = reverse("experiments:experiments", args=[project.slug])
    context = {
        "at": "experiments",
        "project": project,
        "folders": folder_lines(found),
        "experiment_count": f"{EXPERIMENTS_MAX:,}+" if len(found) == EXPERIMENTS_MAX else f"{len(found):,}",
        "view": view,
        "views": [(key, label, f"{here}?view={key}") for key, (label, _) in VIEWS.items()],
        "may_create": bool(can(viewer, "experiments.create", project)),
        "form": form,
    }
    return render(request, "experiments/experiments.html", context)


def folder_lines(experiments: Sequence[Any]) -> list[FolderLine]:
    """A flat list of lines for experiments with `run_count` and `last_ms`, folders above what lies in them."""
    lines: list[FolderLine] = []
    above: list[str] = []
    for one in sorted(experiments, key=lambda e: [part.lower() for part in parts_of(e.name)]):
        *folders, label = parts_of(one.name)
        common = 0
        while common < min(len(folders), len(above)) and folders[common] == above[common]:
            common += 1
        lines += [FolderLine(name, common + i) for i, name in enumerate(folders[common:])]
        above = folders
        lines.append(FolderLine(label, len(folders), one, str(FoundCount.of(one.run_count)), one.last_ms))
    return lines


def parts_of(name: str) -> list[str]:
    """The folders and the last part of a name; a name with empty parts, or too deep, stays whole at the end."""
    parts = name.split("/")
    if any(not part.strip() for part in parts):
        return [name]
    return parts if len(parts) <= DEEPEST else [*parts[: DEEPEST - 1], "/".join(parts[DEEPEST - 1 :])]
