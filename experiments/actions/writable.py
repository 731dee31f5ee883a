"""Whether a run or experiment takes writes now, asked under its lock inside the act."""

from accounts.access import require
from experiments.metrics.holding import RunState, hold_experiment, hold_run
from experiments.models import Experiment, Run
from experiments.state import locked
from experiments.values import Lifecycle, ReviewState
from kernel.actor import Actor
from kernel.errors import Conflict, NotFound

NOTES = frozenset({"mlflow.runName", "mlflow.note.content"})


def writable_run(run: Run, *, alone: bool = True) -> Run:
    """Lock the run and refuse if it is deleted or locked; a sealed one is reopened, and the event says so.

    Raises Conflict, Locked. alone=False lets other batches of points in at the same time.
    """
    state = hold_to_change(run, alone=alone or run.sealed_at is not None)
    if state.is_sealed:
        reopen(run)
    elif alone or state.experiment_id != run.experiment_id:  # moved since it was read
        run.refresh_from_db()
    return run


def hold_to_change(run: Run, *, alone: bool) -> RunState:
    """Lock the run's row until the commit. Raises Conflict where it is deleted, Locked, NotFound where it is gone."""
    state = hold_run(run.pk, alone=alone)
    if state is None:
        raise NotFound("No such run was found.")
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
