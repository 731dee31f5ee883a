"""Somebody with the owner's rights on the database, but without the signing key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from audit.ledger import checkpoints, merkle
from audit.ledger.canonical import LEAF_COLUMNS, hex_id, leaf_hash_of, leaf_select
from audit.ledger.keys import SigningKey
from audit.ledger.tree import subtrees_of
from audit.ledger.triggers import refusals

TABLES = (
    "ledger_leaf",
    "ledger_subtree",
    "ledger_checkpoint",
    "ledger_pending",
    "ledger_auditpayload",
    "ledger_auditevent",
)


class _Undo(Exception):
    pass


@contextmanager
def forging() -> Iterator[None]:
    """Triggers and constraints are off inside, and everything is undone afterwards."""
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                sql("SET LOCAL session_replication_role = replica")
            else:
                sql("PRAGMA defer_foreign_keys = ON")
                for name, table in rows("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"):
                    assert table
                    sql(f'DROP TRIGGER "{name}"')
                assert not refusals(connection)
            yield
            raise _Undo
    except _Undo:
        return


def sql(statement: str, *parameters: Any) -> int:
    """Run a statement; how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


def rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def recompute_hashes(*, sign_with: SigningKey | None = None) -> None:
    """Make everything that is stored in the database fit the changed events: leaves, subtrees, roots of checkpoints.

    sign_with: rewrite the notes too, with a key of the forger's own.
    """
    stored = rows(
        f"SELECT leaf.seq, {leaf_select(connection.vendor, 'event')} FROM ledger_leaf leaf "
        "JOIN ledger_auditevent event ON event.id = leaf.event_id ORDER BY leaf.seq"
    )
    tree, grown, roots = merkle.CompactRange(), merkle.Grown(), {0: merkle.EMPTY_ROOT}
    for number, (seq, *columns) in enumerate(stored):
        leaf = leaf_hash_of(columns)
        sql("UPDATE ledger_leaf SET leaf_hash = %s WHERE seq = %s", leaf.hex(), seq)
        tree.append(leaf, grown)
        roots[number + 1] = tree.root()
    for subtree in subtrees_of(grown):
        sql(
            "UPDATE ledger_subtree SET root = %s WHERE level = %s AND place = %s",
            subtree.root,
            subtree.level,
            subtree.place,
        )
    for pk, size in rows("SELECT id, size FROM ledger_checkpoint"):
        root = roots[min(size, tree.size)]
        sql("UPDATE ledger_checkpoint SET root = %s WHERE id = %s", root.hex(), pk)
        if sign_with is not None:
            note = checkpoints.sign(sign_with, size, root)
            sql("UPDATE ledger_checkpoint SET note = %s, key_id = %s WHERE id = %s", note, sign_with.public.id, pk)


def event_of(seq: int) -> Any:
    """The event's id as this database stores it."""
    return rows("SELECT event_id FROM ledger_leaf WHERE seq = %s", seq)[0][0]


def swap(table: str, key: str, column: str, one: Any, other: Any) -> None:
    """Exchange a column of two rows."""
    mine, yours = (rows(f"SELECT {column} FROM {table} WHERE {key} = %s", place)[0][0] for place in (one, other))
    blank = "00" * 16 if len(hex_id(mine)) == 32 else "ff"
    for value, place in ((blank, one), (mine, other), (yours, one)):
        sql(f"UPDATE {table} SET {column} = %s WHERE {key} = %s", value, place)


def cut_off(size: int, *, with_heads: bool) -> None:
    """Delete the end of the log with its events."""
    for table, column in (("ledger_auditpayload", "event_id"), ("ledger_auditevent", "id")):
        sql(f"DELETE FROM {table} WHERE {column} IN (SELECT event_id FROM ledger_leaf WHERE seq >= %s)", size)
    sql("DELETE FROM ledger_leaf WHERE seq >= %s", size)
    if with_heads:
        sql("DELETE FROM ledger_checkpoint WHERE size > %s", size)
        sql("DELETE FROM ledger_subtree WHERE (place + 1) * 256 > %s", size)


def copy_of_database() -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """Every row of every table, for `put_back`."""
    tables = [name for name in connection.introspection.table_names() if name != "django_migrations"]
    copy = {}
    for table in tables:
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            copy[table] = ([column[0] for column in cursor.description], cursor.fetchall())
    return copy


def put_back(copy: dict[str, tuple[list[str], list[tuple[Any, ...]]]]) -> None:
    """Make the database what it was when it was copied."""
    for table in copy:
        sql(f'DELETE FROM "{table}"')
    for table, (columns, content) in copy.items():
        names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join(["%s"] * len(columns))
        for row in content:
            sql(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', *map(_storable, row))


def _storable(value: Any) -> Any:
    if isinstance(value, dict | list) and connection.vendor == "postgresql":
        from psycopg.types.json import Jsonb

        return Jsonb(value)
    return value


EVENT_COLUMNS = [name for name in LEAF_COLUMNS if name not in ("id", "at")]
