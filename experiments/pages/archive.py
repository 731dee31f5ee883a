"""The file that a run's points were archived in, for whoever may have its files."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from artifacts.serving import stored_response
from artifacts.storage import StoredBlob
from experiments.actions.exports import note_points_taken
from experiments.queries.archives import get_archive
from experiments.queries.runs import get_run


@require_safe
@signed_in
def archive_file(request: HttpRequest, run: str) -> HttpResponseBase:
    """Its bytes, as an attachment."""
    viewer = actor_of(request)
    found = get_run(viewer, run)
    archive = get_archive(viewer, found)
    note_points_taken(viewer, found)
    return stored_response(
        request, f"{found.readable_id}-metrics.parquet", StoredBlob(archive.blob_id, archive.size_bytes)
    )
