"""Taking data out is on record: who, what, how much."""

from accounts.decorators import action
from accounts.models import Project
from audit.ledger.acting import current_act
from kernel.actor import Actor


@action("experiments.see", on="project")
def note_export(actor: Actor, project: Project, *, what: str) -> None:
    """One event without a change: that the actor took `what` out of the project, such as '312 runs as CSV'."""
    act = current_act()
    act.always = True
    act.reason = what[:2_000]
