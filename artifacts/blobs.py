"""Bytes in and out: what arrives is stored under its digest before any row speaks of it."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

from django.conf import settings

from artifacts.models import ArtifactFile, Blob, UnnamedBlob
from artifacts.storage import Carried, Incoming, StoredBlob, blobs
from artifacts.storage.receiving import take
from kernel.errors import Unavailable

_ROWS_AT_ONCE = 500


def receive(incoming: Incoming, *, expected: int | None = None) -> StoredBlob:
    """Store a stream within the size limit of this installation. No row speaks of it yet, so nobody can read it.

    Call it outside a transaction: a slow sender must not hold a lock. Raises UploadBroken, TooLarge, StorageFull.
    """
    return blobs().receive(incoming, limit=settings.MLED_MAX_UPLOAD_BYTES, expected=expected)


def receive_for_a_file(incoming: Incoming, *, expected: int | None) -> StoredBlob:
    """The same for what becomes a file at once: few bytes are carried to the act, whose transaction keeps them."""
    if expected is None or not may_be_parked(expected):
        return receive(incoming, expected=expected)
    return carried(take(incoming, limit=settings.MLED_MAX_UPLOAD_BYTES, expected=expected))


def carried(content: bytes) -> Carried:
    """Few bytes that are all here."""
    return Carried(hashlib.sha256(content).hexdigest(), len(content), content)


def may_be_parked(size_bytes: int | None) -> bool:
    """Whether the database may keep so many bytes until they are moved; not where it is not known how many come.

    Nor where the store holds objects fast: from the moment that a file is acknowledged nobody shall remove it.
    """
    most = min(settings.MLED_BLOBS_PARK_BYTES, settings.MLED_MAX_UPLOAD_BYTES)
    return size_bytes is not None and most > 0 and size_bytes <= most and not blobs().holds_fast


def know(stored: StoredBlob) -> None:
    """Part of an act that gives a blob a name: make its row, whoever else is doing the same just now.

    Raises Unavailable where the bytes were cleared away since they came (see artifacts.collecting).
    """
    about_to_go, _ = UnnamedBlob.objects.filter(blob_id=stored.digest).delete()
    if about_to_go or not Blob.objects.filter(pk=stored.digest).exists():
        Blob.objects.bulk_create([Blob(digest=stored.digest, size_bytes=stored.size_bytes)], ignore_conflicts=True)
        require_kept(stored)


def require_kept(stored: StoredBlob) -> None:
    """Raise Unavailable where the bytes were cleared away since they came; those that are carried come with the act."""
    if not isinstance(stored, Carried) and not blobs().has(stored):
        raise Unavailable("This content was cleared away just now, since nothing named it.", hint="Send it again.")


def know_all(contents: Collection[StoredBlob]) -> None:
    """The same for many at once, in a few statements for any number. Raises Unavailable."""
    by_digest = {stored.digest: stored for stored in contents}
    for digests in batched(sorted(by_digest), _ROWS_AT_ONCE):
        unnamed = UnnamedBlob.objects.filter(blob_id__in=digests)
        doubtful = set(unnamed.values_list("blob_id", flat=True))
        unnamed.delete()
        doubtful |= set(digests) - set(Blob.objects.filter(pk__in=digests).values_list("pk", flat=True))
        missing = [by_digest[digest] for digest in sorted(doubtful)]
        rows = [Blob(digest=stored.digest, size_bytes=stored.size_bytes) for stored in missing]
        Blob.objects.bulk_create(rows, ignore_conflicts=True)
        if not all(blobs().has(stored) for stored in missing):
            raise Unavailable("Some of this content was cleared away, since nothing named it.", hint="Send it again.")


def batched(digests: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """So many at a time, in order."""
    return (digests[start : start + size] for start in range(0, len(digests), size))


def open_file(file: ArtifactFile) -> BinaryIO:
    """A seekable reader over a file's bytes. Raises BlobDamaged rather than give out anything else."""
    return blobs().open(StoredBlob(file.blob_id, file.size_bytes))
