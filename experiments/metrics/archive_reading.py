"""Points that lie in archives, fetched from the artifact store."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final

from django.db import connections

from artifacts.storage import StoredBlob, blobs
from artifacts.storage.base import BlobDamaged
from experiments.metrics.archive_file import Span, Unreadable, read
from experiments.metrics.batch import Points

AT_ONCE: Final = 8  # archives in an object store that are read side by side


def read_archives(wanted: Mapping[StoredBlob, Sequence[Span]]) -> Iterator[list[Points]]:
    """The points of these rows of several archives, in their order. Raises as `read_archive` does.

    An object store answers several at once: a table with small curves of a hundred runs asks for a hundred files.
    """
    if len(wanted) < 2 or not blobs().is_direct:
        yield from (read_archive(stored, spans) for stored, spans in wanted.items())
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(_read_in_a_thread, wanted.keys(), wanted.values())


def _read_in_a_thread(stored: StoredBlob, spans: Sequence[Span]) -> list[Points]:
    """The same, and what the thread asked the database for, which is asked for what the store has not, is left open for
    nobody: a pool would be short of that connection for good."""
    try:
        return read_archive(stored, spans)
    finally:
        connections.close_all()


def read_archive(stored: StoredBlob, spans: Sequence[Span]) -> list[Points]:
    """The points of these rows of an archive, each span by itself.

    Raises BlobDamaged where it is missing or is not what it was, Unavailable where the store is away.
    """
    with closing(blobs().open(stored)) as file:
        try:
            return read(file, spans)
        except Unreadable as error:
            words = f"These points cannot be given out: their archive sha256:{stored.digest[:12]}… is damaged."
            raise BlobDamaged(words, hint="Tell an administrator.") from error
