"""Sealed bundles: which were sealed, and whether the log covers that yet."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from accounts.access import not_found, require
from accounts.models import Project
from audit.compliance.models import Report
from audit.compliance.queries.log import READS
from audit.ledger.models import AuditEvent, Checkpoint, Leaf
from audit.ledger.queries.history import PastEvent, with_payloads
from kernel.actor import Actor

BUNDLE = "compliance.bundle"
SEALED = "compliance.seal_bundle"
_NEWEST = 5


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bundle of the log: the event that sealed it, what was asked in which words, up to which size."""

    event: UUID
    question: dict[str, str]
    size: int
    events: int
    manifest: str
    is_covered: bool


def is_covered(event: UUID) -> bool:
    """Whether a signed head of the log covers an event."""
    place = Leaf.objects.filter(event_id=event).values_list("seq", flat=True).first()
    return place is not None and Checkpoint.objects.filter(size__gt=place).exists()


def sealed_before(report: Report, manifest: str) -> UUID | None:
    """The event that sealed a bundle of this report with this manifest, if one did. For whoever may seal it."""
    subject = report.ledger_subject
    told = AuditEvent.objects.filter(subject_type=subject.kind, subject_id=subject.id, verb=SEALED, outcome="done")
    for past in with_payloads(list(told.order_by("-id")[:_NEWEST])):
        if _told(past).get("manifest") == manifest:
            return past.event.id
    return None


def sealed_log(viewer: Actor, project: Project, event: UUID) -> Sealed:
    """A bundle of the log itself that somebody sealed. Raises NotFound, Refused."""
    require(viewer, READS, project)
    require(viewer, "compliance.report", project)
    told = AuditEvent.objects.filter(pk=event, project_id=project.pk, verb=SEALED, outcome="done")
    found = with_payloads(list(told))
    said = _told(found[0]) if found else {}
    if not said.get("question"):
        raise not_found(Report)
    return Sealed(
        event, orjson.loads(said["question"]), said["size"], said["events"], said["manifest"], is_covered(event)
    )


def _told(past: PastEvent) -> dict[str, Any]:
    """What an event says of the bundle that it sealed."""
    own = (one for one in past.changes if one.type == BUNDLE and one.id == past.event.id.hex)
    return {name: pair[1] for one in own for name, pair in one.fields.items()}
