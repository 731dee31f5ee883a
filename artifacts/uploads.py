"""From the pieces of an upload to a blob. Who may is asked before."""

import datetime as dt

from django.conf import settings

from artifacts.blobs import know
from artifacts.models import Upload
from artifacts.storage import Part, StoredBlob, WrongDigest, blobs
from audit.ledger.acting import acting
from kernel.actor import Actor
from kernel.clock import now

KEPT = dt.timedelta(days=1)  # how long an upload may rest
PART_BYTES = 8 * 1024**2
_PARTS_MAX = 9000  # an object store makes one object of at most 10,000


def part_bytes_for(size_bytes: int) -> int:
    """How large the pieces of a file are kept."""
    return max(PART_BYTES, -(-size_bytes // _PARTS_MAX))


def assembled(upload: Upload, parts: list[Part]) -> StoredBlob:
    """One blob of all parts. Reads all of it: call it outside a transaction.

    Raises UploadBroken where a part is gone, WrongDigest: then the upload ends, since no byte of it can be trusted.
    """
    try:
        return blobs().assemble(upload.storage_key, parts, limit=settings.MLED_MAX_UPLOAD_BYTES, digest=upload.digest)
    except WrongDigest:
        forget(upload)
        raise


def complete(actor: Actor, upload: Upload, stored: StoredBlob) -> None:
    """Say what an upload became. Leaves no event: that is for the act that gives the blob its name."""
    with acting(actor, "artifacts.finish_upload", project_id=upload.project_id):
        know(stored)
        Upload.objects.filter(pk=upload.pk, state=Upload.State.OPEN).update(
            state=Upload.State.COMPLETE,
            blob_id=stored.digest,
            digest=stored.digest,
            size_bytes=stored.size_bytes,
            received_bytes=stored.size_bytes,
            parts=[],
            touched_at=now(),
        )
    blobs().drop(upload.storage_key)


def forget(upload: Upload) -> None:
    """Remove an upload with its pieces; what it became stays where it has got a name."""
    Upload.objects.filter(pk=upload.pk).delete()
    blobs().drop(upload.storage_key)


def expire() -> int:
    """Forget uploads that rested for a day, and what else broke off in the store; returns how many rows went."""
    resting = Upload.objects.filter(touched_at__lt=now() - KEPT)
    gone = list(resting.only("storage_key"))
    for upload in gone:
        forget(upload)
    going_on = frozenset(Upload.objects.values_list("storage_key", flat=True))
    blobs().sweep(now() - KEPT, keep=going_on)
    return len(gone)
