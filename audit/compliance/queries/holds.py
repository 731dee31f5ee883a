"""Legal holds of a project, for everybody who sees it."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.access import not_found
from accounts.models import Project
from audit.compliance.models import LegalHold
from experiments.models import Run
from kernel.actor import Actor


def holds_in(viewer: Actor, project: Project) -> QuerySet[LegalHold]:
    """Every hold of a project, the newest first."""
    rows = LegalHold.objects.visible_to(viewer).filter(project=project)
    named = rows.select_related("run__project", "project", "placed_by", "lifted_by")
    return named.order_by("-placed_at", "-pk")


def find_hold(viewer: Actor, hold_id: UUID) -> LegalHold:
    """One hold. Raises NotFound."""
    rows = LegalHold.objects.visible_to(viewer).select_related("run__project", "project", "placed_by", "lifted_by")
    found: LegalHold | None = rows.filter(pk=hold_id).first()
    if found is None:
        raise not_found(LegalHold)
    return found


def holds_over(viewer: Actor, run: Run) -> Sequence[LegalHold]:
    """The holds that stand over a run, its project's included."""
    rows = holds_in(viewer, run.project).filter(Q(run=None) | Q(run=run), lifted_at=None)
    return list(rows)
