"""Blobs as objects of an S3 bucket: <prefix>ab/cd/<digest>.

An object appears whole or not at all, so a small blob is put under its name at once. A larger one is gathered under a
name that nobody asks for, where clients cannot write, hashed there, and copied within the store to its own.
"""

import base64
import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Final
from urllib.parse import quote

from artifacts.storage.base import (
    BlobDamaged,
    BlobStorage,
    Condition,
    Held,
    Incoming,
    Part,
    StoredBlob,
    UploadBroken,
)
from artifacts.storage.place import S3Place
from artifacts.storage.receiving import Chain, check_digest, check_size, check_start, gather
from artifacts.storage.s3_client import NothingThere, client_for, in_words
from artifacts.storage.s3_reader import object_reader
from kernel.clock import now
from kernel.errors import MledError, Unavailable

PART_BYTES: Final = 8 * 1024**2
JOINED_MIN: Final = 5 * 1024**2  # S3 joins no smaller parts, the last excepted
COPIED_MAX: Final = 1024**3  # S3 copies up to 5 GiB at once; smaller pieces answer sooner
_PARTS_MAX: Final = 9000
_READ: Final = 1024**2
_DIGEST: Final = re.compile(r"(?:.*/)?[0-9a-f]{2}/[0-9a-f]{2}/([0-9a-f]{64})")
_NAME: Final = re.compile(r"[0-9a-zA-Z-]{1,64}")
INCOMING, UPLOADS = "incoming/", "uploads/"
DOWNLOAD_SECONDS: Final = 3600
SENDING_SECONDS: Final = 24 * 3600


class S3Storage(BlobStorage):
    """A bucket, or a part of one."""

    def __init__(self, place: S3Place) -> None:
        self.place = place
        self.client = client_for(place, place.endpoint)
        self.public = client_for(place, place.public) if place.public else None
        self.is_direct, self.holds_fast = self.public is not None, place.lock_days > 0

    def receive(self, incoming: Incoming, *, limit: int, expected: int | None = None, digest: str = "") -> StoredBlob:
        check_start(expected, limit)
        piece = _piece(expected or limit)
        first = gather(incoming, piece)
        if len(first) < piece or len(first) == expected:
            stored = StoredBlob(hashlib.sha256(first).hexdigest(), len(first))
            check_size(stored.size_bytes, limit=limit, expected=expected)
            check_digest(stored, digest)
            self._put(self.key(stored.digest), first)
            self._lock(stored.digest)
            return stored
        with self._aside() as aside:
            stored = self._pour(aside, first, incoming, limit=limit, expected=expected)
            check_digest(stored, digest)
            self._settle(aside, stored)
        return stored

    def open(self, blob: StoredBlob) -> BinaryIO:
        size = self._size(self.key(blob.digest))
        if size is None:
            raise _damaged(blob.digest, "is missing from the store")
        if size != blob.size_bytes:
            raise _damaged(blob.digest, f"has {size:,} bytes in the store instead of {blob.size_bytes:,}")
        return object_reader(self.client, self.place.bucket, self.key(blob.digest), size)

    def has(self, blob: StoredBlob) -> bool:
        return self._size(self.key(blob.digest)) == blob.size_bytes

    def check(self, digest: str) -> Condition:
        found = self._hash(self.key(digest))
        if found is None:
            return Condition.MISSING
        return Condition.SOUND if found.digest == digest else Condition.CHANGED

    def remove(self, digest: str) -> None:
        self._delete(self.key(digest))

    def held(self) -> Iterator[Held]:
        for found in self._listed(""):
            name = _DIGEST.fullmatch(found["Key"])
            if name is not None and found["Key"] == self.key(name[1]):
                yield Held(name[1], found["Size"], found["LastModified"])

    def put_part(self, upload: str, name: str, incoming: Incoming, *, limit: int, expected: int | None) -> Part:
        check_start(expected, limit)
        key, piece = self.part_key(upload, name), _piece(expected or limit)
        first = gather(incoming, piece)
        if len(first) < piece or len(first) == expected:
            check_size(len(first), limit=limit, expected=expected)
            self._put(key, first)
            return Part(name, len(first))
        return Part(name, self._pour(key, first, incoming, limit=limit, expected=expected).size_bytes)

    def find_part(self, upload: str, name: str) -> Part | None:
        size = self._size(self.part_key(upload, name))
        return None if size is None else Part(name, size)

    def assemble(self, upload: str, parts: Sequence[Part], *, limit: int, digest: str = "") -> StoredBlob:
        for part in parts:
            if self.find_part(upload, part.name) != part:
                raise UploadBroken("A piece of this upload is gone; nothing was kept.", hint="Send the file again.")
        total = sum(part.size_bytes for part in parts)
        check_size(total, limit=limit, expected=None)
        keys = [self.part_key(upload, part.name) for part in parts]
        if not parts or any(part.size_bytes < JOINED_MIN for part in parts[:-1]):
            with Chain(self._reader(key, part.size_bytes) for key, part in zip(keys, parts, strict=True)) as whole:
                return self.receive(whole, limit=limit, expected=total, digest=digest)
        with self._aside() as aside:
            self._join([(key, None) for key in keys], aside)
            stored = self._hash(aside)
            if stored is None or stored.size_bytes != total:
                raise UploadBroken("A piece of this upload changed; nothing was kept.", hint="Send the file again.")
            check_digest(stored, digest)
            self._settle(aside, stored)
        return stored

    def drop(self, upload: str) -> None:
        self._delete_all(self.part_key(upload, ""))

    def sweep(self, unfinished_since: dt.datetime, *, keep: Collection[str] = ()) -> int:
        stale = [one["Key"] for one in self._listed(INCOMING) if one["LastModified"] < unfinished_since]
        for key in stale:
            self._delete(key)
        newest: dict[str, dt.datetime] = {}
        for one in self._listed(UPLOADS):
            upload = one["Key"].removeprefix(self.place.prefix + UPLOADS).partition("/")[0]
            newest[upload] = max(newest.get(upload, one["LastModified"]), one["LastModified"])
        given_up = [one for one, moment in newest.items() if one not in keep and moment < unfinished_since]
        for upload in given_up:
            self.drop(upload)
        return len(stale) + len(given_up) + self._abort_unfinished(unfinished_since)

    def key(self, digest: str) -> str:
        """The name of the blob of this digest."""
        if not re.fullmatch("[0-9a-f]{64}", digest):
            raise ValueError("A digest has 64 hex digits.")
        return f"{self.place.prefix}{digest[:2]}/{digest[2:4]}/{digest}"

    def part_key(self, upload: str, name: str) -> str:
        """The name of a part of an upload; of their folder, where the name is empty."""
        if not _NAME.fullmatch(upload) or not (name == "" or _NAME.fullmatch(name)):
            raise ValueError("Uploads and their parts have plain names.")
        return f"{self.place.prefix}{UPLOADS}{upload}/{name}"

    # --- Links that let clients past us

    def download_link(self, blob: StoredBlob, file_name: str) -> str | None:
        if self.public is None:
            return None
        asked = {
            "Bucket": self.place.bucket,
            "Key": self.key(blob.digest),
            "ResponseContentType": "application/octet-stream",
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(file_name, safe='')}",
        }
        return str(self.public.generate_presigned_url("get_object", Params=asked, ExpiresIn=DOWNLOAD_SECONDS))

    def part_link(self, upload: str, name: str) -> str | None:
        if self.public is None:
            return None
        asked = {"Bucket": self.place.bucket, "Key": self.part_key(upload, name)}
        return str(self.public.generate_presigned_url("put_object", Params=asked, ExpiresIn=SENDING_SECONDS))

    # --- One object

    def _size(self, key: str) -> int | None:
        try:
            with in_words(expecting_none=True):
                return int(self.client.head_object(Bucket=self.place.bucket, Key=key)["ContentLength"])
        except NothingThere:
            return None

    def _put(self, key: str, data: bytearray) -> None:
        with in_words():
            self.client.put_object(Bucket=self.place.bucket, Key=key, Body=data, ChecksumSHA256=_checksum(data))

    def _hash(self, key: str) -> StoredBlob | None:
        """What lies under a name, read to its end."""
        size = self._size(key)
        if size is None:
            return None
        sha256, count = hashlib.sha256(), 0
        with self._reader(key, size) as reader:
            while data := reader.read(_READ):
                sha256.update(data)
                count += len(data)
        return StoredBlob(sha256.hexdigest(), count)

    def _reader(self, key: str, size: int) -> BinaryIO:
        return object_reader(self.client, self.place.bucket, key, size)

    def _lock(self, digest: str) -> None:
        """Where the bucket is told to: nobody removes this object for so many days."""
        if self.place.lock_days:
            until = now() + dt.timedelta(days=self.place.lock_days)
            with in_words():
                self.client.put_object_retention(
                    Bucket=self.place.bucket,
                    Key=self.key(digest),
                    Retention={"Mode": self.place.lock_mode, "RetainUntilDate": until},
                )

    def _settle(self, aside: str, stored: StoredBlob) -> None:
        """Copy what was gathered and hashed to its own name, within the store."""
        key = self.key(stored.digest)
        if stored.size_bytes <= COPIED_MAX:
            source = {"Bucket": self.place.bucket, "Key": aside}
            with in_words():
                self.client.copy_object(Bucket=self.place.bucket, Key=key, CopySource=source)
        else:
            starts = range(0, stored.size_bytes, COPIED_MAX)
            spans = [f"bytes={start}-{min(start + COPIED_MAX, stored.size_bytes) - 1}" for start in starts]
            self._join([(aside, span) for span in spans], key)
        if self._size(key) != stored.size_bytes:
            raise Unavailable("The file store did not keep this file.", hint="Send it again.")
        self._lock(stored.digest)

    # --- Objects of several parts

    def _pour(self, key: str, first: bytearray, incoming: Incoming, *, limit: int, expected: int | None) -> StoredBlob:
        """Put a stream that has begun under a name. The name appears once all of it came."""
        sha256, count, data = hashlib.sha256(), 0, first
        with self._several(key) as (upload, parts):
            while data:
                sha256.update(data)
                count += len(data)
                check_size(count, limit=limit, expected=None)
                with in_words():
                    put = self.client.upload_part(
                        **upload, PartNumber=len(parts) + 1, Body=data, ChecksumSHA256=_checksum(data)
                    )
                parts.append({"PartNumber": len(parts) + 1, "ETag": put["ETag"]})
                data = gather(incoming, len(first))
            check_size(count, limit=limit, expected=expected)
        return StoredBlob(sha256.hexdigest(), count)

    def _join(self, sources: Sequence[tuple[str, str | None]], key: str) -> None:
        """Make one object of others within the store. sources: names, each with a range of bytes where it is given."""
        with self._several(key) as (upload, parts):
            for source, span in sources:
                from_where: dict[str, Any] = {"CopySource": {"Bucket": self.place.bucket, "Key": source}}
                if span is not None:
                    from_where["CopySourceRange"] = span
                with in_words():
                    copied = self.client.upload_part_copy(**upload, **from_where, PartNumber=len(parts) + 1)
                parts.append({"PartNumber": len(parts) + 1, "ETag": copied["CopyPartResult"]["ETag"]})

    @contextmanager
    def _several(self, key: str) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """An object that appears when its parts are complete, or not at all."""
        with in_words():
            begun = self.client.create_multipart_upload(Bucket=self.place.bucket, Key=key)
        upload = {"Bucket": self.place.bucket, "Key": key, "UploadId": begun["UploadId"]}
        parts: list[dict[str, Any]] = []
        try:
            yield upload, parts
            with in_words():
                self.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        except BaseException:
            with suppress(MledError), in_words():
                self.client.abort_multipart_upload(**upload)
            raise

    @contextmanager
    def _aside(self) -> Iterator[str]:
        """A name that nobody asks for; what lies there is gone afterwards."""
        key = f"{self.place.prefix}{INCOMING}{secrets.token_hex(16)}"
        try:
            yield key
        finally:
            with suppress(MledError):
                self._delete(key)

    def _abort_unfinished(self, since: dt.datetime) -> int:
        """Give up what was begun in several parts before that time."""
        stale = []
        with in_words():
            pages = self.client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self.place.bucket, Prefix=self.place.prefix):
                stale += [one for one in page.get("Uploads", ()) if one["Initiated"] < since]
            for one in stale:
                self.client.abort_multipart_upload(
                    Bucket=self.place.bucket, Key=one["Key"], UploadId=one["UploadId"]
                )  # fmt: skip
        return len(stale)

    # --- Many objects

    def _listed(self, below: str) -> Iterator[dict[str, Any]]:
        with in_words():
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.place.bucket, Prefix=self.place.prefix + below):
                yield from page.get("Contents", ())

    def _delete(self, key: str) -> None:
        with in_words():
            self.client.delete_object(Bucket=self.place.bucket, Key=key)

    def _delete_all(self, folder: str) -> None:
        keys = [one["Key"] for one in self._listed(folder.removeprefix(self.place.prefix))]
        for start in range(0, len(keys), 1000):
            doomed = [{"Key": key} for key in keys[start : start + 1000]]
            with in_words():
                self.client.delete_objects(Bucket=self.place.bucket, Delete={"Objects": doomed, "Quiet": True})


def _piece(size_bytes: int) -> int:
    """How much of a file is held in memory at a time."""
    return max(PART_BYTES, -(-size_bytes // _PARTS_MAX))


def _checksum(data: bytearray) -> str:
    """SHA-256 as S3 checks it on arrival."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _damaged(digest: str, what: str) -> BlobDamaged:
    return BlobDamaged(
        f"This file cannot be given out: its content sha256:{digest[:12]}… {what}.", hint="Tell an administrator."
    )
