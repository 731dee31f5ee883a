"""Django's SQLite, with a queue for whoever wants to write.

A write transaction takes its turn before BEGIN IMMEDIATE and gives it back with COMMIT, ROLLBACK or the connection's
end; so does a single statement that writes outside of a transaction. Reads never wait. SQLite's own lock and
busy_timeout stay behind it, for programs that know nothing of the queue.
"""

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from django.db.backends.sqlite3.base import DatabaseWrapper as DjangoDatabaseWrapper
from django.db.backends.sqlite3.base import SQLiteCursorWrapper

from mled_site.databases.sqlite.turns import TooLong, Turn, Turns, turns_of

_CHANGES: Final = "insert|update|delete|replace"
_WRITES: Final = re.compile(
    rf"\s*(?:(?:{_CHANGES}|create|drop|alter|reindex|vacuum|analyze)\b|with\b.*\b(?:{_CHANGES})\s)", re.I | re.S
)

T = TypeVar("T")


class DatabaseWrapper(DjangoDatabaseWrapper):
    """vendor stays 'sqlite'."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn: Turn | None = None
        self._turns: Turns | None = None

    def get_new_connection(self, conn_params: Any) -> Any:
        self._turns = self._queue()
        return super().get_new_connection(conn_params)

    def create_cursor(self, name: Any = None) -> Any:
        cursor = self.connection.cursor(factory=QueuingCursor)
        cursor.wrapper = self
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        if self.transaction_mode in (None, "DEFERRED"):  # type: ignore[attr-defined]
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
            return
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._give_turn_back()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            self._transaction_ended()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._transaction_ended()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._give_turn_back()
            self._turns = None

    def _transaction_ended(self) -> None:
        """A COMMIT that fails, on a foreign key for one, leaves the transaction open."""
        if self._turn is not None and (self.connection is None or not self.connection.in_transaction):
            self._give_turn_back()

    def commit_alone(self, work: Callable[[], T]) -> T:
        """Do what only writes, by this connection's own `connection.execute`, in a transaction of its own.

        Django is told nothing of it, which saves half of what a transaction costs besides its commit: so nothing in it
        may open a transaction or wait for this one's end, and no transaction may be open. Raises what `work` raises,
        and DatabaseError; then nothing was written.
        """
        self.ensure_connection()
        with self.wrap_database_errors:
            self._take_turn()
            try:
                self.connection.execute(f"BEGIN {self.transaction_mode or ''}")  # type: ignore[attr-defined]
                try:
                    done = work()
                    self.connection.commit()
                except BaseException:
                    self.connection.rollback()
                    raise
                return done
            finally:
                self._transaction_ended()

    @contextmanager
    def turn_for_statement(self) -> Iterator[None]:
        """Around one statement that writes outside of a transaction."""
        self._take_turn()
        try:
            yield
        finally:
            self._give_turn_back()

    def undo_dead_transaction(self) -> None:
        """Called from another thread than the one that began it, and has ended."""
        if self.connection is not None:
            self.connection.rollback()

    def _take_turn(self) -> None:
        if self._turns is not None and self._turns.is_of_parent:
            self._turn, self._turns = None, self._queue()
        if self._turns is None or self._turn is not None:
            return
        with self.wrap_database_errors:
            try:
                self._turn = self._turns.take(self, self._patience_seconds)
            except TooLong:
                raise _busy() from None

    def _give_turn_back(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.give_back()

    def _patience_seconds(self) -> float:
        """As long as SQLite itself would try."""
        return float(self.connection.execute("PRAGMA busy_timeout").fetchone()[0]) / 1000

    def _queue(self) -> Turns | None:
        path = _path_of(str(self.settings_dict["NAME"])) if not self.is_in_memory_db() else None
        try:
            return turns_of(path) if path else None
        except OSError:  # of a folder that cannot be written SQLite speaks itself
            return None


class QueuingCursor(SQLiteCursorWrapper):
    """Takes a turn for a statement that writes outside of a transaction."""

    wrapper: DatabaseWrapper

    def execute(self, query: str, params: Any = None) -> Any:
        return self._in_turn(super().execute, query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        return self._in_turn(super().executemany, query, param_list)

    def _in_turn(self, execute: Callable[[str, Any], Any], query: str, params: Any) -> Any:
        if self.wrapper.in_atomic_block or self.connection.in_transaction or not _WRITES.match(query):
            return execute(query, params)
        with self.wrapper.turn_for_statement():
            return execute(query, params)


def _path_of(name: str) -> str | None:
    """The file behind a NAME, which may be a URI; None where it is read only or in memory."""
    if not name.startswith("file:"):
        return os.path.realpath(name)
    found = urlsplit(name)
    if "mode=memory" in found.query or "mode=ro" in found.query or "immutable" in found.query:
        return None
    return os.path.realpath(unquote(found.path)) if found.path else None


def _busy() -> sqlite3.OperationalError:
    """What SQLite says when its own patience ends."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorname, error.sqlite_errorcode = "SQLITE_BUSY", sqlite3.SQLITE_BUSY
    return error
