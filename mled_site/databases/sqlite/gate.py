"""Which process may write to a database file: two locked files beside it, which the kernel opens when a holder dies."""

import fcntl
import os
from contextlib import suppress


class Gate:
    """Held by one process at a time; processes come in by turns.

    Whoever waits for `-turn` holds `-next`. So a process that has just left finds the one that waited longest before
    it, and cannot go in again past it. Locks belong to the open file: a lock file that is taken away only costs order,
    since SQLite's own lock stays what keeps writers apart.
    """

    def __init__(self, path: str) -> None:
        """path: of the database. Raises OSError where no file can be made beside it, or none can be locked there."""
        self._turn = _opened(f"{path}-turn")
        try:
            self._next = _opened(f"{path}-next")
            if _locked(self._next):  # some network file systems know no such locks
                fcntl.flock(self._next, fcntl.LOCK_UN)
        except OSError:
            os.close(self._turn)
            raise

    def enter_at_once(self) -> bool:
        """Go in if nobody is inside and nobody waits."""
        if not _locked(self._next):
            return False
        try:
            return _locked(self._turn)
        finally:
            fcntl.flock(self._next, fcntl.LOCK_UN)

    def enter(self) -> None:
        """Wait until it is this process's turn, however long that takes."""
        fcntl.flock(self._next, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._next, fcntl.LOCK_UN)

    def is_wanted(self) -> bool:
        """Whether another process waits."""
        if not _locked(self._next):
            return True
        fcntl.flock(self._next, fcntl.LOCK_UN)
        return False

    def leave(self) -> None:
        fcntl.flock(self._turn, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the files. In a forked child this leaves the parent's locks alone, and outlives none of them."""
        for descriptor in (self._turn, self._next):
            with suppress(OSError):
                os.close(descriptor)


def _opened(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
