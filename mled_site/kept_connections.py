"""A database connection that a thread keeps over the calls that it answers one after another.

On PostgreSQL each call takes a connection from the pool and gives it back, which Django does by way of all that it does
for a new one. A thread that stays with its client (mled_site/serving.py) keeps it until it turns to another.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings
from django.db import close_old_connections, connection

_mine = threading.local()


@contextmanager
def kept(*, threads: int) -> Iterator[None]:
    """Around calls that one thread of so many answers. Where the pool has not one for each, nothing is kept: a client
    that sends slowly would hold up others."""
    _mine.is_kept = _has_enough(threads)
    try:
        yield
    finally:
        _mine.is_kept = False
        close_old_connections()


def call_is_over() -> None:
    """Give the connection back, unless it is kept and nothing went wrong with it."""
    if not getattr(_mine, "is_kept", False) or connection.errors_occurred:
        close_old_connections()


@cache
def _has_enough(threads: int) -> bool:
    pool = settings.DATABASES["default"].get("OPTIONS", {}).get("pool")
    return not pool or int(pool["max_size"]) >= threads
