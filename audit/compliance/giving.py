"""A file of a report on its way out, the same through pages and REST."""

from django.http import HttpRequest, HttpResponseBase

from artifacts.serving import stored_response
from artifacts.storage import StoredBlob
from audit.compliance.actions.reports import download_report
from audit.compliance.models import Report
from audit.compliance.queries.reports import get_report_file, require_issued
from audit.compliance.reports.asked import saved_as
from kernel.actor import Actor


def give_out(request: HttpRequest, viewer: Actor, report: Report, name: str) -> HttpResponseBase:
    """One file, whole or a range; that it was taken out is on record. Raises NotFound, Refused, Conflict too early."""
    file = get_report_file(viewer, report, name)
    require_issued(viewer, report)
    if request.method != "HEAD":
        download_report(viewer, report, file=file)
    return stored_response(request, saved_as(file), StoredBlob(file.blob_id, file.size_bytes))
