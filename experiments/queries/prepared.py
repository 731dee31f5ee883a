"""Reads of fixed shape, compiled once: on the paths that every request takes, writing the same SQL anew costs more
than running it (0.6 ms for a run with its experiment, of which the database needs 0.03). On PostgreSQL they are planned
once for a connection, too."""

import copy
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models.query import QuerySet
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

from audit.ledger.inserting import compiling_cursor

M = TypeVar("M", bound=models.Model)
_SAMPLES = {str: "sample of a prepared read", UUID: UUID(int=0x5A3917E5), int: 0x5A3917E5}


class Prepared(Generic[M]):
    """A queryset with one open value: `Prepared(lambda uid: Run.objects.filter(uid=uid), UUID)`.

    Everything but that value has to be the same each time. Calling it with a value gives the queryset as usual.
    """

    def __init__(self, rows: Callable[[Any], "QuerySet[M, Any]"], kind: type[str] | type[UUID] | type[int]) -> None:
        self.rows = rows
        self.sample: Any = _SAMPLES[kind]
        self.compiled: dict[str, tuple[QuerySet[M, Any], SQLCompiler, str, tuple[Any, ...]]] = {}

    def __call__(self, value: Any) -> "QuerySet[M, Any]":
        """The rows for this value. They are read when asked for, and cannot be filtered further."""
        found = self.compiled.get(connection.vendor)
        if found is None:
            found = self.compiled[connection.vendor] = self._compile()
        template, compiler, sql, params = found
        sample, value = _as_parameter(self.sample), _as_parameter(value)
        given = tuple(value if param == sample else param for param in params)
        rows: QuerySet[M, Any] = QuerySet(template.model)
        rows._query = _CompiledQuery(template.query, compiler, sql, given)  # type: ignore[attr-defined]
        rows._iterable_class = template._iterable_class  # type: ignore[attr-defined]
        rows._fields = template._fields  # type: ignore[attr-defined]
        return rows

    def _compile(self) -> "tuple[QuerySet[M, Any], SQLCompiler, str, tuple[Any, ...]]":
        template = self.rows(self.sample)
        compiler = template.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        if _as_parameter(self.sample) not in params:
            raise TypeError("A prepared read has one open value, which is compared as it is.")
        return template, compiler, sql, tuple(params)


class _CompiledQuery:
    """A query that has its SQL already."""

    def __init__(self, query: Query, compiler: SQLCompiler, sql: str, params: tuple[Any, ...]) -> None:
        self.query = query
        self.compiler = compiler
        self.statement = (sql, params)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.query, name)

    def get_compiler(self, *args: Any, **kwargs: Any) -> SQLCompiler:
        compiler = copy.copy(self.compiler)
        compiler.connection = cast("BaseDatabaseWrapper", _Preparing(connections[DEFAULT_DB_ALIAS]))
        compiler.as_sql = lambda *args, **kwargs: self.statement  # type: ignore[method-assign]
        return compiler


class _Preparing:
    """A connection whose cursors prepare what they are given."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def cursor(self) -> CursorWrapper:
        return compiling_cursor()


def _as_parameter(value: Any) -> Any:
    """A value as the database's driver takes it."""
    if isinstance(value, UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value
