"""Code and environment of a run: what its client said, and the package lists among its files."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from artifacts.queries.files import files_of
from experiments.conditions import PACKAGE_FILES
from experiments.pages.artifacts import shelf_of
from experiments.pages.frame import run_frame, tab_url
from experiments.pages.slots import panels_of
from experiments.queries.runs import tags_of

SHOWN = 2
SAID_IN_TAGS = (
    ("Repository", "mlflow.source.git.repoURL"),
    ("Branch", "mlflow.source.git.branch"),
    ("Entry point", "mlflow.project.entryPoint"),
    ("Container image", "mlflow.docker.image.name"),
    ("User on the machine", "mlflow.user"),
)


@require_safe
@signed_in
def page(request: HttpRequest, run: str) -> HttpResponse:
    """Commit, script, packages."""
    found, context = run_frame(request, run, "code")
    viewer = actor_of(request)
    tags = tags_of(viewer, found)
    shelf = shelf_of(viewer, found)
    files = [file for file in files_of(viewer, found.artifact_root) if file.path.rsplit("/", 1)[-1] in PACKAGE_FILES]
    context |= {
        "code": [
            {"name": "Commit", "value": found.git_commit, "copy": "Copy commit"},
            {"name": "Script", "value": found.source_name, "copy": ""},
            {"name": "Kind of source", "value": found.source_type, "copy": ""},
            *({"name": name, "value": tags.get(tag, ""), "copy": ""} for name, tag in SAID_IN_TAGS),
        ],
        "environment": [
            {"path": file.path, "size": file.size_bytes, "url": shelf.show_url(file.path)} for file in files
        ],
        "with_models": [path for panel in panels_of(viewer, found) for path in panel.package_files],
        "artifacts_url": tab_url(found, "artifacts"),
        "shown": shelf.texts([file.path for file in files[:SHOWN]]),
    }
    return render(request, "experiments/run_code.html", context)
