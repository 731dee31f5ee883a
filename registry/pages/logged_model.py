"""A logged model: where it comes from, what was measured of it, its files."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import can, find_project
from accounts.pages.doors import actor_of, signed_in
from accounts.templatetags.mled import number
from artifacts.pages.shelf import Shelf
from kernel.actor import Actor
from registry.models import LoggedModel
from registry.pages import lineage
from registry.pages.frame import version_url
from registry.queries.files import model_files_root
from registry.queries.lineage import Ref
from registry.queries.logged_models import get_logged_model, model_data
from registry.queries.model_lines import versions_from


def _found(request: HttpRequest, slug: str, model: str) -> tuple[Actor, LoggedModel]:
    viewer = actor_of(request)
    return viewer, get_logged_model(viewer, model, project=find_project(viewer, slug))


def shelf_of(viewer: Actor, model: LoggedModel) -> Shelf:
    """The model's files for this viewer."""
    here = reverse("registry:logged_model", args=[model.project.slug, model.model_id])
    return Shelf(viewer=viewer, root=model.artifact_root, page_url=here, base_url=here, name=model.name)


def find_shelf(request: HttpRequest, slug: str, model: str) -> Shelf:
    """The files of the model that an address names. Raises NotFound, Refused for who may not download."""
    viewer, found = _found(request, slug, model)
    model_files_root(viewer, found)
    return shelf_of(viewer, found)


@require_safe
@signed_in
def page(request: HttpRequest, slug: str, model: str) -> HttpResponse:
    """The model on one page."""
    viewer, found = _found(request, slug, model)
    shelf = shelf_of(viewer, found)
    if shelf.wants_file_alone(request):
        return shelf.file_alone(request)
    data = model_data(viewer, [found])[found.pk]
    context = {
        "at": "runs",
        "project": found.project,
        "model": found,
        "address": f"models:/{found.model_id}",
        "versions": [(str(one), version_url(one)) for one in versions_from(viewer, logged=found)],
        "may_register": bool(can(viewer, "registry.register", found.project)),
        "params": data.params,
        "tags": data.tags,
        "metrics": [
            {"key": one.key, "value": number(one.value), "step": one.step, "dataset": one.dataset_name}
            for one in data.metrics
        ],
        **lineage.panel(viewer, Ref("model", found.model_id)),
        **shelf.panel(request),
    }
    return render(request, "registry/logged_model.html", context)
