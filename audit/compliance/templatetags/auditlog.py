"""Who is led to the audit log, and to reports."""

from django import template

from accounts.access import can
from accounts.models import Project
from audit.compliance.queries.report_standing import reach_of

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


@register.simple_tag(takes_context=True)
def asks_reports(context: template.Context, project: Project | None) -> bool:
    """Whether the viewer may ask for reports in the project, of everything or of their own runs."""
    actor = getattr(context.get("request"), "actor", None)
    return project is not None and actor is not None and reach_of(actor, project) is not None
