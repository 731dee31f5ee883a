"""The points that panels draw: a few fields of the runs that a question finds, or of those that are compared.

    GET p/<slug>/points.json?…the run table's question…&field=params.lr&field=metrics.loss.best
    GET points/data.json?runs=SEP-1,SEP-2&field=…

Runs come in the table's order, at most RUNS_MAX; `cut` says that more match. With `offer=1` also the keys of the fields
that these runs have.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from experiments.compare.point_fields import point_field
from experiments.pages.chart_lines import slots_of
from experiments.pages.questions import asked_of
from experiments.queries.comparison import COMPARED_MAX, runs_named
from experiments.queries.experiments import metric_directions
from experiments.queries.overview import agreed_directions
from experiments.queries.points import RUNS_MAX, columns_of, offered_fields
from experiments.queries.search import FoundRun, View, count_runs, search_runs
from experiments.search.tree import written_text
from experiments.values import Lifecycle
from kernel.actor import Actor
from kernel.errors import Invalid

FIELDS_MAX = 40


@require_safe
@signed_in
def of_project(request: HttpRequest, slug: str) -> HttpResponse:
    """The points of the runs that the run table's question finds. A query that is wrong is refused, with its place."""
    viewer = actor_of(request)
    project, asked = asked_of(request, slug)
    scope: dict[str, Any] = {
        "project": project,
        "experiments": asked.experiment_ids or None,
        "text": asked.query,
        "view": asked.lives,
    }
    page = search_runs(viewer, **scope, order=asked.order, limit=RUNS_MAX)
    cut = page.next_token is not None
    rest = asked.kept("q", "good", "sort", "columns", "saved")
    return _answer(
        request,
        viewer,
        page.rows,
        metric_directions(viewer, project),
        total=str(count_runs(viewer, **scope)) if cut else f"{len(page.rows):,}",
        cut=cut,
        table=_table_of(project, rest),
        query=asked.query,
    )


@require_safe
@signed_in
def of_runs(request: HttpRequest) -> HttpResponse:
    """The points of the runs that an address names, from any projects. Raises NotFound for the first gone."""
    viewer = actor_of(request)
    named = runs_named(viewer, request.GET.get("runs", "").split(","))
    found: dict[str, FoundRun] = {}
    projects = {run.project for run in named}
    if named:
        ids = ", ".join(f"'{run.uid.hex}'" for run in named)
        page = search_runs(viewer, text=f"run_id IN ({ids})", view=View.ALL, limit=COMPARED_MAX)
        found = {run.uid: run for run in page.rows}
    runs = [found[run.uid.hex] for run in named if run.uid.hex in found]
    every = [("lifecycle", "all")] if any(run.lifecycle != Lifecycle.ACTIVE for run in runs) else []
    return _answer(
        request,
        viewer,
        runs,
        agreed_directions(viewer, projects),
        total=f"{len(runs):,}",
        cut=False,
        table=_table_of(next(iter(projects)) if len(projects) == 1 else None, every),
        query=f"id IN ({', '.join(written_text(run.readable_id) for run in runs)})" if runs else "",
    )


def _table_of(project: Project | None, pairs: Sequence[tuple[str, str]]) -> str:
    """The run table of a project, or of all, to which a query can be added."""
    address = reverse("experiments:runs", args=[project.slug]) if project else reverse("experiments:all_runs")
    return f"{address}?{urlencode(list(pairs))}" if pairs else address


def _answer(
    request: HttpRequest, viewer: Actor, runs: Sequence[FoundRun], directions: Mapping[str, bool], **told: Any
) -> HttpResponse:
    keys = list(dict.fromkeys(request.GET.getlist("field")))
    if len(keys) > FIELDS_MAX:
        raise Invalid(f"A panel draws at most {FIELDS_MAX} fields; these are {len(keys):,}.", field="field")
    fields = [field for key in keys if (field := point_field(key)) is not None]
    slots = slots_of(runs)
    body: dict[str, Any] = {
        "runs": [
            {"id": run.readable_id, "uid": run.uid, "name": run.name, "slot": of, "url": f"/r/{run.uid}/"}
            for run, of in zip(runs, slots, strict=True)
        ],
        "fields": columns_of(viewer, runs, fields, directions),
        "compare": reverse("experiments:compare"),
        "compared_max": COMPARED_MAX,
        **told,
    }
    if request.GET.get("offer"):
        body["offered"] = offered_fields(viewer, runs)
    response = HttpResponse(msgspec.json.encode(body), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response
