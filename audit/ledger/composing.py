"""Inserts whose text is composed once and which bind their values by name: for acts that come by the thousand, where
even reading the columns of a model costs more than writing the row. Several of them share their values.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID

from django.db import connection, models

# Types that a column's own would cut (a text that is too long for it has to be refused), or has no use for.
_CASTS = {"varchar": "text", "serial": "integer", "bigserial": "bigint"}


@dataclass(slots=True)
class Places:
    """Where values go in a statement: `$1::uuid` on PostgreSQL, by the order of `names`; `:uid` on SQLite."""

    vendor: str
    names: list[str] = field(default_factory=list)

    def __call__(self, name: str, kind: str) -> str:
        """The place of a value. kind: its type on PostgreSQL."""
        if self.vendor != "postgresql":
            return f":{name}"
        if name not in self.names:
            self.names.append(name)
        return f"${self.names.index(name) + 1}::{_CASTS.get(kind.partition('(')[0], kind)}"


def insertion(model: type[models.Model], given: Mapping[str, str], places: Places, *, after: str = "") -> str:
    """The INSERT of one row. given: which value goes into which column; the others get their defaults.

    after: what follows the columns of the SELECT, such as the table that decides whether there is a row.
    """
    columns = [one for one in model._meta.concrete_fields if one.attname in given or not one.primary_key]
    unknown = given.keys() - {one.attname for one in columns}
    if unknown:
        raise TypeError(f"{model.__name__} has no {', '.join(sorted(unknown))}.")
    said = [_said(one, given.get(one.attname), places) for one in columns]
    named = ", ".join(f'"{one.column}"' for one in columns)
    return f'INSERT INTO "{model._meta.db_table}" ({named}) SELECT {", ".join(said)} {after}'


def default_of(one: Any) -> Any:
    """What a column holds that nobody spoke of. Raises TypeError where that is made anew for each row."""
    if one.has_default() and callable(one.default):
        raise TypeError(f"{one.model.__name__}.{one.attname} is made anew for each row: give it.")
    held = one.get_default()
    return held.value if isinstance(held, Enum) else held


def place(one: Any, name: str, places: Places) -> str:
    """Where the value of a column goes."""
    return places(name, str(one.rel_db_type(connection) if one.primary_key else one.db_type(connection)))


def _said(one: Any, name: str | None, places: Places) -> str:
    if name is not None:
        return place(one, name, places)
    held = default_of(one)
    if held is None:
        return "NULL"
    if isinstance(held, bool):
        return str(held).lower()
    return str(held) if isinstance(held, int) else "'{}'".format(str(held).replace("'", "''"))


def bound(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the driver takes them. To PostgreSQL they go as text, whose types the statement says: one compiled
    statement, whatever is missing or small."""
    forms = _POSTGRES if connection.vendor == "postgresql" else _SQLITE
    return {name: forms[type(value)](value) for name, value in values.items()}


def in_order(values: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """The values of a statement of PostgreSQL."""
    return [values[name] for name in names]


def _same(value: Any) -> Any:
    return value


def _hex(value: UUID) -> str:
    return value.hex


def _utc(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ")


_EVERYWHERE: dict[type, Callable[[Any], Any]] = {type(None): _same, str: _same, UUID: _hex}
_SQLITE = _EVERYWHERE | {int: _same, bool: _same, bytes: _same, dt.datetime: _utc}
_POSTGRES = _EVERYWHERE | {
    int: str,
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: f"\\x{value.hex()}",
    dt.datetime: dt.datetime.isoformat,
}
