"""What may be done to an experiment: rename, delete with all its runs, restore."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.access import Allowed, can, find_project
from accounts.pages.doors import actor_of, signed_in
from experiments.actions.experiments import delete_experiment, rename_experiment, restore_experiment
from experiments.models import Experiment
from experiments.queries.overview import experiments_of
from kernel.actor import Actor
from kernel.errors import MledError, NotFound


@dataclass(frozen=True, slots=True)
class ExperimentAct:
    """One thing that this viewer may do to the experiment."""

    verb: str
    label: str
    icon: str
    means: str
    destroys: bool
    needs_reason: bool


def acts_of(viewer: Actor, experiment: Experiment) -> list[ExperimentAct]:
    """What the viewer may do to the experiment in its state; what they may not do is absent."""
    if experiment.lifecycle == "deleted":
        offered = [
            ("restore", "experiments.delete_experiment", "Restore experiment", "undo", "With all its runs.", False)
        ]
    else:
        offered = [
            ("rename", "experiments.create", "Rename", "edit", "Nothing moves; slashes make folders.", False),
            (
                "delete",
                "experiments.delete_experiment",
                "Delete experiment",
                "trash",
                "With its runs; all is kept.",
                True,
            ),
        ]
    acts = []
    for verb, permission, label, icon, means, destroys in offered:
        allowed = can(viewer, permission, experiment)
        if isinstance(allowed, Allowed) and not (experiment.is_default and verb == "delete"):
            acts.append(ExperimentAct(verb, label, icon, means, destroys, allowed.needs_reason))
    return acts


@require_POST
@signed_in
def act(request: HttpRequest, slug: str, experiment: int, verb: str) -> HttpResponse:
    """Rename, delete or restore, and back to the list."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    found = experiments_of(viewer, project, lifecycle=None).filter(pk=experiment).first()
    if found is None or verb not in ACTS:
        raise NotFound("No such experiment was found.")
    try:
        messages.success(request, ACTS[verb](viewer, found, request))
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
    return redirect("experiments:experiments", slug=project.slug)


def _rename(viewer: Actor, found: Experiment, request: HttpRequest) -> str:
    before = found.name
    renamed = rename_experiment(viewer, found, name=request.POST.get("name", "").strip())
    return f"{before} is now {renamed.name}."


def _delete(viewer: Actor, found: Experiment, request: HttpRequest) -> str:
    delete_experiment(viewer, found, reason=request.POST.get("reason", "").strip())
    return f"{found.name} is deleted with its runs. All is kept; restoring brings it back."


def _restore(viewer: Actor, found: Experiment, request: HttpRequest) -> str:
    restore_experiment(viewer, found, reason=request.POST.get("reason", "").strip())
    return f"{found.name} is back with its runs."


ACTS: dict[str, Callable[[Actor, Experiment, HttpRequest], str]] = {
    "rename": _rename,
    "delete": _delete,
    "restore": _restore,
}
