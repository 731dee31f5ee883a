"""What is new since the run table was drawn: asked again and again while somebody looks, and no row moves for it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from experiments.pages.asked import Asked, numbers_in
from experiments.pages.columns import Column
from experiments.pages.questions import A_PAGE, asked_of
from experiments.pages.run_rows import table_of
from experiments.pages.taste import taste_of
from experiments.queries.changes import changed_numbers, count_new, last_number, uids_of
from experiments.queries.experiments import metric_directions
from experiments.queries.search import View, search_runs
from experiments.refs import number_in
from experiments.search.errors import QueryError
from kernel.actor import Actor
from kernel.clock import now_ms

OVERLAP_MS = 10_000  # an act that began before another may end after it
COLUMNS_MAX = 60  # a page of more columns is told how many runs changed, and its cells stay


def live_of(viewer: Actor, project: Project, asked: Asked, shown: Sequence[Column]) -> dict[str, Any]:
    """Where the page asks what is new, and from when on."""
    pairs = asked.all_kept("columns", "good", "only", "panel", *(name for name, _ in asked.look))
    if len(shown) <= COLUMNS_MAX:
        pairs += [("columns", column.key) for column in shown]
    address = reverse("experiments:newer", args=[project.slug])
    return {
        "live_url": f"{address}?{urlencode(pairs, safe='/():,')}",
        "live_since": now_ms() - OVERLAP_MS,
        "live_after": last_number(viewer, project),
        "rows_columns": mark_of(shown),
    }


def mark_of(shown: Sequence[Column]) -> str:
    """Tells one choice and order of columns from another: a row is put only into a table of the same."""
    return f"{crc32(' '.join(column.key for column in shown).encode()):x}"


@require_safe
@signed_in
def newer(request: HttpRequest, slug: str) -> HttpResponse:
    """How many runs match that are newer than `number`, and the page's runs (`rows`) that changed since a moment."""
    viewer = actor_of(request)
    project, asked = asked_of(request, slug)
    started = now_ms()
    since, number = number_in(request.GET.get("since", "")), number_in(request.GET.get("number", ""))
    new = 0 if number is None else _count(viewer, project, asked, number)
    numbers = numbers_in(request.GET.get("rows", "").split(",")[:A_PAGE])
    changed = changed_numbers(viewer, project, numbers, since_ms=started if since is None else since)
    context = {
        "new": new,
        "live_since": started - OVERLAP_MS,
        **rows_again(viewer, project, asked, numbers, changed),
    }
    response = render(request, "experiments/newer.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


def rows_again(
    viewer: Actor, project: Project, asked: Asked, numbers: Sequence[int], changed: Sequence[int]
) -> dict[str, Any]:
    """The changed rows as the table would draw them now. rows_columns: which columns they are of."""
    if not changed or not asked.column_keys:
        return {"rows": []}
    texts = ", ".join(f"'{uid}'" for uid in uids_of(viewer, project, numbers))
    found = search_runs(viewer, project=project, text=f"run_id IN ({texts})", view=View.ALL, limit=A_PAGE)
    by_number = {run.number: run for run in found.rows}
    runs = [by_number[number] for number in numbers if number in by_number]
    directions = metric_directions(viewer, project)
    table = table_of(viewer, asked, runs, asked.columns, directions, taste_of(viewer, project))
    rows = [row for row in table["rows"] if row.run.number in changed]
    return {"rows": rows, "rows_columns": mark_of(table["columns"])}


def _count(viewer: Actor, project: Project, asked: Asked, number: int) -> int:
    experiments = asked.experiment_ids or None
    try:
        return count_new(viewer, project, experiments=experiments, text=asked.query, view=asked.lives, after=number)
    except QueryError:
        return 0
