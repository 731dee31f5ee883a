"""Moving runs from one experiment of a project to another."""

from accounts.access import require
from accounts.decorators import action
from experiments import hooks
from experiments.actions.writable import hold_to_change, require_active
from experiments.locations import place_of
from experiments.models import Experiment, MetricSeries, Param, Run, RunTag
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid


@action("experiments.move_run", on="run")
def move_run(actor: Actor, run: Run, *, experiment: Experiment, reason: str = "") -> Run:
    """Put a run into another experiment of its project, with the models that it made. Runs nested in it stay.

    Its files, its seal and every address that was handed out stay good. Moving it where it is changes nothing. Raises
    NotFound, Refused where the actor may not log into the other experiment, Invalid for one of another project,
    Conflict while the run or the experiment is deleted or where files lie outside MLED, Locked.
    """
    require(actor, "experiments.log_run", experiment)
    if experiment.project_id != run.project_id:
        raise Invalid(
            f"Experiment '{experiment.name}' belongs to another project; runs stay in theirs.",
            hint="Choose an experiment of the same project.",
            field="experiment",
        )
    require_active(experiment)
    for move in hooks.run_moves:
        move(run, experiment)
    hold_to_change(run, alone=True)  # its seal says nothing of its experiment, so it stays
    run.refresh_from_db()
    if run.experiment_id == experiment.pk:
        return run
    _require_reachable_files(run.experiment, experiment)
    run.experiment = experiment
    run.save()
    for copies in (MetricSeries, Param, RunTag):
        copies.objects.filter(run=run).update(experiment=experiment)
    return run


def _require_reachable_files(left: Experiment, entered: Experiment) -> None:
    """A client finds a run's files below its experiment's location: outside MLED nobody moves them."""
    for one in (left, entered):
        if left.artifact_location != entered.artifact_location and place_of(one) is None:
            raise Conflict(
                f"The files of experiment '{one.name}' lie outside MLED, where they cannot follow.",
                hint="Move within experiments whose files MLED keeps.",
                field="experiment",
            )
