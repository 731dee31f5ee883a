"""Who is led to the audit log, and to reports."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.access import can
from accounts.models import ApiToken, Project
from accounts.templatetags.mled import icon
from audit.compliance.models import Review
from audit.compliance.pages.past import address_of, title_of
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


@register.simple_tag
def past_link(project: Project | None, row: Any) -> SafeString:
    """A small link to the history of an object of a project, or of one's own token."""
    if isinstance(row, ApiToken):
        return _link(reverse("compliance:token_past", args=[row.pk]), row.name)
    if project is None or row is None:
        return SafeString("")
    return _link(address_of(project, row), title_of(row) if isinstance(row, Review) else str(row))


@register.simple_tag
def past_link_to(project: Project, kind: str, thing: object, name: object) -> SafeString:
    """The same for an object that the page knows by its kind and id."""
    return _link(reverse("compliance:past", args=[project.slug, kind, thing]), str(name))


def _link(address: str, name: str) -> SafeString:
    words = format_html('{}History<span class="visually-hidden"> of {}</span>', icon("hist", "i-sm"), name[:80])
    return format_html('<a class="m-pastlink sm" href="{}">{}</a>', address, words)
