"""Who is led to the audit log."""

from django import template

from accounts.access import can
from accounts.models import Project

register = template.Library()


@register.simple_tag(takes_context=True)
def reads_log(context: template.Context, project: Project | None) -> bool:
    """Whether the viewer may read the whole log of the project."""
    actor = getattr(context.get("request"), "actor", None)
    return project is not None and actor is not None and bool(can(actor, "projects.read_log", project))


@register.simple_tag(takes_context=True)
def sees_access(context: template.Context, project: Project | None) -> bool:
    """Whether the viewer may see who may do what in the project."""
    actor = getattr(context.get("request"), "actor", None)
    return project is not None and actor is not None and bool(can(actor, "compliance.see_access", project))
