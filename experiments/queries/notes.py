"""A run's note, and who wrote it last."""

from dataclasses import dataclass

from django.db.models import Subquery

from accounts.access import require
from accounts.queries.history import with_names
from audit.ledger.models import AuditEvent, AuditPayload
from audit.ledger.queries.history import with_payloads
from experiments.models import Run
from experiments.queries.history import RunEvent
from experiments.queries.runs import tag_of
from kernel.actor import Actor

NOTE = "mlflow.note.content"
_LOOKED_AT = 500  # events of one run


@dataclass(frozen=True, slots=True)
class Note:
    """The text in Markdown, and the event that changed it last, where the log tells."""

    text: str
    edited: RunEvent | None


def note_of(viewer: Actor, run: Run) -> Note:
    """The note of a run. Raises NotFound."""
    text = tag_of(viewer, run, NOTE)
    return Note(text, last_edit(viewer, run) if text else None)


def last_edit(viewer: Actor, run: Run) -> RunEvent | None:
    """The newest event that changed the note. Raises NotFound."""
    require(viewer, "experiments.see", run)
    about = AuditEvent.objects.filter(subject_type=run._meta.label_lower, subject_id=run.ledger_id, outcome="done")
    recent = about.order_by("-id").values("id")[:_LOOKED_AT]
    telling = AuditPayload.objects.filter(event_id__in=Subquery(recent), body__contains=f'"{NOTE}":')
    newest = telling.order_by("-event_id").values_list("event_id", flat=True).first()
    if newest is None:
        return None
    return with_names(with_payloads(list(AuditEvent.objects.filter(pk=newest))))[0]
