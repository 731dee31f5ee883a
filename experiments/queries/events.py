"""The log of a project or run, for those who may read it."""

from collections.abc import Sequence

from django.db.models import QuerySet

from accounts.access import require
from accounts.models import Project
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import with_payloads
from experiments.models import Run
from experiments.queries.history import RunEvent, about_run, with_names
from kernel.actor import Actor


def events_of_project(viewer: Actor, project: Project) -> QuerySet[AuditEvent]:
    """Everything that happened in a project. Raises NotFound, Refused."""
    require(viewer, "projects.read_log", project)
    return AuditEvent.objects.filter(project_id=project.pk)


def events_of_run(viewer: Actor, run: Run) -> QuerySet[AuditEvent]:
    """Everything that happened to a run, and the comments on it. Raises NotFound."""
    require(viewer, "experiments.see", run)
    return AuditEvent.objects.filter(about_run(viewer, run))


def told(events: Sequence[AuditEvent]) -> list[RunEvent]:
    """Events with their payloads, places and the names of today: a few queries for any number."""
    return with_names(with_payloads(events))
