"""What happened to a run, from the ledger."""

from uuid import UUID

from accounts.access import require
from accounts.queries.history import NamedEvent as RunEvent
from accounts.queries.history import with_names
from audit.ledger.queries.history import history_of
from experiments.models import Run
from kernel.actor import Actor

__all__ = ["RunEvent", "history_of_run", "with_names"]


def history_of_run(viewer: Actor, run: Run, *, before: UUID | None = None, limit: int = 50) -> list[RunEvent]:
    """The events about a run, newest first. before: the id of the last event of the page above. Raises NotFound."""
    require(viewer, "experiments.see", run)
    return with_names(history_of(run.ledger_subject, before=before, limit=limit))
