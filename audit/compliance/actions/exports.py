"""Taking the log out is on record itself."""

from accounts.access import require
from accounts.decorators import action
from accounts.models import Project
from audit.ledger.acting import current_act
from kernel.actor import Actor


@action("compliance.report", on="project")
def export_log(actor: Actor, project: Project, *, what: str) -> None:
    """One event without a change: that the actor took this part of the log out. Raises Refused, NotFound."""
    require(actor, "projects.read_log", project)
    act = current_act()
    act.always = True
    act.reason = what[:2_000]
