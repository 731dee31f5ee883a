"""The events that seal bundles, for those who make them."""

from typing import Any
from uuid import UUID

from audit.compliance.models import Report
from audit.ledger.models import AuditEvent, Checkpoint, Leaf
from audit.ledger.queries.history import PastEvent, with_payloads

BUNDLE = "compliance.bundle"
SEALED = "compliance.seal_bundle"
_NEWEST = 5


def is_covered(event: UUID) -> bool:
    """Whether a signed head of the log covers an event."""
    place = Leaf.objects.filter(event_id=event).values_list("seq", flat=True).first()
    return place is not None and Checkpoint.objects.filter(size__gt=place).exists()


def sealed_before(report: Report, manifest: str) -> UUID | None:
    """The event that sealed a bundle of this report with this manifest, if one did."""
    subject = report.ledger_subject
    sealed = AuditEvent.objects.filter(subject_type=subject.kind, subject_id=subject.id, verb=SEALED, outcome="done")
    for past in with_payloads(list(sealed.order_by("-id")[:_NEWEST])):
        if told(past).get("manifest") == manifest:
            return past.event.id
    return None


def told(past: PastEvent) -> dict[str, Any]:
    """What an event says of the bundle that it sealed."""
    own = (one for one in past.changes if one.type == BUNDLE and one.id == past.event.id.hex)
    return {name: pair[1] for one in own for name, pair in one.fields.items()}
