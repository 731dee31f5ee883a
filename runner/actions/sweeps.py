"""Sweeps: begun and stopped by people, carried on by MLED as their jobs end, one run for each point of their space."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.access import can
from accounts.decorators import action
from artifacts.versions import require_usable
from audit.ledger.acting import apart, current_act
from experiments.actions.batches import write_params
from experiments.actions.runs import PARENT, create_run, set_tags, update_run
from experiments.actions.writable import require_active
from experiments.models import Experiment
from experiments.values import Lifecycle, RunStatus
from kernel.actor import Actor, ActorKind, Door
from kernel.clock import now
from kernel.errors import Conflict, MledError, Refused
from runner.actions.jobs import launch, stop_job
from runner.actions.recipes import keep_recipe
from runner.actions.telling import tell_owner_of_stop
from runner.checking_limits import beyond_rules
from runner.models import Job, Recipe, Sweep
from runner.names import checked_queue
from runner.queries.rules import rules_of
from runner.queries.sweeps import best_of
from runner.recipes import DEFAULT_QUEUE, Draft, draft_of, resources_of
from runner.sweep_axes import STEPS
from runner.sweeping import Plan, plain_space, points_of, read_space

SWEEP: Final = "mled.sweep"
BEST: Final = "mled.sweep.best"
ENDED_BECAUSE: Final = "mled.sweep.ended"
SEED: Final = "seed"
FAILED_EARLY: Final = 3  # so many, or a whole round, and none that finished
RETRY_TAKES: Final = timedelta(minutes=5)
WHY_MAX: Final = 1000
WORDS_MAX: Final = 500  # of a list of values, as a parameter of the parent


@dataclass(frozen=True, slots=True)
class _Tally:
    """begun: points with a job; open: jobs under way, or about to be tried again; failed: by their own fault."""

    begun: int
    open: int
    finished: int
    failed: int
    seconds: float
    last_why: str


@action("runner.launch", on="experiment")
def begin_sweep(
    actor: Actor,
    experiment: Experiment,
    *,
    draft: Draft,
    plan: Plan,
    name: str = "",
    tags: Mapping[str, str] | None = None,
    queue: str = DEFAULT_QUEUE,
    retries: int = 0,
) -> Sweep:
    """Ask for many runs of one recipe, each with other parameters, below one parent run. The first begin at once.

    draft: checked, with any of the points in it. Raises Invalid where it is more runs than the budget, Conflict.
    """
    checked_queue(queue)
    count = plan.count()
    points = list(points_of(plan.space, plan.method, seed=plan.seed, count=count))
    fixed = {key: value for key, value in draft.params.items() if key not in plan.space}
    base = replace(draft, params=fixed, seed=None if SEED in plan.space else draft.seed)
    recipe = keep_recipe(actor, experiment.project, base)
    parent = create_run(actor, experiment, name=name, tags=dict(tags or {}), started_ms=_now_ms())
    sweep = Sweep(
        project_id=experiment.project_id,
        parent=parent,
        recipe=recipe,
        method=plan.method,
        space=plain_space(plan.space),
        seed=plan.seed,
        queue=queue,
        at_once=plan.at_once,
        jobs_max=len(points),
        seconds_max=plan.seconds_max,
        retries=retries,
        metric=plan.metric,
        higher_is_better=plan.higher_is_better,
        created_by_id=actor.user_id,
    )
    sweep.save()
    set_tags(actor, parent, tags={SWEEP: sweep.pk.hex})
    write_params(parent, _params_of_parent(recipe, plan))
    update_run(actor, parent, status=RunStatus.RUNNING)
    _begin_more(_locked(sweep.pk), points, of=actor)
    return sweep


def _params_of_parent(recipe: Recipe, plan: Plan) -> list[tuple[str, str]]:
    fixed = [(key, str(value)) for key, value in recipe.params.items()]
    seed = [] if recipe.seed is None else [(SEED, str(recipe.seed))]
    swept = [(f"sweep.{name}", axis_words(axis.plain())[:WORDS_MAX]) for name, axis in plan.space.items()]
    return [*fixed, *seed, *swept]


def axis_words(said: Any) -> str:
    """What a parameter takes, as people type it."""
    if isinstance(said, list):
        return ", ".join(str(one) for one in said)
    looks_whole = said["low"] == int(said["low"]) and said["high"] == int(said["high"])
    kind = "" if said["whole"] == looks_whole else " whole" if said["whole"] else " real"
    steps = "" if said.get("steps", STEPS) == STEPS else f" {said['steps']} steps"
    return f"{said['low']:g}..{said['high']:g}" + (" log" if said["log"] else "") + kind + steps


@action("runner.launch", on="sweep")
def carry_sweep(actor: Actor, sweep: Sweep) -> Sweep:
    """Begin as many of its runs as may go on at once, or end it where nothing is left to do. Called by the system.

    Whoever calls, and however often, no point is begun twice: its row is held, and what was begun is counted.
    """
    if actor.is_person:
        raise Refused("MLED carries sweeps on by itself.", hint="You can stop it.")
    held = _locked(sweep.pk)
    if held.state != Sweep.State.RUNNING:
        return held
    tally = _tallied(held)
    if tally.finished == 0 and tally.failed >= max(FAILED_EARLY, held.at_once):
        words = f"The first {tally.failed} runs all failed, so no more were begun. The last of them: {tally.last_why}"
        _end(actor, held, Sweep.State.STOPPED, RunStatus.FAILED, words)
        return held
    hindrance = _hindrance(held, tally)
    if not hindrance and tally.begun < held.jobs_max:
        begun = _begin_more(held, _points_left(held, tally), of=_owner_of(held, actor), open_now=tally.open)
    else:
        begun = 0
    if tally.open + begun == 0:
        _end_by_itself(actor, held, tally, hindrance)
    return held


def _begin_more(held: Sweep, points: list[dict[str, Any]], *, of: Actor, open_now: int = 0) -> int:
    """Launch the next of these points, as many as may go on beside those that do; how many."""
    base, parent = draft_of(held.recipe), held.parent
    first = held.jobs_max - len(points)
    now_begun = points[: max(0, held.at_once - open_now)]
    for place, point in enumerate(now_begun, start=first + 1):
        with apart():  # each of its runs has an event that tells how it began
            launch(
                of,
                parent.experiment,
                draft=at_point(base, point),
                name=f"{parent.name[:480]} {place}",
                tags={PARENT: parent.uid.hex},
                queue=held.queue,
                retries=held.retries,
                sweep=held,
            )
    return len(now_begun)


def at_point(base: Draft, point: Mapping[str, Any]) -> Draft:
    """The recipe with these parameters; the name `seed` stands for its seed."""
    params = {**base.params, **{name: value for name, value in point.items() if name != SEED}}
    return replace(base, params=params, seed=int(point[SEED]) if SEED in point else base.seed)


def _points_left(held: Sweep, tally: _Tally) -> list[dict[str, Any]]:
    points = list(points_of(read_space(held.space), held.method, seed=held.seed, count=held.jobs_max))
    return points[tally.begun :]


def _hindrance(held: Sweep, tally: _Tally) -> str:
    """Why no more runs may begin; '' where they may."""
    if held.seconds_max is not None and tally.seconds >= held.seconds_max:
        return f"Its budget of {held.seconds_max:,} seconds was used up after {tally.begun} of {held.jobs_max} runs."
    owner = _owner_of(held, None)
    if owner is not None and not (verdict := can(owner, "runner.launch", held.parent.experiment)):
        return f"Whoever began it may not start runs here any more. {getattr(verdict, 'reason', '')}".strip()
    if held.parent.lifecycle != Lifecycle.ACTIVE:
        return "Its parent run was deleted."
    recipe = held.recipe
    if words := beyond_rules(rules_of(held.project), has_network=recipe.has_network, resources=resources_of(recipe)):
        return words
    try:
        require_active(held.parent.experiment)
        for one in held.recipe.inputs.select_related("version__dataset"):
            require_usable(one.version)
    except MledError as error:
        return error.message
    return ""


def _owner_of(held: Sweep, otherwise: Actor | None) -> Any:
    """Whoever began it, with the rights that they have now."""
    user = held.created_by
    if user is None:
        return otherwise
    return Actor(ActorKind.USER, Door.TASK, user_id=user.pk, user_name=str(user), is_active=user.is_active)


def _tallied(held: Sweep) -> _Tally:
    """What became of its jobs so far, in one statement."""
    columns = ("state", "cause", "why", "retry_of_id", "retries_left", "retried_as", "started_at", "ended_at")
    rows = list(Job.objects.filter(sweep=held).order_by("created_at").values(*columns))
    moment = now()
    waiting = [row for row in rows if _will_be_tried_again(row, moment)]
    failed = [row for row in rows if row["state"] == Job.State.FAILED and row["cause"] != Job.Cause.WORKER]
    spent = (((row["ended_at"] or moment) - row["started_at"]).total_seconds() for row in rows if row["started_at"])
    return _Tally(
        begun=sum(row["retry_of_id"] is None for row in rows),
        open=len(waiting) + sum(row["state"] in Job.OPEN for row in rows),
        finished=sum(row["state"] == Job.State.FINISHED for row in rows),
        failed=len(failed),
        seconds=sum(spent),
        last_why=failed[-1]["why"][:WHY_MAX] if failed else "",
    )


def _will_be_tried_again(row: Mapping[str, Any], moment: Any) -> bool:
    """Whether its worker was lost just now and the next attempt is not there yet."""
    lost = row["state"] == Job.State.FAILED and row["cause"] == Job.Cause.WORKER
    return lost and row["retries_left"] > 0 and row["retried_as"] is None and moment - row["ended_at"] < RETRY_TAKES


def _end_by_itself(actor: Actor, held: Sweep, tally: _Tally, hindrance: str) -> None:
    counted = f"{tally.finished} of {tally.begun} runs finished."
    status = RunStatus.FINISHED if tally.finished else RunStatus.FAILED
    if hindrance and tally.begun < held.jobs_max:
        _end(actor, held, Sweep.State.STOPPED, status, f"{hindrance} {counted}")
    else:
        _end(actor, held, Sweep.State.DONE, status, counted)


@action("runner.stop", on="sweep")
def stop_sweep(actor: Actor, sweep: Sweep, *, reason: str = "") -> Sweep:
    """Stop a sweep: what waits is over at once, what is under way as soon as its worker hears of it.

    Raises Conflict where it is over already.
    """
    held = _locked(sweep.pk)
    if held.state != Sweep.State.RUNNING:
        raise Conflict("This sweep is over already.", hint="Begin a new one if you need it.")
    tell_owner_of_stop(actor, held.parent, held.created_by, "sweep", reason)
    by = f"{actor.user_name or 'MLED'} stopped it."
    _end(actor, held, Sweep.State.STOPPED, RunStatus.KILLED, f"{by} {reason}".strip())
    return held


def _end(actor: Actor, held: Sweep, state: Sweep.State, status: RunStatus, because: str) -> None:
    held.state, held.ended_because = state, because
    held.save()
    for job in Job.objects.filter(Q(sweep=held), state__in=Job.OPEN).order_by("created_at"):
        with suppress(Conflict), transaction.atomic(), apart():  # it ended just now
            stop_job(actor, job, reason="Its sweep was stopped.")
    best = best_of(actor, held)
    told = {ENDED_BECAUSE: because, **({BEST: best.job.run.uid.hex} if best else {})}
    held.parent.refresh_from_db()
    if held.parent.is_locked or held.parent.lifecycle != Lifecycle.ACTIVE:
        return  # nobody writes into it any more; the sweep itself says how it ended
    set_tags(actor, held.parent, tags=told)
    update_run(actor, held.parent, status=status, ended_ms=_now_ms())


def _locked(sweep_id: UUID) -> Sweep:
    rows = Sweep.objects.select_for_update(of=("self",), no_key=True)
    held = rows.select_related("parent__experiment__project", "project", "recipe", "created_by").get(pk=sweep_id)
    current_act().speaks_of(held.parent.ledger_subject, whatever_is_made=True)  # it is told with its parent run
    return held


def _now_ms() -> int:
    return int(now().timestamp() * 1000)
