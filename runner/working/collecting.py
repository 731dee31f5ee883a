"""What a job leaves behind becomes files of its run. The folder was written by code of others: nothing is trusted.

Each folder is opened from the one above it and no link is ever followed, so that a name cannot lead out.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from artifacts.blobs import receive
from artifacts.paths import checked_path
from experiments.actions.files import put_file
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import Unavailable
from runner.working.facts import tried

FOLDER: Final = "outputs"
FILES_MAX: Final = 5000
BYTES_MAX: Final = 50 * 1024**3  # of all files together
DEPTH_MAX: Final = 40
NAMED_MAX: Final = 20  # of what is left out, so many are named
_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_KINDS: Final = {
    stat.S_IFLNK: "a link",
    stat.S_IFSOCK: "a socket",
    stat.S_IFIFO: "a pipe",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A file, opened; or why it is not taken."""

    path: str
    descriptor: int = -1
    size_bytes: int = 0
    refused: str = ""


def keep_outputs(actor: Actor, run: Run, folder: Path, *, kept: dict[str, list[str]]) -> list[str]:
    """Make files of the run of what lies in the folder; what was not taken, in words.

    kept: paths of earlier attempts, with why they were not taken; grows. Raises Unavailable once all else is kept.
    """
    lost: list[str] = []
    files, size = 0, 0
    away: Unavailable | None = None
    for found in _files_in(folder):
        try:
            if found.refused:
                lost.append(f"{FOLDER}/{found.path}: {found.refused}")
                continue
            if files == FILES_MAX or size + found.size_bytes > BYTES_MAX:
                lost.append(f"{FOLDER}/{found.path} and what follows: {_limit(files)}")
                break
            files, size = files + 1, size + found.size_bytes
            if found.path not in kept:
                kept[found.path] = _keep(actor, run, found)
            lost += kept[found.path]
        except Unavailable as error:
            away = error
        finally:
            if found.descriptor >= 0:
                os.close(found.descriptor)
    if away is not None:
        raise away
    if len(lost) > NAMED_MAX:
        lost = [*lost[:NAMED_MAX], f"and {len(lost) - NAMED_MAX:,} more"]
    return lost


def _limit(files: int) -> str:
    if files == FILES_MAX:
        return f"a job keeps at most {FILES_MAX:,} files. Pack them."
    return f"a job keeps at most {BYTES_MAX // 1024**3} GB."


def _keep(actor: Actor, run: Run, found: Found) -> list[str]:
    path = f"{FOLDER}/{found.path}"

    def keep() -> None:
        checked_path(path)
        with os.fdopen(os.dup(found.descriptor), "rb") as file:
            put_file(actor, run, path=path, stored=receive(file, expected=found.size_bytes))

    return tried(path.encode("utf-8", "replace").decode(), keep)


def _files_in(folder: Path) -> Iterator[Found]:
    """Every file below, by name. The caller closes the descriptors."""
    try:
        top = os.open(folder, _OPEN | os.O_DIRECTORY)
    except OSError:  # the job took its own folder away, or put something else there
        return
    try:
        yield from _within(top, "", 0)
    finally:
        os.close(top)


def _within(descriptor: int, above: str, depth: int) -> Iterator[Found]:
    for name in sorted(os.listdir(descriptor)):
        path = f"{above}{name}"
        try:
            kind = os.lstat(name, dir_fd=descriptor)
            if stat.S_ISDIR(kind.st_mode):
                yield from _folder(descriptor, name, path, depth)
            elif stat.S_ISREG(kind.st_mode):
                yield _file(descriptor, name, path)
            else:
                yield Found(path, refused=f"{_KINDS.get(stat.S_IFMT(kind.st_mode), 'no file')} is not kept.")
        except OSError as error:
            yield Found(path, refused=f"it cannot be read: {error.strerror}.")


def _folder(descriptor: int, name: str, path: str, depth: int) -> Iterator[Found]:
    if depth == DEPTH_MAX:
        yield Found(path, refused=f"folders are kept to a depth of {DEPTH_MAX}.")
        return
    inner = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=descriptor)
    try:
        yield from _within(inner, f"{path}/", depth + 1)
    finally:
        os.close(inner)


def _file(descriptor: int, name: str, path: str) -> Found:
    opened = os.open(name, _OPEN, dir_fd=descriptor)
    seen = os.fstat(opened)
    refused = ""
    if not stat.S_ISREG(seen.st_mode):
        refused = "it is no file."
    elif seen.st_nlink > 1:
        refused = "a file that also has another name somewhere is not kept. Copy it instead."
    if refused:
        os.close(opened)
        return Found(path, refused=refused)
    return Found(path, opened, seen.st_size)
