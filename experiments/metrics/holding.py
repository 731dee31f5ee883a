"""Rows held until the commit: the locks that SQL offers and the ORM does not. SQLite has one writer anyway."""

from typing import NamedTuple

from django.db import connection


class RunState(NamedTuple):
    """What a run is at the moment that its row is held."""

    lifecycle: str
    is_locked: bool
    is_sealed: bool
    experiment_id: int
    is_lost: bool = False


def hold_run(run_id: int, *, alone: bool) -> RunState | None:
    """Lock the run's row until the commit and tell its state now.

    alone: nobody else may write meanwhile (params and tags); else many batches of points may, unless the run is
    sealed or taken for dead: whoever changes that needs the row alone; two that shared it would wait for each other.
    """
    if connection.vendor != "postgresql":
        return _state(run_id, "")
    shared = None if alone else _state(run_id, "AND sealed_at IS NULL AND lost_at IS NULL FOR SHARE")
    return shared or _state(run_id, "FOR NO KEY UPDATE")


def share_run(run_id: int) -> bool:
    """Keep whoever wants the run's row alone waiting until the commit; False where somebody has it just now."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM experiments_run WHERE id = %s FOR SHARE SKIP LOCKED", [run_id])
        return cursor.fetchone() is not None


def _state(run_id: int, ending: str) -> RunState | None:
    columns = "lifecycle, locked_at IS NOT NULL, sealed_at IS NOT NULL, experiment_id, lost_at IS NOT NULL"
    with connection.cursor() as cursor:
        # The ending is one of three fixed ones.
        cursor.execute(f"SELECT {columns} FROM experiments_run WHERE id = %s {ending}", [run_id])  # noqa: S608
        row = cursor.fetchone()
    return None if row is None else RunState(row[0], bool(row[1]), bool(row[2]), row[3], bool(row[4]))


def hold_experiment(experiment_id: int) -> str | None:
    """Keep an experiment from being renamed or deleted until the commit, and tell its lifecycle now.

    Many may hold it at once: runs that begin side by side in one experiment do not wait for each other.
    """
    lock = "FOR SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        # The lock is one of two fixed words.
        cursor.execute(f"SELECT lifecycle FROM experiments_experiment WHERE id = %s {lock}", [experiment_id])  # noqa: S608
        row = cursor.fetchone()
    return None if row is None else str(row[0])
