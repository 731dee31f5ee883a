"""Taking data out is on record: who, what, how much."""

from accounts.decorators import action
from accounts.models import Project
from audit.ledger.acting import current_act
from experiments.models import Run
from kernel.actor import Actor


@action("experiments.see", on="project")
def note_export(actor: Actor, project: Project, *, what: str) -> None:
    """One event without a change: that the actor took `what` out of the project, such as '312 runs as CSV'."""
    act = current_act()
    act.always = True
    act.reason = what[:2_000]


@action("experiments.see", on="run")
def note_export_of(actor: Actor, run: Run, *, what: str) -> None:
    """The same for what was taken out about this run: also who sees a single experiment of a project may do that."""
    act = current_act()
    act.always = True
    act.reason = what[:2_000]
    act.speaks_of(run.ledger_subject)
