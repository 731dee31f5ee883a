"""Putting many rows into tables by the shortest way that a database has: COPY on PostgreSQL, executemany on SQLite."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

_EPOCH = dt.datetime(1970, 1, 1)
_AT_ONCE = 10_000  # rows between two looks at a generator


def insert_objects(rows: Iterable[Any]) -> None:
    """Model objects in pieces, in the caller's act: slower than `put`, and every default is the model's."""
    every = iter(rows)
    while piece := list(islice(every, 2_000)):
        objects: QuerySet[Any] = type(piece[0])._default_manager.all()
        QuerySet.bulk_create(objects, piece)


def put(model: type[Model], columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Rows of these columns; what else the table wants is the model's default, the same for all.

    A text holds neither a tab nor a line's end nor a backslash, and does not begin with None.
    """
    fields = {field.column: field for field in model._meta.concrete_fields}
    others = [c for c, f in fields.items() if c not in columns and not f.null and not f.primary_key]
    values = tuple(_prepared(fields[c]) for c in others)
    names = ", ".join(f'"{name}"' for name in (*columns, *others))
    if connection.vendor == "postgresql":
        _copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN", len(columns), values, rows)
    else:
        marks = ", ".join(["?"] * len(columns) + [_literal(value) for value in values])
        connection.ensure_connection()
        connection.connection.executemany(
            f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({marks})',  # noqa: S608 - names of our own tables
            rows,
        )


def _prepared(field: Any) -> Any:
    default = field.get_default()
    return json.dumps(default) if isinstance(default, dict) else field.get_db_prep_save(default, connection)


def _copy(statement: str, width: int, values: Sequence[Any], rows: Iterable[tuple[Any, ...]]) -> None:
    line = "\t".join(["%s"] * width + [str(value) for value in values]) + "\n"
    every = iter(rows)
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:
        while piece := "".join([line % row for row in islice(every, _AT_ONCE)]):
            copy.write(piece.replace("\tNone", "\t\\N"))


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def packed(data: bytes) -> object:
    """Bytes as a row has them."""
    return f"\\\\x{data.hex()}" if connection.vendor == "postgresql" else data


def moment(ms: int) -> str:
    """A moment as a row has it."""
    text = (_EPOCH + dt.timedelta(milliseconds=ms)).isoformat(" ", "microseconds")
    return f"{text}+00" if connection.vendor == "postgresql" else text


def next_id(model: type[Model]) -> int:
    """The first number that no row of the model has, nor one that follows."""
    newest = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
    return int(newest or 0) + 1


@contextmanager
def in_bulk(models: Sequence[type[Model]], *, rebuild: bool) -> Iterator[None]:
    """Around all that is put: foreign keys are not looked up row by row, and numbers go on behind it.

    rebuild: PostgreSQL makes the indexes that no constraint needs anew when all is in, which is quicker for many rows.
    """
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size=-1000000")
            cursor.execute("PRAGMA foreign_keys=OFF")
        yield
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys=ON")
        return
    tables = [model._meta.db_table for model in models]
    indexes = _free_indexes(tables) if rebuild else []
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        try:
            yield
        finally:
            for _, definition in indexes:
                cursor.execute(definition)
            for table in tables:
                _move_sequence(cursor, table)
            cursor.execute("SET session_replication_role = DEFAULT")


def _free_indexes(tables: Sequence[str]) -> list[tuple[str, str]]:
    """Name and definition of the indexes that stand for no constraint."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisunique",
            [list(tables)],
        )
        return cursor.fetchall()


def _move_sequence(cursor: Any, table: str) -> None:
    """Behind the numbers that were given out by hand."""
    cursor.execute(
        "SELECT pg_get_serial_sequence(%s, 'id') FROM information_schema.columns"
        " WHERE table_name = %s AND column_name = 'id' AND is_identity = 'YES'",
        [table, table],
    )
    if cursor.fetchone():
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT COALESCE(max(id), 0) + 1 FROM {table}))"  # noqa: S608
        )
