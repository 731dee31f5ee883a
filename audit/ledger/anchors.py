"""Checkpoints outside the database: an append-only file, so that a database rolled back to an old copy is found out.

One JSON object per line: {"checkpoint": row id, "at": time, "note": the signed note}. Whoever may write this file and
the database can still roll both back; a copy that someone else keeps (of the file, or of any one note) closes that.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from django.conf import settings

PLACE = "file:anchors/checkpoints.log"

_TAIL = 64 * 1024


class Anchored(msgspec.Struct, frozen=True):
    """One line of the file."""

    checkpoint: int
    at: str
    note: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be read, and where it is."""

    where: str


def anchor_file() -> Path:
    """Where this installation anchors its checkpoints."""
    return Path(settings.MLED_DATA) / "anchors" / "checkpoints.log"


def anchor(lines: Iterable[Anchored]) -> None:
    """Append lines and wait until the disk has them. A line cut short by a crash is ended first."""
    with _locked() as descriptor:
        text = as_lines(lines)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            text = b"\n" + text
        while text:
            text = text[os.write(descriptor, text) :]
        os.fsync(descriptor)


def last_anchored() -> Anchored | None:
    """The last whole line of the file."""
    path = anchor_file()
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        found = [line for line in map(parsed, file) if line is not None]
    return found[-1] if found else None


def anchored_bytes() -> int:
    """How long the file is now."""
    path = anchor_file()
    return path.stat().st_size if path.exists() else 0


def anchored(*, upto: int) -> Iterator[Anchored | BadLine]:
    """The lines in the first `upto` bytes, in order. Leaves out the beginning of a line that a crash cut short."""
    if not upto:
        return
    with anchor_file().open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if file.tell() > upto:
                return
            line = parsed(raw)
            if line is not None:
                yield line
            elif not _is_torn(raw):
                yield BadLine(f"line {number} of the anchor file")


def as_lines(lines: Iterable[Anchored]) -> bytes:
    """As they are written, wherever it is."""
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def parsed(raw: bytes) -> Anchored | None:
    """A line, or None where it is none."""
    try:
        return msgspec.json.decode(raw, type=Anchored)
    except (msgspec.DecodeError, ValueError):
        return None


def _is_torn(raw: bytes) -> bool:
    """Whether this is the beginning of a line and no more: opened as one, and not closed."""
    text = raw.strip()
    return not text or (b'{"checkpoint":'.startswith(text[:14]) and not text.endswith(b"}"))


@contextmanager
def _locked() -> Iterator[int]:
    path = anchor_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
