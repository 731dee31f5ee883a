"""What a place for blobs can do, and what it promises."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, Protocol

from kernel.errors import Invalid, Unavailable


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """Bytes that are safely stored: SHA-256 in hex, and how many."""

    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Carried(StoredBlob):
    """Few bytes that are not stored yet: they are parked by the statement that gives them a name."""

    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an upload, safely stored. name: among the parts of its upload."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Held:
    """A blob as it lies in the store, whether or not a row speaks of it."""

    digest: str
    size_bytes: int
    stored_at: dt.datetime


class Condition(StrEnum):
    """What reading a blob again found."""

    SOUND = "sound"
    MISSING = "missing"
    CHANGED = "changed"


class Incoming(Protocol):
    """Bytes as they arrive: a request, a file. `read` gives at most that many, and none at the end."""

    def read(self, size: int, /) -> bytes: ...


class UploadBroken(Invalid):
    """The sender stopped before it had sent what it announced; nothing was kept."""

    code = "UPLOAD_BROKEN"


class WrongDigest(Invalid):
    """The bytes are not those that were announced; nothing was kept."""

    code = "WRONG_DIGEST"


class StorageFull(Unavailable):
    """There is no room left; nothing was kept."""

    code = "STORAGE_FULL"
    status = 507


class StorageRefused(Unavailable):
    """The store does not let MLED in: its key or its rights are wrong."""

    code = "STORAGE_REFUSED"


class BucketMissing(Unavailable):
    """The bucket that the settings name is not there."""

    code = "BUCKET_MISSING"


class BlobDamaged(Unavailable):
    """A blob is missing or is not what it was: it is never served."""

    code = "BLOB_DAMAGED"


class BlobStorage(Protocol):
    """Content named by its SHA-256. Safe to use from many threads and processes at once.

    is_direct: clients may send and fetch at the store itself, by links. holds_fast: what lies there cannot be removed
    for a time, by anybody.
    """

    is_direct: bool
    holds_fast: bool

    def receive(self, incoming: Incoming, *, limit: int, expected: int | None = None, digest: str = "") -> StoredBlob:
        """Store a stream; when this returns, the bytes survive a power cut. Needs the same memory for any size.

        expected, digest: how many bytes and which the sender announced, where it did. Raises UploadBroken when fewer
        came, WrongDigest, TooLarge beyond limit, StorageFull; then nothing is readable. Storing what is there already
        replaces it with the same bytes, which heals a damaged blob.
        """
        ...

    def open(self, blob: StoredBlob) -> BinaryIO:
        """A seekable reader at its start. Raises BlobDamaged if the blob is missing or its size is another."""
        ...

    def has(self, blob: StoredBlob) -> bool:
        """Whether bytes of this size lie under this digest. Does not read them."""
        ...

    def check(self, digest: str) -> Condition:
        """Whether the bytes are there and still have this digest. Reads all of them."""
        ...

    def remove(self, digest: str) -> None:
        """Take the bytes away, if they are there."""
        ...

    def held(self) -> Iterator[Held]:
        """Every blob in the store, in no order."""
        ...

    def put_part(self, upload: str, name: str, incoming: Incoming, *, limit: int, expected: int | None) -> Part:
        """Store one piece of an upload. upload: its id in hex. Raises UploadBroken, TooLarge, StorageFull."""
        ...

    def find_part(self, upload: str, name: str) -> Part | None:
        """A piece that is stored."""
        ...

    def assemble(self, upload: str, parts: Sequence[Part], *, limit: int, digest: str = "") -> StoredBlob:
        """Make one blob of the parts in this order; they stay. Raises UploadBroken where one is gone, WrongDigest."""
        ...

    def drop(self, upload: str) -> None:
        """Forget all parts of an upload."""
        ...

    def sweep(self, unfinished_since: dt.datetime, *, keep: Collection[str] = ()) -> int:
        """Remove what broken uploads left behind before that time; returns how many. keep: uploads that go on."""
        ...

    def download_link(self, blob: StoredBlob, file_name: str) -> str | None:
        """An address that gives out a blob to whoever has it, for an hour; None where clients come to us."""
        ...

    def part_link(self, upload: str, name: str) -> str | None:
        """An address that takes in a part of an upload, for a day; None where clients send it to us."""
        ...
