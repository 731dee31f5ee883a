"""Reading signatures."""

from django.db.models import QuerySet

from accounts.models import Project, Signature
from kernel.actor import Actor


def signatures_in(viewer: Actor, project: Project) -> QuerySet[Signature]:
    """The signatures given in a project."""
    rows: QuerySet[Signature] = Signature.objects.visible_to(viewer)
    return rows.filter(project=project).select_related("signed_by", "project")
