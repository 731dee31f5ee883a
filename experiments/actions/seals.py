"""Sealing: once a run has ended, one digest in the ledger covers all its points, params, tags and files."""

from accounts.decorators import action
from experiments.metrics.holding import hold_run
from experiments.metrics.seal import seal_of
from experiments.models import Run
from experiments.values import ENDED
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import NotFound


@action("experiments.lock_run", on="run")
def seal_run(actor: Actor, run: Run) -> Run:
    """Seal an ended run. One that runs again, or is sealed already, stays as it is."""
    if hold_run(run.pk, alone=True) is None:
        raise NotFound("No such run was found.")
    run.refresh_from_db()
    if run.status in ENDED and run.sealed_at is None:
        run.seal, run.sealed_at = seal_of(run), now()
        run.save()
    return run
