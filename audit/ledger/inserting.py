"""Writing rows by statements that are composed once: every act pays for them. (The ORM composes each anew: 0.3 ms a
row, of which the database needs 0.05.) On PostgreSQL rows of several models go in one statement, compiled once for a
connection.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import groupby
from typing import Any

from django.db import DatabaseError, connection, models
from django.db.backends.utils import CursorWrapper

_PREPARED_AT_MOST = 24  # rows in one statement: whoever sends more pays for its compilation, not others for its place
_TOGETHER_ON_SQLITE = 100  # far below the 32,766 values that one statement of it may bind
_PLAIN_FIELDS = (models.CharField, models.TextField, models.IntegerField, models.FloatField, models.BooleanField)
_AS_IT_IS = frozenset({str, int, float, bool, type(None)})

Shape = tuple[tuple[type[models.Model], bool, int], ...]


def compiling_cursor() -> CursorWrapper:
    """A cursor whose statements PostgreSQL keeps compiled, with values apart from the text; on SQLite the usual one,
    which does so anyway. For statements of few shapes."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    from audit.ledger.server_side import cursor_of

    connection.ensure_connection()
    wrapped: Any = connection  # CursorWrapper, or the one that keeps a log
    prepared: CursorWrapper = wrapped._prepare_cursor(cursor_of(connection.connection))
    return prepared


def insert_rows(rows: Sequence[models.Model]) -> None:
    """Insert rows of different models, in this order. Their columns are all set; keys that count by themselves may be.

    Raises django.db errors, as `save` does. Sends no signals.
    """
    groups = [(model, has_key, list(some)) for (model, has_key), some in groupby(rows, _kind)]
    if connection.vendor == "postgresql":
        shape = tuple((model, has_key, len(some)) for model, has_key, some in groups)
        values = [value for model, has_key, some in groups for row in some for value in _values(row, model, has_key)]
        with compiling_cursor() if len(rows) <= _PREPARED_AT_MOST else connection.cursor() as cursor:
            cursor.execute(_together(shape), values)
        return
    with connection.cursor() as cursor:
        for model, has_key, some in groups:
            for start in range(0, len(some), _TOGETHER_ON_SQLITE):
                rows_now = some[start : start + _TOGETHER_ON_SQLITE]
                values = [value for row in rows_now for value in _values(row, model, has_key)]
                cursor.execute(_statement(model, has_key, len(rows_now)), values)


def set_rows(rows: Sequence[models.Model], *, unique: Sequence[str], changing: str) -> None:
    """Insert rows of one model, or change one column of those that are there already by the unique ones."""
    model = type(rows[0])
    ending = f'ON CONFLICT ({", ".join(unique)}) DO UPDATE SET "{changing}" = excluded."{changing}"'
    together = len(rows) if connection.vendor == "postgresql" else _TOGETHER_ON_SQLITE
    with compiling_cursor() if len(rows) <= _PREPARED_AT_MOST else connection.cursor() as cursor:
        for start in range(0, len(rows), together):
            some = rows[start : start + together]
            values = [value for row in some for value in _values(row, model, has_key=False)]
            cursor.execute(f"{_statement(model, False, len(some))} {ending}", values)


def insert_row(row: models.Model) -> None:
    """Insert one row, which has its key afterwards."""
    model, has_key = _kind(row)
    statement, values = _statement(model, has_key, 1), _values(row, model, has_key)
    with compiling_cursor() as cursor:
        if has_key:
            cursor.execute(statement, values)
        elif connection.vendor == "postgresql":
            cursor.execute(f'{statement} RETURNING "{_key(model).column}"', values)
            (row.pk,) = cursor.fetchone()
        else:
            cursor.execute(statement, values)
            row.pk = cursor.lastrowid


def update_row(row: models.Model, names: Sequence[str]) -> None:
    """Write these columns of a row. Raises DatabaseError where the row is gone."""
    model = type(row)
    values = [_prepared(by_name(model)[name], getattr(row, name)) for name in names]
    with compiling_cursor() as cursor:
        cursor.execute(_change(model, tuple(names)), [*values, _prepared(_key(model), row.pk)])
        if cursor.rowcount != 1:
            raise DatabaseError(f"The row of {model._meta.label} that was to change is gone.")


@cache
def is_plain(model: type[models.Model]) -> bool:
    """Whether rows of this model are written as they are: all columns in one table, none made by the database."""
    made = (models.GeneratedField, models.FileField)
    fields = model._meta.concrete_fields
    return not model._meta.parents and not any(isinstance(one, made) or one.has_db_default() for one in fields)


@cache
def by_name(model: type[models.Model]) -> dict[str, Any]:
    """The columns' fields by attribute."""
    return {field.attname: field for field in model._meta.concrete_fields}


def _kind(row: models.Model) -> tuple[type[models.Model], bool]:
    return type(row), row.pk is not None or not isinstance(_key(type(row)), models.AutoField)


def _key(model: type[models.Model]) -> Any:
    return model._meta.pk


@cache
def _fields(model: type[models.Model], has_key: bool) -> tuple[tuple[str, Any], ...]:
    """Attribute and field of each column; the field is None where plain Python values go in as they are."""
    fields = (one for one in model._meta.concrete_fields if has_key or not isinstance(one, models.AutoField))
    return tuple((field.attname, field) for field in fields)


def _values(row: models.Model, model: type[models.Model], has_key: bool) -> list[Any]:
    held = row.__dict__
    return [_prepared(field, held[name]) for name, field in _fields(model, has_key)]


def _prepared(field: Any, value: Any) -> Any:
    """A value as the driver takes it; Django asks five functions of each, most of which change nothing."""
    if value is None or (type(value) in _AS_IT_IS and isinstance(field, _PLAIN_FIELDS)):
        return value
    return field.get_db_prep_save(value, connection)


def _together(shape: Shape) -> str:
    *first, last = (_statement(*one) for one in shape)
    parts = ", ".join(f"part_{number} AS ({statement})" for number, statement in enumerate(first))
    return f"WITH {parts} {last}" if first else last


def _statement(model: type[models.Model], has_key: bool, count: int) -> str:
    """The text of so many rows; that of many is not worth its place in memory."""
    return _kept_statement(model, has_key, count) if count <= _TOGETHER_ON_SQLITE else _text_of(model, has_key, count)


@lru_cache(maxsize=256)
def _kept_statement(model: type[models.Model], has_key: bool, count: int) -> str:
    return _text_of(model, has_key, count)


def _text_of(model: type[models.Model], has_key: bool, count: int) -> str:
    fields = [field for _, field in _fields(model, has_key)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * count)
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES {places}'  # noqa: S608 - names of our own tables


@lru_cache(maxsize=512)
def _change(model: type[models.Model], names: tuple[str, ...]) -> str:
    given = ", ".join(f'"{by_name(model)[name].column}" = %s' for name in names)
    return f'UPDATE "{model._meta.db_table}" SET {given} WHERE "{_key(model).column}" = %s'  # noqa: S608 - our own names
