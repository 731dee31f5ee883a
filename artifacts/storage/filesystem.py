"""Blobs as files: <root>/ab/cd/<digest>, written aside, synced, then renamed into place.

Parts of uploads lie below <root>/uploads/<upload>/.
"""

import datetime as dt
import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from artifacts.storage.base import (
    BlobDamaged,
    BlobStorage,
    Condition,
    Held,
    Incoming,
    Part,
    StorageFull,
    StoredBlob,
    UploadBroken,
)
from artifacts.storage.receiving import CHUNK, Chain, check_digest, pour, take, write_all
from kernel.errors import Unavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-zA-Z-]{1,64}")
INCOMING, UPLOADS = "incoming", "uploads"


class FileStorage(BlobStorage):
    """A directory tree on one file system. A name in it is either absent or the whole blob, also after a power cut."""

    is_direct = False
    holds_fast = False

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self.incoming, self.uploads = self.root / INCOMING, self.root / UPLOADS
        for directory in _make_directory(self.incoming):
            _sync_directory(directory)

    def receive(self, incoming: Incoming, *, limit: int, expected: int | None = None, digest: str = "") -> StoredBlob:
        if expected is not None and expected <= CHUNK:
            return self._receive_few(take(incoming, limit=limit, expected=expected), digest)
        with self._aside() as (aside, descriptor):
            stored = pour(incoming, descriptor, limit=limit, expected=expected)
            check_digest(stored, digest)
            _settle(aside, descriptor, self.place(stored.digest))
        return stored

    def _receive_few(self, content: bytes, digest: str) -> StoredBlob:
        """Store bytes that are all here."""
        stored = StoredBlob(hashlib.sha256(content).hexdigest(), len(content))
        check_digest(stored, digest)
        with self._aside() as (aside, descriptor):
            write_all(descriptor, content)
            _settle(aside, descriptor, self.place(stored.digest))
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

    def has(self, blob: StoredBlob) -> bool:
        try:
            return self.place(blob.digest).stat().st_size == blob.size_bytes
        except FileNotFoundError:
            return False

    def check(self, digest: str) -> Condition:
        try:
            with self.place(digest).open("rb", buffering=0) as reader:
                found = hashlib.file_digest(reader, "sha256").hexdigest()
        except FileNotFoundError:
            return Condition.MISSING
        except OSError as error:
            raise _disk_trouble(error) from error
        return Condition.SOUND if found == digest else Condition.CHANGED

    def remove(self, digest: str) -> None:
        try:
            self.place(digest).unlink(missing_ok=True)
        except OSError as error:
            raise _disk_trouble(error) from error

    def held(self) -> Iterator[Held]:
        for place in self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            if _DIGEST.fullmatch(place.name):
                try:
                    found = place.stat()
                except FileNotFoundError:  # taken away meanwhile
                    continue
                yield Held(place.name, found.st_size, dt.datetime.fromtimestamp(found.st_mtime, tz=dt.UTC))

    def put_part(self, upload: str, name: str, incoming: Incoming, *, limit: int, expected: int | None) -> Part:
        with self._aside() as (aside, descriptor):
            stored = pour(incoming, descriptor, limit=limit, expected=expected)
            _settle(aside, descriptor, self.part_place(upload, name))
        return Part(name, stored.size_bytes)

    def find_part(self, upload: str, name: str) -> Part | None:
        try:
            return Part(name, self.part_place(upload, name).stat().st_size)
        except FileNotFoundError:
            return None

    def assemble(self, upload: str, parts: Sequence[Part], *, limit: int, digest: str = "") -> StoredBlob:
        for part in parts:
            if self.find_part(upload, part.name) != part:
                raise UploadBroken("A piece of this upload is gone; nothing was kept.", hint="Send the file again.")
        with Chain(self.part_place(upload, part.name).open("rb", buffering=0) for part in parts) as whole:
            return self.receive(whole, limit=limit, expected=sum(part.size_bytes for part in parts), digest=digest)

    def drop(self, upload: str) -> None:
        shutil.rmtree(self.part_place(upload, "0").parent, ignore_errors=True)

    def sweep(self, unfinished_since: dt.datetime, *, keep: Collection[str] = ()) -> int:
        moment = unfinished_since.timestamp()
        stale = [aside for aside in self.incoming.iterdir() if _written_before(aside, moment)]
        for aside in stale:
            aside.unlink(missing_ok=True)
        uploads = self.uploads.iterdir() if self.uploads.is_dir() else ()
        given_up = [place for place in uploads if place.name not in keep and _written_before(place, moment)]
        for place in given_up:
            self.drop(place.name)
        return len(stale) + len(given_up)

    def download_link(self, blob: StoredBlob, file_name: str) -> str | None:
        return None

    def part_link(self, upload: str, name: str) -> str | None:
        return None

    def part_place(self, upload: str, name: str) -> Path:
        """Where a part of an upload lies, or would."""
        if not _NAME.fullmatch(upload) or not _NAME.fullmatch(name):
            raise ValueError("Uploads and their parts have plain names.")
        return self.uploads / upload / name

    def place(self, digest: str) -> Path:
        """Where the blob of this digest lies, or would."""
        if not _DIGEST.fullmatch(digest):
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


def _settle(aside: Path, descriptor: int, place: Path) -> None:
    """Give a written file its name; when this returns, both survive a power cut.

    New directories are made before the file is synced and synced after it: a journal then writes all of it in one go.
    """
    changed = _make_directory(place.parent)
    os.fsync(descriptor)
    for directory in changed:
        _sync_directory(directory)
    aside.replace(place)
    _sync_directory(place.parent)


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


def _make_directory(directory: Path) -> list[Path]:
    """Make a directory and those above it; returns which have to be synced. Costs one look where it exists."""
    try:
        directory.mkdir(mode=0o750)
    except FileExistsError:
        return []
    except FileNotFoundError:
        return [*_make_directory(directory.parent), *_make_directory(directory)]
    return [directory.parent]


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
