"""Curves of many runs over one another: those that the run table's question finds, or those that are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Project
from accounts.pages.doors import signed_in
from experiments.models import Run
from experiments.pages.asked import Asked
from experiments.pages.chart_lines import Grouped, Line, first_groups, group_lines, run_lines
from experiments.pages.chart_look import look_of
from experiments.pages.figures import weight_of
from experiments.pages.grouped import word_of
from experiments.pages.questions import asked_of, charted, over_to
from experiments.queries.curves import differing_fields, final_values, groups_of, metric_keys
from experiments.queries.experiments import metric_directions
from experiments.queries.record import SYSTEM_PREFIX
from experiments.queries.table import Names
from kernel.actor import Actor

BY_HAND_FROM = 100  # with more metrics than these, the reader picks which are drawn
PICKED_MAX = 60
FIELDS_MAX = 60
OFFERED_MAX = 500
Section = tuple[str, list[tuple[str, str]]]


@require_safe
@signed_in
def of_project(request: HttpRequest, slug: str) -> HttpResponse:
    """The address that charts had of their own: they are a view of the run table now."""
    project, _ = asked_of(request, slug)
    pairs = [(name, value) for name in request.GET for value in request.GET.getlist(name) if name != "view"]
    return redirect(over_to("runs", project, [*pairs, ("view", "charts")]))


def charts_context(
    request: HttpRequest, viewer: Actor, project: Project, asked: Asked, *, text: str, names: Names
) -> dict[str, Any]:
    """What templates/experiments/charts_view.html shows, on a page that loads dist/charts.js.

    text: the query that is answered, the last good one; names: what the question's runs hold.
    """
    runs, more = charted(viewer, project, asked, text)
    ways = metric_directions(viewer, project)
    question = replace(asked, query=text, good="").kept("columns", "good", "saved")
    context = charts_of(request, viewer, runs, ways, goal=project.goal_metric)
    drawn = {run.readable_id: asked.draws(run.readable_id, place) for place, run in enumerate(runs)}
    if not context["grouped"].fields:
        context["lines"] = [
            replace(line, is_drawn=drawn[line.ref], eye_url=asked.eye_url(line.ref, line.place))
            for line in context["lines"]
        ]
    context["model"] |= {
        "project": project.slug,
        "count": asked.count,
        "points": over_to("points", project, question),
        "matters": over_to("matters_figures", project, question),
        "mattersPage": over_to("relations", project, question),
        "hidden": [ref for ref, is_drawn in drawn.items() if not is_drawn],
        "offered": {
            "metrics": [key for key in names.metrics if not key.startswith(SYSTEM_PREFIX)][:OFFERED_MAX],
            "params": sorted(names.params, key=lambda name: (name not in names.varying, name))[:OFFERED_MAX],
            "tags": [name for name in names.tags if not name.startswith("mlflow.")][:OFFERED_MAX],
        },
    }
    return {
        **context,
        "at": "charts",
        "more_runs": more,
        "may_add_panels": True,
        "group_words": [word_of(key) for key in asked.group],
        "every_chart_url": _without(asked, "metric"),
    }


def _without(asked: Asked, name: str) -> str:
    return asked.url([pair for pair in asked.all_kept() if pair[0] != name])


def charts_of(
    request: HttpRequest,
    viewer: Actor,
    runs: Sequence[Run],
    ways: Mapping[str, bool],
    *,
    goal: str = "",
    system: bool = False,
) -> dict[str, Any]:
    """The list of lines, the sections of metrics, where the data come from, and all of it for the script.

    system: what the machines did instead of what the runs measured.
    """
    grouped = Grouped.parse(request.GET)
    groups = groups_of(viewer, runs, grouped.fields) if grouped.fields else {}
    hidden = frozenset(request.GET.getlist("off" if groups else "hide"))
    goal = goal or (runs[0].project.goal_metric if runs else "")
    keys = [key for key in metric_keys(viewer, runs) if key.startswith(SYSTEM_PREFIX) == system]
    keys.sort(key=lambda key: weight_of(key, goal=goal, directions=ways))
    measured = goal if goal and not system else next(iter(keys), "")
    of_runs = run_lines(runs, final_values(viewer, runs, measured, ways.get(measured)), hidden)
    lines = group_lines(first_groups(groups), hidden) if groups else of_runs
    model = _model_of(viewer, runs, of_runs, keys, goal)
    return {
        "runs": runs,
        "lines": lines,
        "measured": measured,
        "grouped": grouped,
        "groups_cut": len(groups) - len(lines) if groups else 0,
        "look": look_of(request.GET, keys),
        "figures": {},
        "csv_url": _with_pairs(reverse("experiments:charts_csv"), [("runs", _refs(runs)), *grouped.pairs]),
        "model": {**model, "hidden": [line.ref for line in lines if not line.is_drawn]},
        **_choice_of(request, keys, ways),
    }


def _refs(runs: Sequence[Run]) -> str:
    return ",".join(run.readable_id for run in runs)


def _with_pairs(path: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(list(pairs), safe=',')}"


def _model_of(viewer: Actor, runs: Sequence[Run], lines: Sequence[Line], keys: list[str], goal: str) -> dict[str, Any]:
    """What the script knows of the page: static/src/charts/model.ts."""
    return {
        "runs": [{"ref": line.ref, "name": line.name, "slot": line.slot, "url": line.url} for line in lines],
        "fields": differing_fields(viewer, runs, FIELDS_MAX),
        "metrics": keys,
        "goal": goal,
        "data": _with_pairs(reverse("experiments:charts_data"), [("runs", _refs(runs))]),
        "noted": reverse("experiments:charts_noted"),
        "offered": {"metrics": keys, "params": [], "tags": []},
    }


def _choice_of(request: HttpRequest, keys: list[str], ways: Mapping[str, bool]) -> dict[str, Any]:
    """Which metrics are drawn: all of them, or of many those that the reader picked."""
    picked = [key for key in request.GET.getlist("metric") if key in keys][:PICKED_MAX]
    by_hand = bool(picked) or len(keys) > BY_HAND_FROM
    choices = [(prefix, [(key, key in picked) for key, _ in group]) for prefix, group in sections_of(keys, ways)]
    return {
        "sections": sections_of(picked if by_hand else keys, ways),
        "by_hand": by_hand,
        "metric_choices": choices if by_hand else [],
        "metrics_count": len(keys),
        "kept_for_picking": [
            (name, value) for name in request.GET for value in request.GET.getlist(name) if name != "metric"
        ],
    }


def sections_of(keys: Sequence[str], ways: Mapping[str, bool]) -> list[Section]:
    """(prefix, [(metric, arrow)]) by the part of the name before the last slash."""
    found: dict[str, list[tuple[str, str]]] = {}
    for key in keys:
        prefix = key.rpartition("/")[0]
        found.setdefault(f"{prefix}/" if prefix else "Metrics", []).append(
            (key, {True: "↑", False: "↓", None: ""}[ways.get(key)])
        )
    return list(found.items())
