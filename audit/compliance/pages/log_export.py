"""The log as a file: JSON Lines in the order of the log, written while it is read, up to the newest signed head."""

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from accounts.access import find_project, require
from accounts.pages.doors import actor_of, signed_in
from audit.compliance.actions.exports import export_log
from audit.compliance.queries.log import log_lines, standing_of_log
from audit.compliance.queries.log_question import asked_of
from kernel.errors import Conflict


@require_safe
@signed_in
def file(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Everything that the filter in the address finds. Raises Invalid, Refused, Conflict before the first head."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, "compliance.report", project)
    asked = asked_of(viewer, project, request.GET)
    head = standing_of_log(viewer, project).head
    if head is None:
        raise Conflict("The log has no signed head yet.", hint="Try again in some seconds.")
    lines = log_lines(viewer, project, asked.question, size=head.size)
    narrowed = ", ".join(f"{name}: {text}" for name, text in asked.words.items())
    what = f"Log up to place {head.size - 1} as JSON Lines"
    export_log(viewer, project, what=f"{what}; {narrowed}" if narrowed else what)
    response = StreamingHttpResponse(lines, content_type="application/x-ndjson")
    response["Content-Disposition"] = f'attachment; filename="{project.slug}-log-{head.size}.jsonl"'
    response["Cache-Control"] = "private, no-store"
    return response
