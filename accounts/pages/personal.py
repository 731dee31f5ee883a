"""Where scripts of a page keep how its reader likes it."""

import json

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from accounts.access import find_project
from accounts.actions.settings import keep_setting
from accounts.pages.doors import actor_of, signed_in
from kernel.errors import Invalid


@require_POST
@signed_in
def keep(request: HttpRequest) -> HttpResponse:
    """Keep one setting: name, value as JSON, and the project's slug for those that belong to one."""
    actor = actor_of(request)
    slug = request.POST.get("project", "")
    try:
        value = json.loads(request.POST.get("value", ""))
    except (ValueError, RecursionError):
        raise Invalid("The value of a setting is JSON.", field="value") from None
    project = find_project(actor, slug) if slug else None
    keep_setting(actor, name=request.POST.get("name", ""), value=value, project=project)
    return HttpResponse(status=204)
