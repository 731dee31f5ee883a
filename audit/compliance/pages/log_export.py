"""The log as a file: JSON Lines in the order of the log, written while it is read, up to the newest signed head."""

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from accounts.access import find_project
from accounts.pages.doors import actor_of, signed_in
from audit.compliance.taking_out import lines_of_log


@require_safe
@signed_in
def file(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Everything that the filter in the address finds. Raises Invalid, Refused, Conflict before the first head."""
    viewer = actor_of(request)
    found = lines_of_log(viewer, find_project(viewer, slug), request.GET)
    response = StreamingHttpResponse(found.lines, content_type="application/x-ndjson")
    response["Content-Disposition"] = f'attachment; filename="{found.name}"'
    response["Cache-Control"] = "private, no-store"
    return response
