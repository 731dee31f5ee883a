"""What a place for blobs can do, and what it promises."""

import datetime as dt
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from kernel.errors import Invalid, Unavailable


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """Bytes that are safely stored: SHA-256 in hex, and how many."""

    digest: str
    size_bytes: int


class Incoming(Protocol):
    """Bytes as they arrive: a request, a file. `read` gives at most that many, and none at the end."""

    def read(self, size: int, /) -> bytes: ...


class UploadBroken(Invalid):
    """The sender stopped before it had sent what it announced; nothing was kept."""

    code = "UPLOAD_BROKEN"


class StorageFull(Unavailable):
    """There is no room left; nothing was kept."""

    code = "STORAGE_FULL"
    status = 507


class BlobDamaged(Unavailable):
    """A blob is missing or is not what it was: it is never served."""

    code = "BLOB_DAMAGED"


class BlobStorage(Protocol):
    """Content named by its SHA-256. Safe to use from many threads and processes at once."""

    def receive(self, incoming: Incoming, *, limit: int, expected: int | None = None) -> StoredBlob:
        """Store a stream; when this returns, the bytes survive a power cut. Needs the same memory for any size.

        expected: how many bytes the sender announced, where it did. Raises UploadBroken when fewer came, TooLarge
        beyond limit, StorageFull; then nothing is readable. Storing what is there already replaces it with the same
        bytes, which heals a damaged blob.
        """
        ...

    def open(self, blob: StoredBlob) -> BinaryIO:
        """A seekable reader at its start. Raises BlobDamaged if the blob is missing or its size is another."""
        ...

    def verify(self, digest: str) -> bool:
        """Whether the bytes are there and still have this digest. Reads all of them."""
        ...

    def sweep(self, unfinished_since: dt.datetime) -> int:
        """Remove what broken uploads left behind before that time; returns how many."""
        ...
