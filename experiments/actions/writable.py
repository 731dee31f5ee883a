"""Whether a run or experiment takes writes now, asked under its lock inside the act."""

from accounts.access import require
from audit.ledger.acting import current_act
from experiments.metrics.heartbeat import beat, is_client
from experiments.metrics.holding import RunState, hold_experiment, hold_run
from experiments.models import Experiment, Run
from experiments.queries.prepared import Prepared
from experiments.state import locked
from experiments.values import Lifecycle, ReviewState, RunStatus
from kernel.actor import Actor
from kernel.errors import Conflict, NotFound

NOTES = frozenset({"mlflow.runName", "mlflow.note.content"})


def writable_run(run: Run, *, alone: bool = True, is_progress: bool = False) -> Run:
    """Lock the run and refuse if it is deleted or locked; a sealed one is reopened, one that was taken for dead goes on
    where its own client gets on with it. The event says so.

    Raises Conflict, Locked. alone=False lets other batches of points in at the same time; is_progress: what is written
    comes from the computation itself, as tags and files that others add later do not.
    """
    is_held_alone = alone or run.sealed_at is not None or run.lost_at is not None
    state = _read_alone(run) if is_held_alone else hold_to_change(run, alone=False)
    if state.is_sealed:
        reopen(run)
    elif not is_held_alone and (state.is_lost or state.experiment_id != run.experiment_id):  # since it was read
        run.refresh_from_db()
    if is_client(actor := current_act().actor):
        if alone:
            run.heartbeat_at = beat(run.pk, run.heartbeat_at)
        if state.is_lost and is_progress and actor.user_id == run.created_by_id:
            _found_again(run)
    return run


def _found_again(run: Run) -> None:
    """Have a run that was taken for dead go on, in the act of whoever was heard of it."""
    run.status, run.ended_ms, run.lost_at = RunStatus.RUNNING, None, None
    run.save()
    act = current_act()
    act.reason = act.reason or "It was heard of again, so it is running after all."


_ALONE = Prepared(lambda pk: Run.objects.select_for_update(no_key=True).filter(pk=pk), int)


def _read_alone(run: Run) -> RunState:
    """Lock the run's row and read it again, in one statement. Raises as hold_to_change does."""
    fresh = next(iter(_ALONE(run.pk)), None)
    if fresh is None:
        raise NotFound("No such run was found.")
    run.take_over(fresh)
    is_sealed, is_lost = run.sealed_at is not None, run.lost_at is not None
    return _open_for_writing(run, RunState(run.lifecycle, run.is_locked, is_sealed, run.experiment_id, is_lost))


def hold_to_change(run: Run, *, alone: bool) -> RunState:
    """Lock the run's row until the commit. Raises Conflict where it is deleted, Locked, NotFound where it is gone."""
    state = hold_run(run.pk, alone=alone)
    if state is None:
        raise NotFound("No such run was found.")
    return _open_for_writing(run, state)


def _open_for_writing(run: Run, state: RunState) -> RunState:
    if state.lifecycle != Lifecycle.ACTIVE:
        raise Conflict(f"Run {run.uid.hex} is deleted.", hint="Restore it first.", field="run_id")
    if state.is_locked:
        raise locked(run)
    return state


def reopen(run: Run) -> None:
    """Clear the seal of a run that is about to change: the cleared columns stand in the event of that change.

    What was found compliant is so no longer: it was sealed when that was said, so no change goes past here.
    """
    run.refresh_from_db()
    run.sealed_at, run.seal = None, ""
    if run.review_state == ReviewState.COMPLIANT:
        run.review_state = ReviewState.CHANGED
    run.save()


def active_experiment(experiment: Experiment) -> Experiment:
    """The experiment as it is now, under its lock. Raises Conflict if it is deleted."""
    fresh: Experiment = Experiment.objects.select_for_update(no_key=True).get(pk=experiment.pk)
    if fresh.lifecycle != Lifecycle.ACTIVE:
        raise deleted(fresh)
    return fresh


def require_active(experiment: Experiment) -> None:
    """Keep the experiment as it is until the commit. Raises Conflict if it is deleted, NotFound if it is gone."""
    lifecycle = hold_experiment(experiment.pk)
    if lifecycle is None:
        raise NotFound("No such experiment was found.")
    if lifecycle != Lifecycle.ACTIVE:
        raise deleted(experiment)


def deleted(experiment: Experiment) -> Conflict:
    """The refusal that a deleted experiment gives."""
    return Conflict(f"Experiment '{experiment.name}' is deleted.", hint="Restore it first.", field="experiment_id")


def require_note_rights(actor: Actor, run: Run, keys: frozenset[str]) -> None:
    """Names and notes are their author's: raise Refused where someone else would change them."""
    if keys & NOTES:
        require(actor, "experiments.edit_notes", run)
