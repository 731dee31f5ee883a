"""Readable numbers of runs: none is given twice, gaps are allowed (docs/adr/0051)."""

from typing import NamedTuple
from uuid import UUID

from django.db import connection

# One message, one short transaction of its own: eight writers that held the counter until their commits spent 40 % of
# their time waiting for each other. It needs no flush: the log of PostgreSQL is flushed in order, so a run that is safe
# on disk means that its number is.
_DRAW = """
    SET LOCAL synchronous_commit = off;
    UPDATE accounts_projectcounter SET last_run = last_run + 1 WHERE project_id = %s
    RETURNING last_run, nextval(pg_get_serial_sequence('experiments_run', 'id'))
"""
_COUNT = "UPDATE accounts_projectcounter SET last_run = last_run + 1 WHERE project_id = %s RETURNING last_run"


class Drawn(NamedTuple):
    """What a run that is about to be made is called: for people, and in its table."""

    number: int
    key: int


def draw_run_number(project_id: UUID) -> Drawn | None:
    """The next number of a project's runs, before the transaction that makes the run: held for nobody. A run that is
    then not made leaves a gap. None where that cannot be: within a transaction, and on SQLite, which has one writer."""
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_DRAW, [project_id])
        cursor.nextset()
        return Drawn(*cursor.fetchone())


def next_run_number(project_id: UUID) -> int:
    """The next number within the transaction that is open: holds the counter until the commit."""
    key = project_id if connection.features.has_native_uuid_field else project_id.hex
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [key])
        (number,) = cursor.fetchone()
    return int(number)
