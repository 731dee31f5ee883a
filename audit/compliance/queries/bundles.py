"""Sealed bundles: which were sealed, and whether the log covers that yet."""

from dataclasses import dataclass
from uuid import UUID

import orjson

from accounts.access import not_found, require
from accounts.models import Project
from audit.compliance.models import Report
from audit.compliance.queries.log import READS
from audit.compliance.reports.sealing import SEALED, is_covered, told
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import with_payloads
from kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bundle of the log: the event that sealed it, what was asked in which words, up to which size."""

    event: UUID
    question: dict[str, str]
    size: int
    events: int
    manifest: str
    is_covered: bool


def sealed_log(viewer: Actor, project: Project, event: UUID) -> Sealed:
    """A bundle of the log itself that somebody sealed. Raises NotFound, Refused."""
    require(viewer, READS, project)
    require(viewer, "compliance.report", project)
    sealed = AuditEvent.objects.filter(pk=event, project_id=project.pk, verb=SEALED, outcome="done")
    found = with_payloads(list(sealed))
    said = told(found[0]) if found else {}
    if not said.get("question"):
        raise not_found(Report)
    return Sealed(
        event, orjson.loads(said["question"]), said["size"], said["events"], said["manifest"], is_covered(event)
    )
