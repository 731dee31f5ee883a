"""Starts the reading process on the files of a version, and takes its answer, whatever becomes of it."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from django.conf import settings

from artifacts import blobs
from artifacts.models import ArtifactFile, DatasetVersion, VersionProfile
from artifacts.profiling.formats import format_of
from artifacts.profiling.limits import Limits
from artifacts.storage.base import BlobDamaged

State = VersionProfile.State
_COPIED_AT_ONCE = 1024**2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of reading a version: the columns of VersionProfile."""

    state: str
    error: str = ""
    row_count: int | None = None
    columns: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = field(default_factory=list)


def read_version(version: DatasetVersion, limits: Limits | None = None) -> Outcome:
    """Read the tables of a version. Takes up to five minutes: call it outside a transaction."""
    limits = limits or Limits()
    files = ArtifactFile.objects.filter(root_id=version.root_id).order_by("path")
    tables = [file for file in files.iterator(chunk_size=2000) if format_of(file.path)]
    if not tables:
        return Outcome(State.NOT_TABULAR)
    notes = []
    if len(tables) > limits.files:
        notes.append(f"There are {len(tables):,} tables; the first {limits.files} by path were read.")
    with contextlib.ExitStack() as stack:
        try:
            sources = [(file, stack.enter_context(_descriptor(file))) for file in tables[: limits.files]]
        except BlobDamaged as error:
            return Outcome(State.FAILED, str(error))
        outcome = _run(sources, limits)
    return Outcome(outcome.state, outcome.error, outcome.row_count, outcome.columns, [*notes, *outcome.notes])


@contextlib.contextmanager
def _descriptor(file: ArtifactFile) -> Iterator[int]:
    """A descriptor of the stored file itself, or of a copy of it where the storage is elsewhere."""
    with blobs.open_file(file) as reader:
        own = _own_descriptor(reader)
        if own is not None:
            yield own
            return
        with tempfile.TemporaryFile() as copy:
            _copy(reader, copy)
            yield copy.fileno()


def _own_descriptor(reader: BinaryIO) -> int | None:
    try:
        return reader.fileno()
    except (AttributeError, OSError):
        return None


def _copy(reader: BinaryIO, copy: BinaryIO) -> None:
    while chunk := reader.read(_COPIED_AT_ONCE):
        copy.write(chunk)
    copy.flush()


def _run(sources: Sequence[tuple[ArtifactFile, int]], limits: Limits) -> Outcome:
    asked = {"limits": limits.as_json(), "files": [_asked(file, fd) for file, fd in sources]}
    try:
        done = subprocess.run(  # our own module, with arguments that are all constants
            [sys.executable, "-m", "artifacts.profiling"],
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=limits.seconds + 30,
            cwd=settings.BASE_DIR,
            env=_environment(),
            pass_fds=[fd for _, fd in sources],
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(State.FAILED, f"Reading it took more than {limits.seconds:.0f} seconds, which is the most.")
    if done.returncode != 0:
        return Outcome(State.FAILED, _how_it_ended(done, sources, limits))
    return Outcome(**_storable(json.loads(done.stdout)))


def _storable(said: Any) -> Any:
    """What was read, without the characters that no database keeps: values of files have them."""
    if isinstance(said, str):
        return said.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(said, list):
        return [_storable(one) for one in said]
    return {_storable(key): _storable(one) for key, one in said.items()} if isinstance(said, dict) else said


def _asked(file: ArtifactFile, descriptor: int) -> dict[str, Any]:
    form, is_packed = format_of(file.path) or ("", False)
    return {"path": file.path, "fd": descriptor, "format": form, "is_packed": is_packed}


def _environment() -> dict[str, str]:
    """No secrets and no database; one thread each, so that the memory limit means what it says."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TZ") if name in os.environ}
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return {**kept, **single, "ARROW_DEFAULT_MEMORY_POOL": "system", "PYTHONUTF8": "1"}


def _how_it_ended(
    done: subprocess.CompletedProcess[bytes], sources: Sequence[tuple[ArtifactFile, int]], limits: Limits
) -> str:
    names = sources[0][0].path + (f" and {len(sources) - 1} more" if len(sources) > 1 else "")
    last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
    if any(word in done.stderr for word in (b"MemoryError", b"malloc", b"bad_alloc", b"Memory allocation")):
        return f"Reading {names} needs more than {limits.memory // 1024**2:,} MiB of memory, which is the most."
    how = f"signal {-done.returncode}" if done.returncode < 0 else last or f"exit code {done.returncode}"
    return f"The reader broke off at {names}: the file is probably damaged ({how})."
