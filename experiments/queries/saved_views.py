"""The kept views that a viewer may use: their own, and those that are shared."""

from django.db.models import Q, QuerySet

from accounts.access import not_found
from accounts.models import Project
from experiments.models import SavedView
from kernel.actor import Actor


def views_of(viewer: Actor, project: Project) -> QuerySet[SavedView]:
    """The project's default first, then by name."""
    usable = Q(is_shared=True) | Q(created_by=viewer.user_id)
    rows = SavedView.objects.visible_to(viewer).filter(usable, project=project).select_related("created_by")
    return rows.order_by("-is_default", "name", "pk")


def get_view(viewer: Actor, project: Project, view_id: int) -> SavedView:
    """One view. Raises NotFound, the same for absent, invisible and somebody's own."""
    found = views_of(viewer, project).filter(pk=view_id).first()
    if found is None:
        raise not_found(SavedView)
    return found
