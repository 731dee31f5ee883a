"""From a stream to an open file, hashed on the way: the disk and the hash work while the next bytes arrive."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Thread
from types import TracebackType
from typing import Protocol, Self

from artifacts.storage.base import Incoming, StoredBlob, UploadBroken, WrongDigest
from kernel.errors import TooLarge

# As much as the web server takes from the line at once: asked for less, it copies the rest aside each time (64 MiB cost
# it 49 ms in pieces of 256 KiB, 20 in pieces of 1 MiB).
CHUNK = 1024 * 1024
_AHEAD = 3  # chunks between the reader and the writer: 3 MiB for any size of upload


def take(incoming: Incoming, *, limit: int, expected: int) -> bytes:
    """The whole of a stream that announced a chunk or less. Raises UploadBroken, TooLarge."""
    check_start(expected, limit)
    taken = _next(incoming, expected + 1)
    while len(taken) <= expected and (more := _next(incoming, expected + 1 - len(taken))):
        taken += more
    check_size(len(taken), limit=limit, expected=expected)
    return taken


def pour(incoming: Incoming, into: int, *, limit: int, expected: int | None) -> StoredBlob:
    """Write a stream to a file descriptor. Raises UploadBroken, TooLarge, or OSError of the disk."""
    check_start(expected, limit)
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


def write_all(into: int, chunk: bytes) -> None:
    """Write bytes to a file descriptor, however many of them it takes at once."""
    left = memoryview(chunk)
    while left:
        left = left[os.write(into, left) :]


def gather(incoming: Incoming, size: int) -> bytearray:
    """The next bytes of a stream, so many unless it ends before, held once. Raises UploadBroken."""
    gathered, count = bytearray(size), 0
    while count < size and (data := _next(incoming, min(size - count, CHUNK))):
        gathered[count : count + len(data)] = data
        count += len(data)
    del gathered[count:]
    return gathered


def check_start(expected: int | None, limit: int) -> None:
    """Raises TooLarge where more is announced than is taken."""
    if expected is not None and expected > limit:
        raise _too_large(limit)


def check_size(size_bytes: int, *, limit: int, expected: int | None) -> None:
    """Raises TooLarge, or UploadBroken where other than the announced number of bytes came."""
    if size_bytes > limit:
        raise _too_large(limit)
    if expected is not None and size_bytes != expected:
        raise UploadBroken(
            f"The upload broke off: {size_bytes:,} of {expected:,} bytes came.", hint="Send the file again."
        )


def check_digest(stored: StoredBlob, announced: str) -> None:
    """Raises WrongDigest where a digest was announced and the bytes have another."""
    if announced and stored.digest != announced:
        raise WrongDigest(
            f"What came is sha256:{stored.digest[:12]}…, announced was sha256:{announced[:12]}…; nothing was kept.",
            hint="Send the file again.",
            field="digest",
        )


class Piece:
    """At most so many bytes of a stream that goes on behind them."""

    def __init__(self, incoming: Incoming, size: int) -> None:
        self.incoming, self.left = incoming, size

    def read(self, size: int, /) -> bytes:
        data = self.incoming.read(min(size, self.left)) if self.left else b""
        self.left -= len(data)
        return data


class Ahead:
    """A stream that can be asked whether it has come to its end."""

    def __init__(self, incoming: Incoming) -> None:
        self.incoming = incoming
        self.next = b""

    def read(self, size: int, /) -> bytes:
        if not self.next:
            return self.incoming.read(size)
        data, self.next = self.next[:size], self.next[size:]
        return data

    def at_end(self) -> bool:
        """Waits for the next bytes."""
        self.next = self.next or _next(self.incoming)
        return not self.next


class Readable(Incoming, Protocol):
    """What can be read and closed."""

    def close(self) -> None: ...


class Chain:
    """Several streams read as one; each is opened when its turn comes, and closed after it."""

    def __init__(self, streams: Iterable[Readable]) -> None:
        self.streams = iter(streams)
        self.current: Readable | None = next(self.streams, None)

    def read(self, size: int, /) -> bytes:
        while self.current is not None:
            data = self.current.read(size)
            if data:
                return data
            self.current.close()
            self.current = next(self.streams, None)
        return b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self.current is not None:
            self.current.close()


def _next(incoming: Incoming, size: int = CHUNK) -> bytes:
    try:
        return incoming.read(size)
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
        write_all(self.into, chunk)
        self.hash.update(chunk)
        self.size_bytes += len(chunk)

    def stored(self, limit: int, expected: int | None) -> StoredBlob:
        check_size(self.size_bytes, limit=limit, expected=expected)
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
