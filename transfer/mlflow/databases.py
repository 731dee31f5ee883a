"""Databases that an MLflow server keeps, opened for reading alone: SQLite and PostgreSQL."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import psycopg

from transfer.mlflow.records import NotReadable, SourceBroken

Row = tuple[Any, ...]
_TEXT_MAX = 64 * 1024**2
_STATEMENT_SECONDS = 600.0
_READING = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_PRAGMA,
        sqlite3.SQLITE_RECURSIVE,
    }
)
_PRAGMAS = frozenset({"quick_check", "table_info"})
_FUNCTIONS = frozenset({"coalesce", "count", "min", "max", "lower"})


class Database(Protocol):
    """A database to read. SQL is written with '?' for values."""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of a statement. Raises SourceBroken, NotReadable."""

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of a statement as they come."""

    def columns(self) -> dict[str, set[str]]:
        """The tables with their columns."""

    def close(self) -> None:
        """Let go of it."""


class Sqlite:
    """A file of SQLite, which may be hostile: read-only, no code of its schema runs, nothing but reading is done.

    is_still: nobody writes to it meanwhile, so that it is read without locks and without the journal beside it.
    """

    def __init__(self, path: Path, *, is_still: bool = False) -> None:
        if not path.is_file():
            raise NotReadable(f"There is no file '{path.name}' to read.", hint="Name MLflow's database file.")
        uri = f"file:{quote(str(path))}?mode=ro" + ("&immutable=1" if is_still else "")
        try:
            self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)
            self._confine()
        except sqlite3.Error as error:
            raise _unreadable(error) from None

    def _confine(self) -> None:
        connection = self._connection
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _TEXT_MAX)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        for setting in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "query_only=ON"):
            connection.execute(f"PRAGMA {setting}")
        self._until = float("inf")
        connection.set_progress_handler(lambda: int(time.monotonic() > self._until), 100_000)
        connection.set_authorizer(_only_reading)

    def check(self) -> None:
        """Raise NotReadable for a damaged file."""
        found = [str(row[0]) for row in self.rows("PRAGMA quick_check(5)")]
        if found != ["ok"]:
            raise NotReadable(f"The database is damaged: {found[0][:200]}", hint="Repair it, or send another copy.")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        return list(self.stream(sql, values))

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        self._until = time.monotonic() + _STATEMENT_SECONDS
        try:
            yield from self._connection.execute(sql, tuple(values))
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise SourceBroken("The store is being written to just now.", hint="Try again.") from None
            raise _unreadable(error) from None
        except sqlite3.Error as error:
            raise _unreadable(error) from None

    def columns(self) -> dict[str, set[str]]:
        names = [row[0] for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        plain = [name for name in names if isinstance(name, str) and name.isidentifier()]
        return {name: {str(row[1]) for row in self.rows(f"PRAGMA table_info({name})")} for name in plain}

    def close(self) -> None:
        self._connection.close()


def _only_reading(act: int, first: str | None, second: str | None, *_: str | None) -> int:
    allowed = act in _READING
    if act == sqlite3.SQLITE_PRAGMA:
        allowed = first in _PRAGMAS
    if act == sqlite3.SQLITE_FUNCTION:
        allowed = (second or "").lower() in _FUNCTIONS
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _unreadable(error: sqlite3.Error) -> NotReadable:
    return NotReadable(
        f"This is no database that can be read: {error}.", hint="Name the mlflow.db of an MLflow server, not in use."
    )


class Postgres:
    """A database of PostgreSQL, in a session that may only read."""

    def __init__(self, address: str) -> None:
        try:
            self._connection = psycopg.connect(address, autocommit=True, connect_timeout=15)
            self._connection.read_only = True
        except (psycopg.Error, ValueError):  # their words may hold the password
            raise SourceBroken(
                "The database of the store cannot be reached.", hint="Check host, port, name, user and password."
            ) from None

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        with self._told(), self._connection.cursor() as cursor:
            cursor.execute(_bound(sql), tuple(values))
            return cursor.fetchall()

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        with self._told(), self._connection.transaction(), self._connection.cursor(name="mled_reads") as cursor:
            cursor.itersize = 20_000
            cursor.execute(_bound(sql), tuple(values))
            yield from cursor

    def columns(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        sql = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        for table, column in self.rows(sql):
            found.setdefault(table, set()).add(column)
        return found

    def _told(self) -> "_Told":
        return _Told()

    def close(self) -> None:
        with suppress(psycopg.Error):
            self._connection.close()


class _Told:
    """What PostgreSQL objects to, in words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, psycopg.OperationalError):
            raise SourceBroken("The store's database went away.", hint="Try again.") from None
        if isinstance(error, psycopg.Error):
            raise NotReadable(f"The store cannot be read: {str(error).splitlines()[0][:200]}") from None


def _bound(sql: str) -> bytes:
    return sql.replace("?", "%s").encode()
