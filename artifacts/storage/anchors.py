"""Anchors of the log in a bucket: objects of JSON lines that nobody overwrites or removes while they are locked.

<prefix>0000000001/0000000000012345-0000000000012360.jsonl holds checkpoints 12345 to 12360; ten thousand to a folder.
With object lock an object that somebody writes over or deletes is still there as a version: all versions are read.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, Final

from artifacts.storage.place import S3Place
from artifacts.storage.s3_client import client_for, in_words
from audit.ledger.anchors import Anchored, BadLine, as_lines, parsed
from kernel.clock import now

PER_FOLDER: Final = 10_000
_READERS: Final = 16


class S3Anchors:
    """A bucket, or a part of one, that anchors are kept in."""

    def __init__(self, place: S3Place) -> None:
        self.place = place
        self.name = f"s3://{place.bucket}/{place.prefix}".rstrip("/")

    @cached_property
    def client(self) -> Any:
        return client_for(self.place, self.place.endpoint, attempts=2, read_seconds=15)

    def keep(self, lines: Sequence[Anchored]) -> None:
        first, last = lines[0].checkpoint, lines[-1].checkpoint
        key = f"{self.place.prefix}{first // PER_FOLDER:010d}/{first:016d}-{last:016d}.jsonl"
        body = as_lines(lines)
        checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
        with in_words():
            self.client.put_object(
                Bucket=self.place.bucket, Key=key, Body=body, ChecksumSHA256=checksum, **self._lock()
            )

    def newest(self) -> Anchored | None:
        with in_words():
            folders = self._pages(Delimiter="/", Prefix=self.place.prefix)
            names = [one["Prefix"] for page in folders for one in page.get("CommonPrefixes", ())]
            for folder in sorted(names, reverse=True):
                pages = self._pages(Prefix=folder)
                keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
                for key in sorted(keys, reverse=True):
                    found = [line for line in self._lines(key) if isinstance(line, Anchored)]
                    if found:
                        return found[-1]
        return None

    def held(self) -> Sequence[str]:
        with in_words():
            pages = self.client.get_paginator("list_object_versions").paginate(
                Bucket=self.place.bucket, Prefix=self.place.prefix
            )
            found = [(one["Key"], one.get("VersionId", "")) for page in pages for one in page.get("Versions", ())]
        return [f"{key}?{version}" for key, version in sorted(found)]

    def read(self, names: Sequence[str]) -> Iterator[Anchored | BadLine]:
        with in_words(), ThreadPoolExecutor(_READERS) as readers:
            for start in range(0, len(names), 1000):
                parted = [name.rpartition("?") for name in names[start : start + 1000]]
                for lines in readers.map(lambda part: self._lines(part[0], part[2]), parted):
                    yield from lines

    def _lines(self, key: str, version: str = "") -> list[Anchored | BadLine]:
        asked = {"VersionId": version} if version and version != "null" else {}
        body = self.client.get_object(Bucket=self.place.bucket, Key=key, **asked)["Body"].read()
        lines = [(number, parsed(raw)) for number, raw in enumerate(body.splitlines(), start=1)]
        where = f"of s3://{self.place.bucket}/{key}"
        return [line or BadLine(f"line {number} {where}") for number, line in lines] or [BadLine(f"line 1 {where}")]

    def _pages(self, **asked: Any) -> Iterator[dict[str, Any]]:
        yield from self.client.get_paginator("list_objects_v2").paginate(Bucket=self.place.bucket, **asked)

    def _lock(self) -> dict[str, Any]:
        if not self.place.lock_days:
            return {}
        until = now() + dt.timedelta(days=self.place.lock_days)
        return {"ObjectLockMode": self.place.lock_mode, "ObjectLockRetainUntilDate": until}
