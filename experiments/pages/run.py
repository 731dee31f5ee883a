"""A run on one screen, and the door to its tabs."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.access import can
from accounts.pages.doors import actor_of, signed_in
from artifacts.queries.files import files_of
from experiments.actions.runs import delete_run, lock_run, restore_run, unlock_run
from experiments.conditions import conditions_of
from experiments.gone import Gone
from experiments.models import MetricSeries, Run
from experiments.pages import artifacts, code, comments, console, curves, history
from experiments.pages.decisions import citing_context
from experiments.pages.figures import figures_of, is_curve, weight_of
from experiments.pages.frame import run_frame, tab_url
from experiments.pages.inputs import described_inputs
from experiments.pages.notes import note_context
from experiments.pages.slots import again_command_of, conditions_elsewhere_of, data_panels_of, gone_pages, panels_of
from experiments.queries.experiments import metric_directions
from experiments.queries.history import RunEvent, history_of_run
from experiments.queries.record import SYSTEM_PREFIX, small_curves
from experiments.queries.reproductions import again_of, first_of
from experiments.queries.runs import get_run, inputs_of, params_of, series_of, tags_of
from kernel.actor import Actor
from kernel.errors import MledError, NotFound

TILES = 4
PARAMS_SHOWN = 9
AGAIN_SHOWN = 8
NEEDED_AGAIN = frozenset({"Code", "Command"})
LATEST_SHOWN, LATEST_READ = 3, 20
LOOKED_AT = frozenset({"experiments.note_export_of", "artifacts.open_file", "runner.note_bundle_of"})


@require_safe
@signed_in
def overview(request: HttpRequest, run: str) -> HttpResponse:
    """The run's overview."""
    try:
        found, context = run_frame(request, run, "overview")
    except Gone as gone:
        if not gone_pages:
            raise
        return gone_pages[0](request, gone.run)
    viewer = actor_of(request)
    params, tags = params_of(viewer, found), tags_of(viewer, found)
    series, inputs = series_of(viewer, found), inputs_of(viewer, found)
    directions = metric_directions(viewer, found.project)
    by_weight = key_metrics(series, directions, found.project.goal_metric)
    panels = panels_of(viewer, found)
    paths = [file.path for file in files_of(viewer, found.artifact_root)]
    paths += [path for panel in panels for path in panel.package_files]
    conditions = conditions_of(found, params=params, tags=tags, series=series, inputs=inputs, paths=paths)
    context |= {
        "tiles": tiles_of(found, by_weight[:TILES], directions),
        "curve": first_curve(found, by_weight),
        "values": [figures_of(one, directions.get(one.key)) for one in by_weight[:PARAMS_SHOWN]],
        "params": list(params.items())[:PARAMS_SHOWN],
        "params_total": len(params),
        "inputs": described_inputs(inputs),
        "panels": panels,
        "first": shown_first(viewer, found),
        "again": again_of(viewer, found),
        **note_context(request, viewer, found),
        **citing_context(viewer, found),
        "tags": [(key, value) for key, value in tags.items() if not key.startswith("mlflow.")],
        "conditions": conditions,
        "conditions_elsewhere": conditions_elsewhere_of(request, viewer, found),
        "again_there": again_command_of(viewer, found),
        "again_command": f"mled recreate {found.readable_id}",
        "again_without": [one.name.lower() for one in conditions.missing if one.name in NEEDED_AGAIN],
        "latest": history.entries_of(viewer, latest_changes(viewer, found), inputs),
    }
    return render(request, "experiments/run_overview.html", context)


def shown_first(viewer: Actor, run: Run) -> dict[str, Any] | None:
    """The run that this one does again, with its figures beside ours."""
    found = first_of(viewer, run)
    if found is None:
        return None
    rows = found.rows[:AGAIN_SHOWN]
    return {
        "run": found.other,
        "verdict": found.verdict,
        "rows": rows,
        "more": len(found.rows) - len(rows),
        "kept": found.kept,
        "with_changes": found.with_changes,
    }


def latest_changes(viewer: Actor, run: Run) -> list[RunEvent]:
    """The newest events that changed something: who only looked or took figures out is told by the history."""
    told = history_of_run(viewer, run, limit=LATEST_READ)
    return [one for one in told if one.past.event.verb not in LOOKED_AT][:LATEST_SHOWN]


def key_metrics(series: Sequence[MetricSeries], directions: dict[str, bool], goal: str) -> list[MetricSeries]:
    """The run's own metrics, what tells most first: goal, those with a direction, those on held-out data."""
    own = [one for one in series if not one.key.startswith(SYSTEM_PREFIX)]
    return sorted(own, key=lambda one: weight_of(one.key, goal=goal, directions=directions))


def tiles_of(run: Run, series: Sequence[MetricSeries], directions: dict[str, bool]) -> list[dict[str, Any]]:
    """A figure, a small curve and the extremes of each key metric."""
    small = small_curves(series)
    tiles = []
    for one in series:
        said = figures_of(one, directions.get(one.key))
        tiles.append(
            {
                "key": said.key,
                "arrow": said.arrow,
                "value": said.last,
                "full": said.full,
                "spark": small.get(one.pk, []),
                "url": f"{tab_url(run, 'curves')}#{said.key}",
                "foot": said.best
                or (f"at step {said.step}" if not is_curve(one) else f"min {said.min}, max {said.max}"),
            }
        )
    return tiles


def first_curve(run: Run, series: Sequence[MetricSeries]) -> dict[str, str] | None:
    """The curve that the overview draws: the first metric with more than one step."""
    drawn = next((one for one in series if is_curve(one)), None)
    if drawn is None:
        return None
    said = figures_of(drawn)
    return {"key": said.key, "data_url": curves.data_url(run, drawn), "sentence": said.sentence}


@require_safe
@signed_in
def params(request: HttpRequest, run: str) -> HttpResponse:
    """Everything that was set or measured, in tables."""
    found, context = run_frame(request, run, "params")
    viewer = actor_of(request)
    directions = metric_directions(viewer, found.project)
    context |= {
        "params": params_of(viewer, found),
        "metrics": [figures_of(one, directions.get(one.key)) for one in series_of(viewer, found)],
        "tags": tags_of(viewer, found),
        "may_set_direction": bool(can(viewer, "experiments.set_direction", found.project)),
    }
    return render(request, "experiments/run_params.html", context)


@require_safe
@signed_in
def data(request: HttpRequest, run: str) -> HttpResponse:
    """The dataset versions that went into the run."""
    found, context = run_frame(request, run, "data")
    viewer = actor_of(request)
    context["inputs"] = described_inputs(inputs_of(viewer, found))
    context["panels"] = data_panels_of(request, viewer, found)
    return render(request, "experiments/run_data.html", context)


TAB_PAGES: dict[str, Callable[..., HttpResponseBase]] = {
    "curves": curves.page,
    "system": curves.system_page,
    "params": params,
    "console": console.page,
    "artifacts": artifacts.page,
    "code": code.page,
    "data": data,
    "notes": comments.page,
    "history": history.page,
}


@signed_in
def tab(request: HttpRequest, run: str, tab: str) -> HttpResponseBase:
    """One tab of a run."""
    page = TAB_PAGES.get(tab)
    if page is None:
        raise NotFound(f"A run has no tab '{tab}'.")
    return page(request, run)


ACTS: dict[str, tuple[Callable[..., Run], str]] = {
    "lock": (lock_run, "Locked. Nothing in this run can change until it is unlocked."),
    "unlock": (unlock_run, "Unlocked."),
    "delete": (delete_run, "Deleted. Its data is kept; restoring brings it back."),
    "restore": (restore_run, "Restored."),
}


@require_POST
@signed_in
def act(request: HttpRequest, run: str, verb: str) -> HttpResponse:
    """Lock, unlock, delete or restore the run, and back to it."""
    if verb not in ACTS:
        raise NotFound(f"A run has no act '{verb}'.")
    viewer = actor_of(request)
    found = get_run(viewer, run)
    function, words = ACTS[verb]
    try:
        function(viewer, found, reason=request.POST.get("reason", "").strip())
        messages.success(request, words)
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
    return redirect("experiments:run", run=found.uid.hex)
