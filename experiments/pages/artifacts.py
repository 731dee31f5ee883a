"""Files of a run."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from artifacts.queries.files import files_of
from experiments.models import Run
from experiments.pages.files import Shelf
from experiments.pages.frame import run_frame, tab_url
from experiments.pages.slots import panels_of
from experiments.queries.files import open_file
from experiments.queries.runs import get_run
from kernel.actor import Actor


def shelf_of(viewer: Actor, run: Run) -> Shelf:
    """The run's files for this viewer."""
    uid = run.uid.hex
    return Shelf(
        open=lambda path: open_file(viewer, run, path),
        show_url=lambda path: f"{tab_url(run, 'artifacts')}?{urlencode({'file': path})}",
        file_url=lambda path: reverse("experiments:file", args=[uid, path]),
        picture_url=lambda path: reverse("experiments:preview", args=[uid, path]),
    )


@require_safe
@signed_in
def page(request: HttpRequest, run: str) -> HttpResponse:
    """The tree, and the file that `?file=` names."""
    found, context = run_frame(request, run, "artifacts")
    viewer = actor_of(request)
    files = list(files_of(viewer, found.artifact_root))
    context |= shelf_of(viewer, found).panel(files, request.GET.get("file", ""))
    context["panels"] = panels_of(viewer, found)
    return render(request, "experiments/run_artifacts.html", context)


@require_safe
@signed_in
def download(request: HttpRequest, run: str, path: str) -> HttpResponseBase:
    """One file, to be saved."""
    viewer = actor_of(request)
    return shelf_of(viewer, get_run(viewer, run)).download(path)


@require_safe
@signed_in
def preview(request: HttpRequest, run: str, path: str) -> HttpResponseBase:
    """One picture, for the page."""
    viewer = actor_of(request)
    return shelf_of(viewer, get_run(viewer, run)).picture(path)
