"""Where files are decoded that could be hostile: in a process of its own, with little time, memory and no secrets.

What comes out is kept by the digest of the file, so each file is decoded once.
"""

import json
import logging
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from django.conf import settings

from artifacts.previews.kinds import Kind
from kernel.errors import MledError, Unavailable

VERSION: Final = 2  # of what decoding makes: raise it, and what was kept is made anew
SECONDS: Final = 20
RESULT_MAX: Final = 24 * 1024**2
FED_MAX: Final = 256 * 1024**2  # bytes of a file that does not lie on a disk of ours
AT_ONCE: Final = 2
WAIT: Final = 15  # seconds for a place
KEPT_DAYS: Final = 14
_places = threading.BoundedSemaphore(AT_ONCE)
_log = logging.getLogger(__name__)


class CannotShow(MledError):
    """The file is not what its name says, or is too large to be shown; the message says which."""

    code = "CANNOT_SHOW"
    status = 422


@dataclass(frozen=True, slots=True)
class Made:
    """What decoding gave: facts as JSON has them, and the bytes of a picture where it makes one."""

    facts: dict[str, Any]
    body: bytes


def made(kind: Kind, digest: str, size_bytes: int, reader: BinaryIO, **options: int) -> Made:
    """Decode a file, or take what was kept of it. Raises CannotShow, Unavailable."""
    place = _place_of(kind, digest, options)
    kept = _kept(place)
    if kept is None:
        with _a_place(), _as_file(reader, size_bytes) as source:
            kept = _decoded(kind, source, options)
        _keep(place, kept)
    return _read(kept)


def _read(result: bytes) -> Made:
    head, _, body = result.partition(b"\n")
    facts = json.loads(head)
    if "why" in facts:
        raise CannotShow(facts["why"])
    return Made(facts, body)


@contextmanager
def _a_place() -> Any:
    """One of the few places for decoding. Raises Unavailable when all stay taken."""
    if not _places.acquire(timeout=WAIT):
        raise Unavailable("Too many previews are being made just now.", hint="Try again shortly.")
    try:
        yield
    finally:
        _places.release()


@contextmanager
def _as_file(reader: BinaryIO, size_bytes: int) -> Any:
    """The bytes as a file of this machine, which a process can be given. Raises CannotShow for too many elsewhere."""
    try:
        os.lseek(reader.fileno(), 0, os.SEEK_SET)
    except (OSError, AttributeError):
        if size_bytes > FED_MAX:
            raise CannotShow(f"Only files of up to {FED_MAX // 10**6} MB are opened for a preview.") from None
        with tempfile.TemporaryFile() as copy:
            while chunk := reader.read(1024**2):
                copy.write(chunk)
            copy.flush()
            copy.seek(0)
            yield copy
    else:
        yield reader


def _decoded(kind: Kind, source: IO[bytes], options: dict[str, int]) -> bytes:
    """What the decoding process wrote. Raises CannotShow when it did not come to an end."""
    command = [sys.executable, "-s", "-B", "-m", "artifacts.previews.decoding", kind.value, json.dumps(options)]
    # No environment of ours: a decoder that was taken over finds no key and no database in it.
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
                   "ARROW_DEFAULT_MEMORY_POOL": "system"}  # fmt: skip
    process = subprocess.Popen(
        command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=settings.BASE_DIR, env=environment
    )
    clock = threading.Timer(SECONDS, process.kill)
    clock.start()
    try:
        result = process.stdout.read(RESULT_MAX + 1) if process.stdout else b""
        if len(result) > RESULT_MAX:
            process.kill()
        code = process.wait()
    finally:
        clock.cancel()
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
    if code != 0 or len(result) > RESULT_MAX:
        raise CannotShow("Looking into this file takes more time or memory than a preview is given.")
    return result


def _shelf() -> Path:
    return Path(settings.MLED_DATA) / "previews"


def _place_of(kind: Kind, digest: str, options: dict[str, int]) -> Path:
    name = "-".join([digest, kind.value, *(f"{key}{value}" for key, value in sorted(options.items())), f"v{VERSION}"])
    return _shelf() / digest[:2] / name


def _kept(place: Path) -> bytes | None:
    try:
        return place.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _keep(place: Path, result: bytes) -> None:
    """Kept results only save time: where they cannot be kept, they are made again."""
    aside = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(result)
        aside.replace(place)
    except OSError as error:
        _log.warning("A preview could not be kept: %s", error)
        if aside.exists():
            aside.unlink()


def forget_old(days: int = KEPT_DAYS) -> int:
    """Remove what was made longer ago; returns how many."""
    before, gone = time.time() - days * 86_400, 0
    for place in _shelf().glob("*/*"):
        if place.stat().st_mtime < before:
            place.unlink(missing_ok=True)
            gone += 1
    return gone
