"""Templates to start runs from, for those who see their project."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.access import not_found
from accounts.models import Project
from kernel.actor import Actor
from runner.models import Template


def templates_of(viewer: Actor, project: Project, *, retired: bool = False) -> QuerySet[Template]:
    """The templates of a project by name; with the retired ones if asked."""
    rows = _templates(viewer).filter(project=project)
    return (rows if retired else rows.filter(retired_at=None)).order_by("name", "created_at")


def find_template(viewer: Actor, uid: UUID, *, project: Project | None = None) -> Template:
    """One by its id, retired or not, of this project if given. Raises NotFound."""
    rows = _templates(viewer).filter(pk=uid)
    found = (rows if project is None else rows.filter(project=project)).first()
    if found is None:
        raise not_found(Template, uid)
    return found


def _templates(viewer: Actor) -> QuerySet[Template]:
    rows: QuerySet[Template] = Template.objects.visible_to(viewer)
    return rows.select_related("project", "created_by")
