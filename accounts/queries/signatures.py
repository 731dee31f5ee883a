"""Reading signatures."""

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import Project, Signature
from audit.ledger.models import Checkpoint, Leaf
from kernel.actor import Actor


def signatures_in(viewer: Actor, project: Project) -> QuerySet[Signature]:
    """The signatures given in a project, each with `covered_seq`: see accounts.signing.covered_at."""
    rows: QuerySet[Signature] = Signature.objects.visible_to(viewer)
    signed_log = Subquery(Checkpoint.objects.order_by("-size").values("size")[:1])
    leaf = Leaf.objects.filter(event_id=OuterRef("event_id"), seq__lt=signed_log).values("seq")[:1]
    return rows.filter(project=project).select_related("signed_by", "project").annotate(covered_seq=Subquery(leaf))
