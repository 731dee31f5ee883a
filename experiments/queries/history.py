"""What happened to a run and is said about it, from the ledger."""

from dataclasses import replace
from uuid import UUID

from django.db.models import Q

from accounts.access import require
from accounts.queries.history import NamedEvent as RunEvent
from accounts.queries.history import with_names
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import with_payloads
from experiments.hooks import told_with_run
from experiments.models import Comment, Run
from kernel.actor import Actor

__all__ = ["RunEvent", "about_run", "history_of_run", "with_names"]


def history_of_run(viewer: Actor, run: Run, *, before: UUID | None = None, limit: int = 50) -> list[RunEvent]:
    """The events about a run, newest first. before: the id of the last event of the page above. Raises NotFound.

    Of a removed comment it is told that it was, not what it said.
    """
    require(viewer, "experiments.see", run)
    comments = _comments(viewer, run)
    events = AuditEvent.objects.filter(_about(viewer, run, comments))
    if before is not None:
        events = events.filter(id__lt=before)
    past = with_payloads(list(events.order_by("-id")[:limit]))
    return with_names([replace(one, changes=[]) if comments.get(one.event.subject_id) else one for one in past])


def about_run(viewer: Actor, run: Run) -> Q:
    """Which events tell of a run, of the comments on it, or of what rooms above keep about it."""
    return _about(viewer, run, _comments(viewer, run))


def _comments(viewer: Actor, run: Run) -> dict[str, bool]:
    """The comments on the run by their id in the ledger, and whether each was removed."""
    rows = Comment.objects.visible_to(viewer).filter(run=run).only("pk", "removed_at")
    return {one.ledger_id: one.removed_at is not None for one in rows}


def _about(viewer: Actor, run: Run, comments: dict[str, bool]) -> Q:
    subject = run.ledger_subject
    found = Q(subject_type=subject.kind, subject_id=subject.id)
    if comments:
        found |= Q(subject_type=Comment._meta.label_lower, subject_id__in=list(comments))
    for tell in told_with_run:
        for kind, ids in tell(viewer, run).items():
            found |= Q(subject_type=kind, subject_id__in=ids)
    return found
