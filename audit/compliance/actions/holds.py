"""Legal holds: placed over a project or one of its runs, and lifted again. Both with a reason, both on record."""

from accounts.decorators import action
from accounts.models import Project
from accounts.notices import tell
from accounts.queries.people import people_who
from accounts.texts import storable
from audit.compliance.models import LegalHold
from experiments.models import Run
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Invalid, NotFound

PERMISSION = "compliance.hold"
REASON_MAX = 2000


@action(PERMISSION, on="project")
def place_hold(actor: Actor, project: Project, *, reason: str, run: Run | None = None) -> LegalHold:
    """From now on nothing of the project, or of one run of it, goes. Raises Invalid, NotFound for another's run.

    The same hold for the same reason twice is a Conflict; for another matter it is a second hold.
    """
    why = checked_reason(reason, "Say why: a hold names the matter it is for; it is kept.")
    if run is not None and run.project_id != project.pk:
        raise NotFound("No such run was found in this project.", field="run")
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if LegalHold.objects.filter(project=project, run=run, reason=why, lifted_at=None).exists():
        raise Conflict("This hold stands already.", field="reason")
    hold = LegalHold(project=project, run=run, reason=why, placed_by_id=actor.user_id)
    hold.save()
    what = run.readable_id if run else project.name
    _tell(hold, f"{what} is under a legal hold: {why}")
    return hold


@action(PERMISSION, on="hold")
def lift_hold(actor: Actor, hold: LegalHold, *, reason: str) -> LegalHold:
    """End a hold. What it covered goes again by the usual ways. Raises Invalid, Conflict where it was lifted before."""
    why = checked_reason(reason, "Say why the hold is lifted; it is kept.")
    held: LegalHold = LegalHold.objects.select_for_update(of=("self",), no_key=True).get(pk=hold.pk)
    if held.lifted_at is not None:
        raise Conflict("This hold was lifted before.", hint="Look again.")
    held.lifted_by_id, held.lifted_at, held.lifted_reason = actor.user_id, now(), why
    held.save()
    what = held.run.readable_id if held.run else held.project.name
    _tell(held, f"The legal hold over {what} was lifted: {why}")
    return held


def checked_reason(reason: str, ask: str) -> str:
    """A reason as it is kept. Raises Invalid, with `ask` where there is none."""
    why = storable(reason.strip(), "A reason", field="reason")
    if not why:
        raise Invalid(ask, field="reason")
    if len(why) > REASON_MAX:
        raise Invalid(f"A reason has at most {REASON_MAX} characters.", field="reason")
    return why


def _tell(hold: LegalHold, text: str) -> None:
    project = hold.project
    tell(
        people_who(PERMISSION, project),
        kind="hold.lifted" if hold.lifted_at else "hold.placed",
        text=text,
        url=f"/p/{project.slug}/keeping/",
        project=project,
    )
