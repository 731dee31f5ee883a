"""The store together with what waits in the database on its way there (docs/adr/0056).

A mover writes a blob to the store, reads it back, and only then takes its row away. So nothing is ever in neither: who
finds nothing in the store and then no row asks the store once more, since the row was taken away after it came there.
"""

import datetime as dt
import hashlib
import io
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO

from artifacts.models import ParkedBlob
from artifacts.storage.base import BlobStorage, Condition, Held, Incoming, Part, StoredBlob
from kernel.errors import Unavailable

log = logging.getLogger(__name__)


class WithParked(BlobStorage):
    """Where all readers ask. What it receives goes to the store; what is parked, an act parks."""

    def __init__(self, store: BlobStorage) -> None:
        self.store = store
        self.is_direct, self.holds_fast = store.is_direct, store.holds_fast

    def receive(self, incoming: Incoming, *, limit: int, expected: int | None = None, digest: str = "") -> StoredBlob:
        return self.store.receive(incoming, limit=limit, expected=expected, digest=digest)

    def open(self, blob: StoredBlob) -> BinaryIO:
        try:
            return self.store.open(blob)
        except Unavailable:  # it is not there, or the store gives nothing just now
            content = parked(blob.digest)
        return self.store.open(blob) if content is None else io.BytesIO(content)

    def has(self, blob: StoredBlob) -> bool:
        return self.store.has(blob) or parked(blob.digest) is not None or self.store.has(blob)

    def check(self, digest: str) -> Condition:
        with suppress(Unavailable):
            if self.store.check(digest) is Condition.SOUND:
                return Condition.SOUND
        return Condition.SOUND if parked(digest) is not None else self.store.check(digest)

    def remove(self, digest: str) -> None:
        # The row first: who moves it has its bytes in hand, and what comes to the store after this has no name there.
        ParkedBlob.objects.filter(digest=digest).delete()
        self.store.remove(digest)

    def held(self) -> Iterator[Held]:
        return self.store.held()  # what is parked has rows that speak of it

    def put_part(self, upload: str, name: str, incoming: Incoming, *, limit: int, expected: int | None) -> Part:
        return self.store.put_part(upload, name, incoming, limit=limit, expected=expected)

    def find_part(self, upload: str, name: str) -> Part | None:
        return self.store.find_part(upload, name)

    def assemble(self, upload: str, parts: Sequence[Part], *, limit: int, digest: str = "") -> StoredBlob:
        return self.store.assemble(upload, parts, limit=limit, digest=digest)

    def drop(self, upload: str) -> None:
        self.store.drop(upload)

    def sweep(self, unfinished_since: dt.datetime, *, keep: Collection[str] = ()) -> int:
        return self.store.sweep(unfinished_since, keep=keep)

    def download_link(self, blob: StoredBlob, file_name: str) -> str | None:
        if self.is_direct:  # the client goes past us, so it has to lie there
            for row in ParkedBlob.objects.filter(digest=blob.digest):
                move(row, self.store)
        return self.store.download_link(blob, file_name)

    def part_link(self, upload: str, name: str) -> str | None:
        return self.store.part_link(upload, name)


def parked(digest: str) -> bytes | None:
    """The parked bytes of this digest; None where there are none, or others than it says."""
    found = ParkedBlob.objects.filter(digest=digest).values_list("content", flat=True).first()
    return None if found is None else sound(digest, found)


def sound(digest: str, content: bytes | memoryview) -> bytes | None:
    """What the database gave as the bytes of this digest, if they are."""
    content = bytes(content)
    if hashlib.sha256(content).hexdigest() == digest:
        return content
    log.error("What is parked under sha256:%s was changed in the database; it is not given out.", digest)
    return None


def move(row: ParkedBlob, store: BlobStorage) -> bool:
    """Put one parked blob into the store and read it back; whether it is safe there, and its row may go.

    Raises Unavailable where the store is away or full.
    """
    content = sound(row.digest, row.content)
    if content is None:
        return False
    blob = store.receive(io.BytesIO(content), limit=len(content), expected=len(content), digest=row.digest)
    if store.check(blob.digest) is Condition.SOUND:
        return True
    log.error("The store did not keep sha256:%s as it was given; it stays in the database.", row.digest)
    return False
