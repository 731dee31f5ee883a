"""One at a time, across processes: an advisory lock on PostgreSQL, a locked file on SQLite."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection


@contextmanager
def alone(number: int, name: str) -> Iterator[None]:
    """Wait for the lock. On PostgreSQL it needs an open transaction, and is held to its end; on SQLite within.

    number: any that nothing else in this database locks. name: of the file.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        yield
        return
    descriptor = os.open(Path(settings.MLED_DATA) / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def waiting_at_most(milliseconds: int) -> Iterator[None]:
    """Inside a transaction: wait no longer than this for another's lock. SQLite has its own patience."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(milliseconds)])
        yield
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
