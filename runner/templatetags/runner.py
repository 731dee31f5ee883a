"""What the frame around every page asks about execution."""

from django import template

from accounts.access import can
from accounts.models import Project
from accounts.pages.doors import actor_of
from runner.queries.launching import open_number

register = template.Library()


@register.simple_tag(takes_context=True)
def open_jobs(context: template.Context, project: Project) -> int:
    """How many jobs of the project wait or are under way, as far as the viewer sees them."""
    return open_number(actor_of(context["request"]), project)


@register.simple_tag(takes_context=True)
def may_launch(context: template.Context, project: Project) -> bool:
    """Whether the viewer may start runs here."""
    return bool(can(actor_of(context["request"]), "runner.launch", project))


@register.simple_tag(takes_context=True)
def sees_workers(context: template.Context, project: Project) -> bool:
    """Whether the viewer sees the workers that this project's jobs run on."""
    return bool(can(actor_of(context["request"]), "runner.see_workers", project))
