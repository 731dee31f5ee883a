"""A file of an export on its way out, the same through pages and REST."""

from django.http import HttpRequest, HttpResponseBase

from artifacts.serving import stored_response
from artifacts.storage import StoredBlob
from kernel.actor import Actor
from transfer.actions.transfers import download_transfer_file
from transfer.models import Transfer
from transfer.queries.transfers import get_transfer_file


def give_out(request: HttpRequest, viewer: Actor, transfer: Transfer, name: str) -> HttpResponseBase:
    """One file, whole or a range; that it was taken out is on record. Raises NotFound, Refused."""
    file = get_transfer_file(viewer, transfer, name)
    if request.method != "HEAD":
        download_transfer_file(viewer, transfer, file=file)
    return stored_response(request, file.name, StoredBlob(file.blob_id, file.size_bytes))
