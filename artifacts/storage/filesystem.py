"""Blobs as files: <root>/ab/cd/<digest>, written aside, synced, then renamed into place."""

import datetime as dt
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from artifacts.storage.base import BlobDamaged, BlobStorage, Incoming, StorageFull, StoredBlob
from artifacts.storage.receiving import pour
from kernel.errors import Unavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
INCOMING = "incoming"


class FileStorage(BlobStorage):
    """A directory tree on one file system. A name in it is either absent or the whole blob, also after a power cut."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self.incoming = self.root / INCOMING
        _make_durable(self.incoming)

    def receive(self, incoming: Incoming, *, limit: int, expected: int | None = None) -> StoredBlob:
        with self._aside() as (aside, descriptor):
            stored = pour(incoming, descriptor, limit=limit, expected=expected)
            os.fsync(descriptor)
            place = self.place(stored.digest)
            _make_durable(place.parent)
            aside.replace(place)
            _sync_directory(place.parent)
        return stored

    def open(self, blob: StoredBlob) -> BinaryIO:
        try:
            reader = self.place(blob.digest).open("rb")
        except FileNotFoundError:
            raise _damaged(blob.digest, "is missing from the store") from None
        except OSError as error:
            raise _disk_trouble(error) from error
        size = os.fstat(reader.fileno()).st_size
        if size != blob.size_bytes:
            reader.close()
            raise _damaged(blob.digest, f"has {size:,} bytes on disk instead of {blob.size_bytes:,}")
        return reader

    def verify(self, digest: str) -> bool:
        try:
            with self.place(digest).open("rb", buffering=0) as reader:
                return hashlib.file_digest(reader, "sha256").hexdigest() == digest
        except FileNotFoundError:
            return False

    def sweep(self, unfinished_since: dt.datetime) -> int:
        stale = [aside for aside in self.incoming.iterdir() if _written_before(aside, unfinished_since.timestamp())]
        for aside in stale:
            aside.unlink(missing_ok=True)
        return len(stale)

    def place(self, digest: str) -> Path:
        """Where the blob of this digest lies, or would."""
        if len(digest) != 64 or not digest.isalnum():
            raise ValueError("A digest has 64 hex digits.")
        return self.root / digest[:2] / digest[2:4] / digest

    @contextmanager
    def _aside(self) -> Iterator[tuple[Path, int]]:
        """A new file beside the blobs, open for writing; gone afterwards unless it was renamed."""
        aside = self.incoming / secrets.token_hex(16)
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
            try:
                yield aside, descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise _disk_trouble(error) from error
        except BaseException:
            aside.unlink(missing_ok=True)
            raise


def _written_before(aside: Path, moment: float) -> bool:
    try:
        return aside.stat().st_mtime < moment
    except FileNotFoundError:  # finished meanwhile
        return False


def _disk_trouble(error: OSError) -> Unavailable:
    if error.errno in _FULL:
        return StorageFull("The file store is full; nothing was kept.", hint="Tell an administrator, then try again.")
    return Unavailable("The file store cannot be reached; nothing was kept.", hint="Try again shortly.")


def _damaged(digest: str, what: str) -> BlobDamaged:
    return BlobDamaged(
        f"This file cannot be given out: its content sha256:{digest[:12]}… {what}.", hint="Tell an administrator."
    )


def _make_durable(directory: Path) -> None:
    """Make a directory and those above it, so that they survive a power cut. Costs one look where it exists."""
    try:
        directory.mkdir(mode=0o750)
    except FileExistsError:
        return
    except FileNotFoundError:
        _make_durable(directory.parent)
        _make_durable(directory)
        return
    _sync_directory(directory.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
