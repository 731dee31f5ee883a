"""The catalogue: a project's datasets, and the form that makes one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import can, find_project, require
from accounts.pages.doors import actor_of, fill_in_error, sees_experiments, signed_in
from artifacts.actions.datasets import NAME_MAX, create_dataset
from artifacts.models import Dataset, DatasetVersion, VersionRecord
from artifacts.pages.frame import noun, version_url
from artifacts.queries.datasets import DatasetRow, dataset_table
from artifacts.tables import row_count_of
from artifacts.versions import is_withdrawn, record_of
from kernel.errors import MledError

A_PAGE = 100
LAST_START = 1_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """A dataset in the catalogue. aliases: of any version, with its number. recalled: 'v2, v3', '' for none."""

    dataset: Dataset
    url: str
    latest: DatasetVersion | None
    latest_url: str
    latest_recalled: bool
    aliases: Sequence[tuple[str, int]]
    rows: int | None
    personal_data: str
    licence: str
    uses: str
    recalled: str


class NewDataset(forms.Form):
    """What a dataset needs to begin."""

    name = forms.CharField(max_length=NAME_MAX, help_text="As scripts will say it: <code>icu-vitals</code>")
    description = forms.CharField(
        required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 3}), help_text="What is in it?"
    )


@require_safe
@signed_in
def datasets(request: HttpRequest, slug: str) -> HttpResponse:
    """The list, narrowed by `?q=`, page by page."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    if not sees_experiments(viewer, project):
        require(viewer, "experiments.see", project)
    text, start = request.GET.get("q", "").strip()[:200], _start(request)
    rows, total = dataset_table(viewer, project, text=text, offset=start, limit=A_PAGE)
    here = reverse("artifacts:datasets", args=[project.slug])
    context = {
        "at": "datasets",
        "project": project,
        "text": text,
        "lines": [line_of(row) for row in rows],
        "total": total,
        "page_words": f"{start + 1:,} to {start + len(rows):,} of {total:,}" if rows else "",
        "first_url": f"{here}?{urlencode({'q': text})}" if start else "",
        "next_url": f"{here}?{urlencode({'q': text, 'start': start + A_PAGE})}" if start + A_PAGE < total else "",
        "may_register": bool(can(viewer, "datasets.register", project)),
    }
    return render(request, "artifacts/datasets.html", context)


def _start(request: HttpRequest) -> int:
    asked = request.GET.get("start", "")
    return min(int(asked[:9]), LAST_START) if asked.isascii() and asked.isdigit() else 0


def line_of(row: DatasetRow) -> Line:
    """A row in the words of the page."""
    latest = row.latest
    record = record_of(latest) if latest else None
    return Line(
        dataset=row.dataset,
        url=reverse("artifacts:dataset", args=[row.dataset.project.slug, row.dataset.pk]),
        latest=latest,
        latest_url=version_url(latest) if latest else "",
        latest_recalled=latest is not None and is_withdrawn(latest),
        aliases=[(alias.name, alias.version.number) for alias in row.aliases],
        rows=row_count_of(latest) if latest else None,
        personal_data=_personal_data(record),
        licence=record.licence if record else "",
        uses=use_words(row.uses),
        recalled=", ".join(f"v{number}" for number in row.recalled),
    )


def _personal_data(record: VersionRecord | None) -> str:
    return str(record.get_personal_data_display()) if record and record.personal_data else ""


def use_words(uses: Mapping[str, int]) -> str:
    """'41 runs, 2 models', '' for none."""
    return ", ".join(f"{count:,} {noun(kind, count)}" for kind, count in uses.items() if count)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new_dataset(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; a post makes the dataset and goes on to its first version."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, "datasets.register", project)
    form = NewDataset(request.POST or None, initial={"name": request.GET.get("name", "")[:NAME_MAX]})
    if request.method == "POST" and form.is_valid():
        try:
            made = create_dataset(viewer, project, **form.cleaned_data)
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, f"Dataset {made.name} is there. Give it its first version.")
            return redirect("artifacts:new_version", slug=project.slug, dataset=made.pk)
    context = {"at": "datasets", "project": project, "form": form}
    return render(request, "artifacts/new_dataset.html", context)
