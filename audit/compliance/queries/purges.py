"""What runs out when, what was asked to be purged, and what is left of what was."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import can, not_found, require
from accounts.models import Project
from audit.compliance.due import Keep, keeps_of
from audit.compliance.models import Purge, Report, Tombstone
from experiments.gone import without_gone
from experiments.models import Run
from kernel.actor import Actor

CARRIES_OUT = "compliance.purge"


def purges_in(viewer: Actor, project: Project) -> QuerySet[Purge]:
    """Every purge of a project, newest first, for those who see its runs."""
    return _named(Purge.objects.visible_to(viewer).filter(project=project))


def purges_to_decide(viewer: Actor, project: Project) -> QuerySet[Purge]:
    """What waits for an administrator, who sees nothing else of the project. Raises Refused, NotFound."""
    require(viewer, CARRIES_OUT, project)
    return _named(Purge.objects.filter(project=project, state=Purge.State.ASKED))


def purges_waiting(viewer: Actor) -> QuerySet[Purge]:
    """The same of all projects. Raises Refused."""
    require(viewer, CARRIES_OUT)
    return _named(Purge.objects.filter(state=Purge.State.ASKED))


def find_purge(viewer: Actor, purge_id: UUID) -> Purge:
    """One purge, for those who see the project's runs, or who may decide it. Raises NotFound."""
    found: Purge | None = _named(Purge.objects.filter(pk=purge_id)).first()
    seen = found is not None and (
        Purge.objects.visible_to(viewer).filter(pk=purge_id).exists()
        or (found.state == Purge.State.ASKED and bool(can(viewer, CARRIES_OUT, found)))
    )
    if found is None or not seen:
        raise not_found(Purge)
    return found


def _named(rows: "QuerySet[Purge]") -> "QuerySet[Purge]":
    return rows.select_related("project", "asked_by", "decided_by").order_by("-asked_at", "-pk")


def tombstones_in(viewer: Actor, project: Project) -> QuerySet[Tombstone]:
    """What is left of purged runs, newest first."""
    rows = Tombstone.objects.visible_to(viewer).filter(run__project=project)
    return rows.select_related("run__project", "purge__asked_by", "purge__decided_by").order_by("-at", "-pk")


def tombstone_of(viewer: Actor, run: Run) -> Tombstone | None:
    """What is left of one."""
    found: Tombstone | None = tombstones_in(viewer, run.project).filter(run=run).first()
    return found


def reports_kept(viewer: Actor, projects: Collection[UUID] | None) -> int:
    """How many reports of these projects, or of all, stay as they were issued. Raises Refused."""
    require(viewer, "ledger.erase")
    rows = Report.objects.filter(state=Report.State.DONE)
    found: int = (rows if projects is None else rows.filter(project__in=projects)).count()
    return found


def run_out_first(viewer: Actor, project: Project, *, limit: int) -> list[Keep]:
    """The oldest runs of a project with until when they are kept, what runs out first on top."""
    rows = without_gone(Run.objects.visible_to(viewer).filter(project=project))
    oldest = list(rows.select_related("project", "created_by").order_by("created_at", "pk")[:limit])
    return sorted(keeps_of(project, oldest), key=lambda keep: (keep.until is None, keep.until, keep.run.pk))
