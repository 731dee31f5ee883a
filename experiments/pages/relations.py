"""What matters: how the parameters of the runs that match relate to one result. Follows the run table's own filter."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from experiments.actions.exports import note_taken
from experiments.compare.correlation import (
    TOO_FEW,
    Floats,
    as_numbers,
    group,
)
from experiments.compare.importance import LEAST, METHOD
from experiments.compare.matrix import Figure
from experiments.compare.relations import Relation, related
from experiments.exporting.fields import Field, Kind
from experiments.pages.asked import Asked
from experiments.pages.drawing import csv_file
from experiments.pages.figures import weight_of
from experiments.pages.pictures import Boxes, Scatter, boxes, scatter
from experiments.pages.query_bar import bar_of
from experiments.pages.questions import Problem, asked_of
from experiments.pages.relation_panels import alone_text, panels_of, points_url
from experiments.queries.experiments import metric_directions
from experiments.queries.record import SYSTEM_PREFIX
from experiments.queries.relations import PARAMS_MAX, RUNS_MAX, Gathered, gather, offered_results, results_of
from experiments.search.errors import QueryError
from kernel.actor import Actor
from kernel.errors import Invalid

CSV_FIELDS = (
    Field("param"),
    Field("kind"),
    Field("n", Kind.INTEGER),
    *(Field(name, Kind.NUMBER) for name in ("pearson", "spearman", "eta_squared", "importance", "importance_error")),
)
PICTURES = 12  # the parameters that matter most, drawn


@dataclass(frozen=True, slots=True)
class Question:
    """What an address asks: the run table's filter, a result and which figure of it."""

    table: Asked
    result: str
    figure: Figure

    def url(self, name: str, project: Project, **change: Any) -> str:
        """The address of this question, with some of it changed."""
        asked = replace(self, **change)
        pairs = [*self.table.kept("columns", "sort", "good"), ("result", asked.result), ("figure", asked.figure.value)]
        return f"{reverse(f'experiments:{name}', args=[project.slug])}?{urlencode(pairs)}"


@require_safe
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The page: the ranking, and a picture for each of the parameters that matter most."""
    viewer = actor_of(request)
    project, asked = _asked(request, slug)
    held, problem = _gathered(viewer, project, asked.table)
    directions = metric_directions(viewer, project)
    offered = [key for key in offered_results(viewer, held.runs) if not key.startswith(SYSTEM_PREFIX)]
    offered.sort(key=lambda key: weight_of(key, goal=project.goal_metric, directions=directions))
    asked = replace(asked, result=asked.result if asked.result in offered else (offered[0] if offered else ""))
    line = replace(asked.table, path=reverse("experiments:relations", args=[project.slug]))
    context: dict[str, Any] = {
        "at": "runs",
        "project": project,
        "asked": asked,
        "problem": problem,
        "line": line,
        **bar_of(request, project, line, problem),
        "query_fields": [("result", asked.result), ("figure", asked.figure.value)],
        "held": held,
        "offered": offered,
        "runs_max": RUNS_MAX,
        "params_max": PARAMS_MAX,
        "too_few": TOO_FEW,
        "least": LEAST,
        "method": METHOD,
        "arrow": {True: "↑", False: "↓", None: ""}[directions.get(asked.result)],
        "kept": asked.table.kept("columns", "sort", "good"),
        "figures": [(one, one.word, asked.url("relations", project, figure=one)) for one in Figure],
        "table_url": f"{reverse('experiments:runs', args=[project.slug])}?{urlencode(asked.table.kept())}",
        "csv_url": asked.url("relations_csv", project),
    }
    if asked.result:
        y = results_of(viewer, held.runs, asked.result, asked.figure, directions.get(asked.result))
        ranking, relations = related(held.params, y, PARAMS_MAX)
        context |= {
            "n": int(np.isfinite(y).sum()),
            "ranking": ranking,
            "relations": relations,
            **_pictures(project, asked, held, relations[:PICTURES], y),
        }
    return render(request, "experiments/relations.html", context)


def _pictures(
    project: Project, asked: Question, held: Gathered, relations: Sequence[Relation], y: Floats
) -> dict[str, Any]:
    """A small picture of each parameter, what opens it in the panel that is touched, and the panels themselves."""
    result = f"metrics.{asked.result}.{asked.figure.value}"
    pictures = [(one, picture_of(held, one, y)) for one in relations]
    named = [(one.name, picture) for one, picture in pictures]
    return {
        "pictures": [(one, picture, alone_text(result, one.name, picture)) for one, picture in pictures],
        "panels": panels_of(asked.table, result, named) if named else [],
        "points_url": points_url(project, asked.table),
    }


@require_safe
@signed_in
def as_file(request: HttpRequest, slug: str) -> HttpResponse:
    """The figures as CSV."""
    viewer = actor_of(request)
    project, asked = _asked(request, slug)
    held = _gather(viewer, project, asked.table)
    if not asked.result:
        raise Invalid("Say which metric is the result.", field="result")
    directions = metric_directions(viewer, project)
    y = results_of(viewer, held.runs, asked.result, asked.figure, directions.get(asked.result))
    _, relations = related(held.params, y, PARAMS_MAX)
    lines = [
        [
            one.name,
            one.kind,
            one.n,
            one.correlation.pearson if one.correlation else None,
            one.correlation.spearman if one.correlation else None,
            one.grouping.eta_squared if one.grouping else None,
            one.importance.share if one.importance else None,
            one.importance.error if one.importance else None,
        ]
        for one in relations
    ]
    about = f", query: {asked.table.query}" if asked.table.query else ""
    what = f"Exported what matters for '{asked.result}' as CSV, {len(held.runs)} runs{about}"
    note_taken(viewer, project, what=what)
    return csv_file(f"{project.slug}-what-matters", CSV_FIELDS, lines)


def _asked(request: HttpRequest, slug: str) -> tuple[Project, Question]:
    project, table = asked_of(request, slug)
    figure = request.GET.get("figure", "")
    chosen = Figure(figure) if figure in list(Figure) else Figure.BEST
    return project, Question(table, request.GET.get("result", ""), chosen)


def _gather(viewer: Actor, project: Project, table: Asked) -> Gathered:
    return gather(viewer, project, experiments=table.experiment_ids or None, text=table.query, view=table.lives)


def _gathered(viewer: Actor, project: Project, table: Asked) -> tuple[Gathered, Problem | None]:
    try:
        return _gather(viewer, project, table), None
    except QueryError as error:
        return Gathered([], {}, more=False), Problem.of(error, table.query)


def picture_of(held: Gathered, relation: Relation, y: Floats) -> Scatter | Boxes:
    """A scatter with its trend for numbers, boxes for words."""
    values = held.params[relation.name]
    if relation.correlation is not None:
        return scatter(as_numbers(values), y, relation.correlation)
    return boxes(relation.grouping or group(values, y))
