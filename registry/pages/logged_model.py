"""A logged model: where it comes from, what was measured of it, its files."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import find_project
from accounts.pages.doors import actor_of, signed_in
from accounts.templatetags.mled import number
from artifacts.queries.files import files_of
from experiments.pages.files import Shelf
from kernel.actor import Actor
from registry.models import LoggedModel
from registry.pages import lineage
from registry.queries.files import open_model_file
from registry.queries.lineage import Ref
from registry.queries.logged_models import get_logged_model, model_data


def _found(request: HttpRequest, slug: str, model: str) -> tuple[Actor, LoggedModel]:
    viewer = actor_of(request)
    return viewer, get_logged_model(viewer, model, project=find_project(viewer, slug))


def shelf_of(viewer: Actor, model: LoggedModel) -> Shelf:
    """The model's files for this viewer."""
    here = [model.project.slug, model.model_id]
    return Shelf(
        open=lambda path: open_model_file(viewer, model, path),
        show_url=lambda path: f"{reverse('registry:logged_model', args=here)}?{urlencode({'file': path})}",
        file_url=lambda path: reverse("registry:model_file", args=[*here, path]),
        picture_url=lambda path: reverse("registry:model_picture", args=[*here, path]),
    )


@require_safe
@signed_in
def page(request: HttpRequest, slug: str, model: str) -> HttpResponse:
    """The model on one page."""
    viewer, found = _found(request, slug, model)
    data = model_data(viewer, [found])[found.pk]
    files = list(files_of(viewer, found.artifact_root))
    context = {
        "at": "runs",
        "project": found.project,
        "model": found,
        "address": f"models:/{found.model_id}",
        "params": data.params,
        "tags": data.tags,
        "metrics": [
            {"key": one.key, "value": number(one.value), "step": one.step, "dataset": one.dataset_name}
            for one in data.metrics
        ],
        **lineage.panel(viewer, Ref("model", found.model_id)),
        **shelf_of(viewer, found).panel(files, request.GET.get("file", "")),
    }
    return render(request, "registry/logged_model.html", context)


@require_safe
@signed_in
def download(request: HttpRequest, slug: str, model: str, path: str) -> HttpResponseBase:
    """One file of the model, to be saved."""
    return shelf_of(*_found(request, slug, model)).download(path)


@require_safe
@signed_in
def picture(request: HttpRequest, slug: str, model: str, path: str) -> HttpResponseBase:
    """One picture of the model, for the page."""
    return shelf_of(*_found(request, slug, model)).picture(path)
