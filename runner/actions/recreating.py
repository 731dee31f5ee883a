"""Doing a run again under the same conditions, or with changes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from accounts.decorators import action
from experiments.models import Run
from experiments.queries.reproductions import LIKE
from experiments.values import ENDED
from kernel.actor import Actor
from kernel.errors import Conflict
from runner.actions.jobs import launch
from runner.checking import checked
from runner.models import Job, Sweep
from runner.queries.rules import rules_of
from runner.recipes import Draft, draft_of
from runner.recreating.changing import merged
from runner.recreating.likeness import Likeness, changes, like


@action("runner.launch", on="run")
def recreate(
    actor: Actor,
    run: Run,
    *,
    queue: str = "",
    name: str = "",
    changed: Mapping[str, Any] | None = None,
) -> Job:
    """Do a run again. changed: fields as `runner.checking` reads them, in place of what it was done with.

    With nothing changed the new run does the old one again, by the server's word; else it is one like it.
    Raises Conflict for a run that is not over, was deleted or is the parent of a sweep, and where a condition cannot be
    met; InvalidFields.
    """
    if run.is_deleted:
        raise Conflict(f"{run.readable_id} is deleted.", hint="Restore it first.")
    if run.status not in ENDED:
        raise Conflict(f"{run.readable_id} is not over yet.", hint="Wait until it ends: then its record is whole.")
    if Sweep.objects.filter(parent=run).exists():
        raise Conflict(f"{run.readable_id} is the parent of a sweep and executes nothing.", hint="Recreate its runs.")
    found = like(actor, run, queue=queue)
    wanted = merged(found.wanted, changed or {})
    is_other = bool(changes(found, wanted))
    if not is_other and found.cannot:
        raise Conflict(f"{run.readable_id} cannot be done again as it was.", hint=" ".join(found.cannot))
    return launch(
        actor,
        run.experiment,
        draft=_draft(actor, found, wanted, is_other=is_other),
        name=name or f"{run.name[:240]} again",
        tags={LIKE: run.uid.hex} if is_other else None,
        queue=found.queue,
        retries=rules_of(run.project).retries,
        reproduces=None if is_other else run,
    )


def _draft(actor: Actor, found: Likeness, wanted: Mapping[str, Any], *, is_other: bool) -> Draft:
    """What is launched. A recipe of this place is taken as it stands, once it was asked whether it may be still; but of
    an image, whose tag may be another one by now, what was found by its digest then."""
    draft = checked(actor, found.run.project, wanted)
    job = Job.objects.filter(run=found.run).select_related("recipe").first()
    if job is None or is_other:
        return draft
    kept = draft_of(job.recipe)
    return replace(kept, environment=None, packages=draft.packages) if job.image else kept
