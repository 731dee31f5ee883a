"""What one was told."""

from django.db.models import Q, QuerySet

from accounts.models import Notice, Project
from kernel.actor import Actor


def notices_of(viewer: Actor) -> QuerySet[Notice]:
    """One's own notices, newest first, of projects that one still sees."""
    seen = Q(project=None) | Q(project__in=Project.objects.visible_to(viewer))
    rows: QuerySet[Notice] = Notice.objects.filter(seen, Q(user_id=viewer.user_id))
    return rows.select_related("project").order_by("-at", "-pk")


def unread_notices(viewer: Actor) -> QuerySet[Notice]:
    """Those of one's notices that one has not read."""
    return notices_of(viewer).filter(read_at=None)
