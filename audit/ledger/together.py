"""Writes that share a transaction of SQLite, so that one commit pays for all that came while its writer waited.

A commit of SQLite writes every page that it touched, some twenty-five for a new run, and most of them are the same for
the next one. So whoever finds its turn taken (docs/adr/0046) lets others of its process join it: when the turn comes,
all of them are written, one after the other, and each is answered once the commit is on disk. This is for writes that
are ready and ask for nothing but the database, and that may go another way where they cannot be had: if one fails,
none of its transaction was written.
"""

import threading
from collections.abc import Callable

from django.db import IntegrityError, connection, transaction

Write = Callable[[], bool]


class _Joined:
    """Writes that will be one transaction, as long as its turn has not come."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.written: list[bool] = []
        self.is_begun = False
        self.is_committed = False
        self.error: Exception | None = None
        self.failed_at: int | None = None
        self.is_over = threading.Event()


_mutex = threading.Lock()
_waiting: _Joined | None = None


def write_together(write: Write) -> bool:
    """Do what writes, in a transaction that others may share; what it said, once that is committed.

    write: says whether it wrote; done by whichever thread has the turn, with that one's `connection.connection`. False,
    too, where somebody else's write failed, or may have, and then nothing was written. Raises what this one raises, and
    what the transaction does.
    """
    if connection.in_atomic_block:
        with transaction.atomic():
            return write()
    joined, place = _join(write)
    if place == 0:
        _lead(joined)
    else:
        joined.is_over.wait()
    return _outcome(joined, place)


def _join(write: Write) -> tuple[_Joined, int]:
    global _waiting
    with _mutex:
        joined = _waiting = _waiting or _Joined()
        joined.writes.append(write)
        return joined, len(joined.writes) - 1


def _close(joined: _Joined) -> None:
    """Whoever comes from now on waits for the next turn."""
    global _waiting
    with _mutex:
        if _waiting is joined:
            _waiting = None


def _lead(joined: _Joined) -> None:
    def work() -> None:
        joined.is_begun = True
        _close(joined)
        for place, write in enumerate(joined.writes):
            joined.failed_at = place
            joined.written.append(write())
        joined.failed_at = None

    try:
        connection.commit_alone(work)  # type: ignore[attr-defined]
        joined.is_committed = True
    except Exception as error:
        joined.error = error
    finally:
        _close(joined)
        joined.is_over.set()


def _outcome(joined: _Joined, place: int) -> bool:
    if joined.is_committed:
        return joined.written[place]
    if joined.error is not None and not _is_somebody_elses(joined, place):
        raise joined.error
    return False


def _is_somebody_elses(joined: _Joined, place: int) -> bool:
    """Whether what went wrong need not meet this write, too, where it goes another way."""
    if not joined.is_begun:
        return place > 0  # the connection that had the turn
    if joined.failed_at is not None:
        return joined.failed_at != place
    # SQLite looks at foreign keys when it commits, and does not say whose it was.
    return isinstance(joined.error, IntegrityError) and len(joined.writes) > 1
