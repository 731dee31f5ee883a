"""Files on their way down: into a file beside their place until they are whole, going on where that is possible."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from mled.connection import Connection, Params
from mled.problems import Away, Problem

Ticks = Callable[[int], None]
TRIES = 5


@dataclass(frozen=True)
class Fetched:
    """What came down. path: None for stdout; digest: SHA-256."""

    path: Path | None
    size_bytes: int
    digest: str


class _Cut(Exception):
    """The answer ended before its end."""


def fetch(
    connection: Connection,
    path: str,
    target: Path | None,
    *,
    params: Params | None = None,
    digest: str = "",
    ticks: Ticks = lambda more: None,
    told: Callable[[str], None] = lambda words: None,
) -> Fetched:
    """Fetch what lies at a path of the API into a file, or to stdout (target None).

    What names its version (an ETag) and takes ranges goes on where it stopped, in a later call as well; everything else
    begins anew, and says so. digest: what the content must have. Raises Problem; then the target is as it was.
    """
    if target is None:
        return _to_stdout(connection, path, params, digest, ticks)
    part = _Part(target, path)
    for attempt in range(1, TRIES + 1):
        try:
            size = _into(connection, path, params, part, ticks)
            break
        except _Cut:
            if attempt == TRIES:
                raise Away(
                    f"The connection broke off {TRIES} times while {target.name} came.", hint="Call again to go on."
                ) from None
            goes_on = part.etag and part.received
            told(f"The connection broke off; {'going on' if goes_on else 'beginning anew'}.")
    found = part.digest()
    if digest and found != digest:
        part.discard()
        raise Problem(f"{target.name} is not what the server recorded.", hint=f"Its SHA-256 is {found}, not {digest}.")
    part.finish()
    return Fetched(target, size, found)


def _into(connection: Connection, path: str, params: Params | None, part: _Part, ticks: Ticks) -> int:
    headers = {"Accept": "*/*"}
    begun = part.received if part.etag else 0
    if begun:
        headers |= {"Range": f"bytes={begun}-", "If-Range": part.etag}
    try:
        with connection.stream(path, params, headers=headers) as answer:
            goes_on = answer.status_code == 206
            part.begin("" if answer.headers.get("accept-ranges") != "bytes" else answer.headers.get("etag", ""))
            with part.open(goes_on) as file:
                if goes_on:
                    ticks(begun)
                return (begun if goes_on else 0) + _copy(answer, file, ticks)
    except Away as away:
        if away.status:
            raise
        raise _Cut from None
    except Problem as problem:
        if problem.status != 416 or not begun:
            raise
        part.discard()
        raise _Cut from None


def _copy(answer: httpx.Response, file: BinaryIO, ticks: Ticks) -> int:
    count = 0
    try:
        for piece in answer.iter_bytes():
            file.write(piece)
            count += len(piece)
            ticks(len(piece))
    except httpx.TransportError:
        raise _Cut from None
    return count


def _to_stdout(connection: Connection, path: str, params: Params | None, digest: str, ticks: Ticks) -> Fetched:
    sha256, count = hashlib.sha256(), 0
    with connection.stream(path, params, headers={"Accept": "*/*"}) as answer:
        for piece in answer.iter_bytes():
            sha256.update(piece)
            sys.stdout.buffer.write(piece)
            count += len(piece)
            ticks(len(piece))
        sys.stdout.buffer.flush()
    if digest and sha256.hexdigest() != digest:
        raise Problem("What came is not what the server recorded.", hint="Throw it away and fetch it again.")
    return Fetched(None, count, sha256.hexdigest())


class _Part:
    """What is there so far of a file, beside its place, with the version of what it is a part of."""

    def __init__(self, target: Path, source: str) -> None:
        self.target, self.source = target, source
        self.file = target.with_name(f".{target.name}.part")
        self.label = target.with_name(f".{target.name}.part.json")
        if target.is_dir():
            raise Problem(f"{target} is a folder.", hint="Name a file.", field="--output")

    @property
    def received(self) -> int:
        """How many bytes are there."""
        return self.file.stat().st_size if self.file.exists() else 0

    @property
    def etag(self) -> str:
        """Which version they are of; '' where nothing is there, or nothing names its version."""
        try:
            known = json.loads(self.label.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        return str(known.get("etag", "")) if known.get("source") == self.source else ""

    def begin(self, etag: str) -> None:
        """Note which version comes now."""
        try:
            self.label.write_text(json.dumps({"source": self.source, "etag": etag}), encoding="utf-8")
        except OSError as error:
            raise self._unwritable(error) from None

    def open(self, goes_on: bool) -> BinaryIO:
        """Where the bytes go."""
        try:
            return self.file.open("ab" if goes_on else "wb")
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> Problem:
        return Problem(f"{self.target} cannot be written: {error.strerror}.", hint="Choose another place (--output).")

    def digest(self) -> str:
        """SHA-256 of all of it."""
        sha256 = hashlib.sha256()
        with self.file.open("rb") as file:
            while piece := file.read(1024 * 1024):
                sha256.update(piece)
        return sha256.hexdigest()

    def finish(self) -> None:
        """It is whole: to its place."""
        try:
            self.file.replace(self.target)
        except OSError as error:
            raise self._unwritable(error) from None
        self.label.unlink(missing_ok=True)

    def discard(self) -> None:
        """Forget it."""
        with suppress(OSError):
            self.file.unlink(missing_ok=True)
            self.label.unlink(missing_ok=True)
