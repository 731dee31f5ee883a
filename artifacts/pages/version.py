"""One version of a dataset: its overview and the tabs."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import find_project, require
from accounts.pages.doors import actor_of, signed_in
from accounts.pages.history import before_of
from artifacts.models import DatasetVersion
from artifacts.pages.columns import is_under_way, shown_columns, state_words
from artifacts.pages.diff import diff_context
from artifacts.pages.frame import TABS, dataset_frame, told_names, uses_there_are, version_frame, version_url
from artifacts.pages.history import Numbers, entries_of
from artifacts.pages.recall import Why
from artifacts.pages.records import record_context
from artifacts.pages.shelf import Shelf
from artifacts.pages.slots import panels_of
from artifacts.profiling.formats import Format, format_of
from artifacts.queries.datasets import find_dataset
from artifacts.queries.history import history_of_dataset
from artifacts.queries.uses import uses_of
from artifacts.queries.versions import get_version, version_files
from artifacts.tables import table_of
from kernel.actor import Actor
from kernel.errors import NotFound

EVENTS_A_PAGE = 50
USES_LISTED = 200
SUMMARY_SHOWN = 8
COLUMNS_SHOWN = 12
LOOKED_THROUGH = 100  # files, for one that pandas reads
READERS = {
    Format.CSV: "read_csv",
    Format.TSV: "read_table",
    Format.JSON_LINES: "read_json",
    Format.PARQUET: "read_parquet",
}
CLIENT_DIGEST = 36  # what MLflow sends at most


@require_safe
@signed_in
def dataset(request: HttpRequest, slug: str, dataset: UUID) -> HttpResponse:
    """The newest version, or how to make the first."""
    _, context = dataset_frame(request, slug, dataset)
    if context["lines"]:
        return redirect(context["lines"][0].url)
    return render(request, "artifacts/dataset_empty.html", context | client_lines(request, None, context))


@require_safe
@signed_in
def overview(request: HttpRequest, slug: str, dataset: UUID, number: int) -> HttpResponse:
    """The version on one page."""
    version, context = version_frame(request, slug, dataset, number, "overview")
    viewer = actor_of(request)
    context |= record_context(version)
    context |= profile_context(version, limit=COLUMNS_SHOWN)
    context["panels"] = panels_of(request, viewer, version)
    if context["may_recall"] and not context["withdrawal"]:
        context |= {"why": Why(), "told": told_names(viewer, version)}
    if context["previous"]:
        context |= diff_context(viewer, context["previous"], version)
        context["summary"] = context["summary"][:SUMMARY_SHOWN]
    return render(request, "artifacts/version.html", context)


def profile_context(version: DatasetVersion, *, limit: int | None = None) -> dict[str, Any]:
    """What was read out of the files, or how far that is. limit: of columns."""
    table = table_of(version)
    columns = shown_columns(table)
    return {
        "table": table,
        "columns": columns[:limit],
        "hidden_columns": len(columns) - len(columns[:limit]),
        "in_short": limit is not None,
        "state_words": state_words(table),
        "under_way": is_under_way(table),
    }


def _files(request: HttpRequest, version: DatasetVersion, context: dict[str, Any]) -> str:
    if version.root is None:
        raise NotFound("The data of this version lie outside MLED.", hint="Its overview says where.")
    context |= shelf_of(actor_of(request), version).panel(request)
    return "artifacts/version_files.html"


def find_shelf(request: HttpRequest, slug: str, dataset: UUID, number: int) -> Shelf:
    """The files of the version that an address names. Raises NotFound, Refused for who may not download."""
    viewer = actor_of(request)
    version = get_version(viewer, find_dataset(viewer, find_project(viewer, slug), dataset), number)
    require(viewer, "experiments.download", version)
    return shelf_of(viewer, version)


def shelf_of(viewer: Actor, version: DatasetVersion) -> Shelf:
    """The version's files for this viewer."""
    here = [version.dataset.project.slug, version.dataset_id, version.number]
    return Shelf(
        viewer=viewer,
        root=version.root,
        page_url=version_url(version, "files"),
        base_url=reverse("artifacts:version", args=here),
        name=f"{version.dataset.name}-v{version.number}",
    )


def _schema(request: HttpRequest, version: DatasetVersion, context: dict[str, Any]) -> str:
    context |= profile_context(version)
    return "artifacts/version_schema.html"


def _diff(request: HttpRequest, version: DatasetVersion, context: dict[str, Any]) -> str:
    if context["previous"] is None:
        raise NotFound("This is the first version: there is nothing before it.")
    context |= diff_context(actor_of(request), context["previous"], version)
    return "artifacts/version_diff.html"


def _used_by(request: HttpRequest, version: DatasetVersion, context: dict[str, Any]) -> str:
    context["uses"] = uses_there_are(uses_of(actor_of(request), version, limit=USES_LISTED))
    return "artifacts/version_used_by.html"


def _use(request: HttpRequest, version: DatasetVersion, context: dict[str, Any]) -> str:
    context |= client_lines(request, version, context)
    context["read"], context["data_file"] = _how_to_read(actor_of(request), version)
    return "artifacts/version_use.html"


def client_lines(request: HttpRequest, version: DatasetVersion | None, context: dict[str, Any]) -> dict[str, Any]:
    """What the lines for a script are made of."""
    project = context["project"]
    return {
        "tracking_uri": request.build_absolute_uri(f"/mlflow/{project.slug}"),
        "site": request.build_absolute_uri("/").rstrip("/"),
        "client_digest": version.digest[:CLIENT_DIGEST] if version else "",
        "archive_url": request.build_absolute_uri(_archive_path(version)) if version else "",
    }


def _how_to_read(viewer: Actor, version: DatasetVersion) -> tuple[str, str]:
    """The pandas function for the version's first table, and its path; ("read_csv", "") where there is none."""
    for path in version_files(viewer, version).values_list("path", flat=True)[:LOOKED_THROUGH]:
        found = format_of(path)
        if found is not None:
            return READERS[found[0]], path
    return READERS[Format.CSV], ""


def _archive_path(version: DatasetVersion) -> str:
    """Its files as a zip, for who sends a token."""
    dataset = version.dataset
    return f"/api/v1/projects/{dataset.project.slug}/datasets/{dataset.pk}/versions/{version.number}/archive.zip"


def _history(request: HttpRequest, version: DatasetVersion, context: dict[str, Any]) -> str:
    viewer = actor_of(request)
    events = history_of_dataset(viewer, version.dataset, before=before_of(request), limit=EVENTS_A_PAGE + 1)
    shown = events[:EVENTS_A_PAGE]
    context["entries"] = entries_of(shown, Numbers.of(line.version for line in context["lines"]))
    if len(events) > EVENTS_A_PAGE:
        context["next_url"] = f"{version_url(version, 'history')}?before={shown[-1].past.event.id.hex}"
    return "artifacts/version_history.html"


PARTS: dict[str, Callable[[HttpRequest, DatasetVersion, dict[str, Any]], str]] = {
    "files": _files,
    "schema": _schema,
    "diff": _diff,
    "used-by": _used_by,
    "use": _use,
    "history": _history,
}


@require_safe
@signed_in
def part(request: HttpRequest, slug: str, dataset: UUID, number: int, part: str) -> HttpResponseBase:
    """One tab of a version."""
    if part not in PARTS:
        raise NotFound(f"A dataset version has no page '{part[:60]}'.", hint=f"It has {', '.join(TABS.values())}.")
    version, context = version_frame(request, slug, dataset, number, part)
    if part == "files" and (shelf := shelf_of(actor_of(request), version)).wants_file_alone(request):
        return shelf.file_alone(request)
    return render(request, PARTS[part](request, version, context), context)


@require_safe
@signed_in
def profile(request: HttpRequest, slug: str, dataset: UUID, number: int) -> HttpResponse:
    """The columns alone, asked for again until they are read. `?short=1`: as the overview shows them."""
    version, context = version_frame(request, slug, dataset, number, "schema")
    context |= profile_context(version, limit=COLUMNS_SHOWN if "short" in request.GET else None)
    context["just_read"] = context["table"].is_known
    return render(request, "artifacts/columns.html", context)
