"""Bytes in and out: what arrives is stored under its digest before any row speaks of it."""

from typing import BinaryIO

from django.conf import settings

from artifacts.models import ArtifactFile, Blob
from artifacts.storage import Incoming, StoredBlob, blobs


def receive(incoming: Incoming, *, expected: int | None = None) -> StoredBlob:
    """Store a stream within the size limit of this installation. No row speaks of it yet, so nobody can read it.

    Call it outside a transaction: a slow sender must not hold a lock. Raises UploadBroken, TooLarge, StorageFull.
    """
    return blobs().receive(incoming, limit=settings.MLED_MAX_UPLOAD_BYTES, expected=expected)


def know(stored: StoredBlob) -> None:
    """Make the row of a blob, whoever else is doing the same just now."""
    Blob.objects.bulk_create([Blob(digest=stored.digest, size_bytes=stored.size_bytes)], ignore_conflicts=True)


def open_file(file: ArtifactFile) -> BinaryIO:
    """A seekable reader over a file's bytes. Raises BlobDamaged rather than give out anything else."""
    return blobs().open(StoredBlob(file.blob_id, file.size_bytes))
