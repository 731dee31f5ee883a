"""Files of a run."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from artifacts.pages.shelf import Shelf
from experiments.models import Run
from experiments.pages.frame import run_frame, tab_url
from experiments.pages.slots import panels_of
from experiments.queries.files import files_root
from experiments.queries.runs import get_run
from kernel.actor import Actor


def shelf_of(viewer: Actor, run: Run) -> Shelf:
    """The run's files for this viewer."""
    return Shelf(
        viewer=viewer,
        root=run.artifact_root,
        page_url=tab_url(run, "artifacts"),
        base_url=reverse("experiments:run", args=[run.uid.hex]),
        name=run.readable_id,
    )


def find_shelf(request: HttpRequest, run: str) -> Shelf:
    """The files of the run that an address names. Raises NotFound, Refused for who may not download."""
    viewer = actor_of(request)
    found = get_run(viewer, run)
    files_root(viewer, found)
    return shelf_of(viewer, found)


@require_safe
@signed_in
def page(request: HttpRequest, run: str) -> HttpResponse:
    """The tree, and the file that `?file=` names."""
    found, context = run_frame(request, run, "artifacts")
    viewer = actor_of(request)
    shelf = shelf_of(viewer, found)
    if shelf.wants_file_alone(request):
        return shelf.file_alone(request)
    context |= shelf.panel(request)
    context["panels"] = panels_of(viewer, found)
    return render(request, "experiments/run_artifacts.html", context)
