"""Where a worker keeps things: all of it below one folder, which needs no share with anybody.

jobs/<id>/          home of a job and what it prints; gone when it is over
cache/inputs/       contents of datasets by their SHA-256
cache/environments/ packages by the digest of what they were made from
cache/images/       images, unpacked, by their digest and repository
cache/layers/       what they were fetched as, in the same way
cache/git/          repositories by their address
"""

import fcntl
import logging
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

_LOOK = 0.2  # seconds
_FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY

log = logging.getLogger(__name__)


def made(folder: Path, mode: int = 0o700) -> Path:
    """The folder; for its owner alone unless others are to read it."""
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    return folder


def cache_folder(what: str) -> Path:
    """Where things of a kind stay for the next job."""
    return made(Path(settings.MLED_RUNNER_DATA) / "cache" / what)


@contextmanager
def held(lock: Path, told: Callable[[str], None]) -> Iterator[None]:
    """Only one process or thread of this machine at a time; whoever dies lets go. told: asked while waiting."""
    made(lock.parent)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _locked(descriptor):
            told("")
            time.sleep(_LOOK)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def held_if_free(lock: Path) -> Iterator[bool]:
    """The same without waiting: whether it is ours."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def cleared(folder: Path) -> None:
    """Take a folder away, whatever rights the files of others in it have and however deep it is. Links in it are not
    followed. What cannot be taken away stays."""
    if folder.is_symlink():
        folder.unlink()
        return
    if not folder.exists():
        return
    try:
        folder.chmod(stat.S_IRWXU)
        top = os.open(folder, _FOLDER)
        try:
            _empty(top)
        finally:
            os.close(top)
        folder.rmdir()
    except OSError as error:
        log.warning("%s cannot be taken away: %s", folder, error.strerror)


def _empty(top: int) -> None:
    """Folders within folders come up to the top before they are emptied: no path gets long, nothing calls itself."""
    waiting = os.listdir(top)
    while waiting:
        name = waiting.pop()
        try:
            if not stat.S_ISDIR(os.lstat(name, dir_fd=top).st_mode):
                os.unlink(name, dir_fd=top)
                continue
            waiting += _brought_up(top, name)
            os.rmdir(name, dir_fd=top)
        except OSError as error:
            log.warning("Taking away what a job left: %s", error.strerror)


def _brought_up(top: int, name: str) -> list[str]:
    """Empty a folder: its files go, its folders come up. Gives the new names of those."""
    os.chmod(name, stat.S_IRWXU, dir_fd=top)
    inner = os.open(name, _FOLDER, dir_fd=top)
    found = []
    try:
        for one in os.listdir(inner):
            if stat.S_ISDIR(os.lstat(one, dir_fd=inner).st_mode):
                os.chmod(one, stat.S_IRWXU, dir_fd=inner)
                found.append(f"up-{secrets.token_hex(16)}")
                os.rename(one, found[-1], src_dir_fd=inner, dst_dir_fd=top)
            else:
                os.unlink(one, dir_fd=inner)
    finally:
        os.close(inner)
    return found
