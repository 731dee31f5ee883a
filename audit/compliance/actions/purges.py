"""Purging runs whose retention ran out: a manager asks, an administrator who is somebody else carries it out."""

from collections.abc import Sequence

from django.db.models import QuerySet

from accounts.access import not_found
from accounts.decorators import action
from accounts.models import Project
from accounts.notices import tell
from accounts.queries.people import people_who
from audit.compliance.actions.holds import checked_reason
from audit.compliance.due import keeps_of
from audit.compliance.hands import hands_in
from audit.compliance.holds import refuse_held
from audit.compliance.models import Purge, RunStanding, Tombstone
from experiments.actions.purging import empty_run, facts_digest
from experiments.gone import without_gone
from experiments.models import Run
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Invalid, Refused

ASK, PURGE = "compliance.purge_ask", "compliance.purge"
RUNS_MAX = 200


@action(ASK, on="project")
def ask_purge(actor: Actor, project: Project, *, runs: Sequence[Run], reason: str) -> Purge:
    """Ask that runs are removed for good. Raises Invalid, Refused for one's own, Conflict for what has to stay."""
    why = checked_reason(reason, "Say why these runs are no longer needed; it is kept.")
    if not runs or len(runs) > RUNS_MAX:
        raise Invalid(f"A purge is asked for 1 to {RUNS_MAX} runs.", field="runs")
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    held = _held_runs(project, sorted({run.pk for run in runs}))
    if len(held) != len({run.pk for run in runs}):
        raise not_found(Run)
    for run in held:
        _refuse_own(actor, run, "asks that it is purged")
    _refuse_kept(project, held)
    asked = {uid for uids in _open(project).values_list("runs", flat=True) for uid in uids}
    for run in held:
        if run.uid.hex in asked:
            raise Conflict(f"Somebody asked already that {run.readable_id} is purged.", field="runs")
    purge = Purge(project=project, runs=sorted(run.uid.hex for run in held), reason=why, asked_by_id=actor.user_id)
    purge.save()
    return purge


@action(ASK, on="purge")
def withdraw_purge(actor: Actor, purge: Purge, *, reason: str = "") -> Purge:
    """Take back what was asked. Raises Conflict where it was decided."""
    return _decided(actor, _held(purge), Purge.State.WITHDRAWN, reason.strip())


@action(PURGE, on="purge")
def refuse_purge(actor: Actor, purge: Purge, *, reason: str) -> Purge:
    """Do not purge. Raises Invalid without a reason, Conflict where it was decided."""
    why = checked_reason(reason, "Say why it is not purged; it is kept.")
    decided = _decided(actor, _held(purge), Purge.State.REFUSED, why)
    _tell(decided, f"What you asked to be purged stays: {why}")
    return decided


@action(PURGE, on="purge")
def carry_out_purge(actor: Actor, purge: Purge, *, reason: str) -> Purge:
    """Remove for good what is in these runs; a tombstone stays of each. All of them or none.

    Raises Invalid without a reason, Refused for whoever asked or had a hand in one, Conflict or Locked for what has to
    stay by now.
    """
    why = checked_reason(reason, "Say why you purge it; it is kept.")
    held = _held(purge)
    if actor.is_person and actor.user_id == held.asked_by_id:
        raise Refused("Somebody else than who asked for it carries a purge out.", hint="Ask another administrator.")
    runs = _held_runs(held.project, _runs_of(held))
    if len(runs) != len(held.runs):
        raise Conflict("Not all of these runs are there any more.", hint="Refuse this purge, and have it asked anew.")
    refuse_held(held.project_id, {run.pk for run in runs})
    for run in runs:
        _refuse_own(actor, run, "purges it")
    _refuse_kept(held.project, runs)
    for run in runs:
        digest = facts_digest(run)
        removed = empty_run(run)
        RunStanding.objects.filter(run=run).delete()
        Tombstone(run=run, purge=held, digest=digest, removed=removed).save()
    decided = _decided(actor, held, Purge.State.DONE, why)
    _tell(decided, f"{len(runs)} run{'' if len(runs) == 1 else 's'} that you asked to be purged are gone.")
    return decided


def _held(purge: Purge) -> Purge:
    held: Purge = Purge.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=purge.pk)
    if held.state != Purge.State.ASKED:
        raise Conflict(f"This purge was {held.get_state_display().lower()} before.", hint="Look again.")
    return held


def _open(project: Project) -> QuerySet[Purge]:
    rows: QuerySet[Purge] = Purge.objects.filter(project=project, state=Purge.State.ASKED)
    return rows


def _runs_of(purge: Purge) -> list[int]:
    return list(Run.objects.filter(project=purge.project, uid__in=purge.runs).values_list("pk", flat=True))


def _held_runs(project: Project, ids: Sequence[int]) -> list[Run]:
    rows = without_gone(Run.objects.filter(project=project, pk__in=list(ids)))
    held = rows.select_for_update(of=("self",), no_key=True).order_by("pk")
    return list(held.select_related("project", "experiment"))


def _refuse_own(actor: Actor, run: Run, does: str) -> None:
    """Four eyes: nobody who had a hand in a run helps to make it disappear."""
    if actor.is_person and actor.user_id in hands_in(run):
        raise Refused(f"You had a hand in {run.readable_id}, so somebody else {does}.", hint="Leave it out.")


def _refuse_kept(project: Project, runs: Sequence[Run]) -> None:
    for keep in keeps_of(project, runs):
        if keep.obstacle:
            raise Conflict(f"{keep.run.readable_id} stays: {keep.obstacle}.", hint="Leave it out.", field="runs")


def _decided(actor: Actor, purge: Purge, state: Purge.State, why: str) -> Purge:
    purge.state, purge.decided_by_id, purge.decided_at, purge.decision = state, actor.user_id, now(), why
    purge.save()
    return purge


def _tell(purge: Purge, text: str) -> None:
    if purge.asked_by is not None and purge.asked_by in people_who(ASK, purge.project):
        url = f"/p/{purge.project.slug}/keeping/"
        tell([purge.asked_by], kind="purge.decided", text=text, url=url, project=purge.project)
