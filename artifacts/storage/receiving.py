"""From a stream to an open file, hashed on the way: the disk and the hash work while the next bytes arrive."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Thread

from artifacts.storage.base import Incoming, StoredBlob, UploadBroken
from kernel.errors import TooLarge

CHUNK = 256 * 1024  # fits the processor's cache, so that each copy on the way stays cheap
_AHEAD = 8  # chunks between the reader and the writer: 2 MiB for any size of upload


def pour(incoming: Incoming, into: int, *, limit: int, expected: int | None) -> StoredBlob:
    """Write a stream to a file descriptor. Raises UploadBroken, TooLarge, or OSError of the disk."""
    if expected is not None and expected > limit:
        raise _too_large(limit)
    first = _next(incoming)
    sink = _Sink(into)
    if len(first) < CHUNK and (expected is None or len(first) == expected):
        sink.take(first)
        rest = _next(incoming) if expected is None else b""
        if not rest:
            return sink.stored(limit, expected)
        first = rest
    with _in_background(sink) as queue:
        arrived = sink.size_bytes
        while first:
            arrived += len(first)
            if arrived > limit:
                raise _too_large(limit)
            queue.put(first)
            first = _next(incoming)
    return sink.stored(limit, expected)


def _next(incoming: Incoming) -> bytes:
    try:
        return incoming.read(CHUNK)
    except OSError as error:  # a lost connection, as every server reports it
        raise UploadBroken("The upload broke off; nothing was kept.", hint="Send the file again.") from error


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"A file may have at most {limit:,} bytes here.", hint="Ask an administrator for a higher limit.")


class _Sink:
    """A file that knows the digest of what it took."""

    def __init__(self, into: int) -> None:
        self.into = into
        self.hash = hashlib.sha256()
        self.size_bytes = 0

    def take(self, chunk: bytes) -> None:
        left = memoryview(chunk)
        while left:
            left = left[os.write(self.into, left) :]
        self.hash.update(chunk)
        self.size_bytes += len(chunk)

    def stored(self, limit: int, expected: int | None) -> StoredBlob:
        if self.size_bytes > limit:
            raise _too_large(limit)
        if expected is not None and self.size_bytes != expected:
            raise UploadBroken(
                f"The upload broke off: {self.size_bytes:,} of {expected:,} bytes came.", hint="Send the file again."
            )
        return StoredBlob(self.hash.hexdigest(), self.size_bytes)


@contextmanager
def _in_background(sink: _Sink) -> Iterator["Queue[bytes]"]:
    """A queue whose chunks another thread writes and hashes; both let go of the interpreter's lock.

    Leaving waits until all is written. What went wrong in the thread is raised here.
    """
    queue: Queue[bytes] = Queue(_AHEAD)
    failure: list[OSError] = []

    def drain() -> None:
        while chunk := queue.get():
            if not failure:
                try:
                    sink.take(chunk)
                except OSError as error:
                    failure.append(error)

    thread = Thread(target=drain, name="blob-writer")
    thread.start()
    try:
        yield queue
    finally:
        queue.put(b"")
        thread.join()
    if failure:
        raise failure[0]
