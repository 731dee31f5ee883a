"""What SQLite and PostgreSQL say differently, and running a search statement under a time limit."""

import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection

from experiments.search.errors import TakesTooLong
from experiments.search.limits import TEXT_INDEX_LENGTH

# A page is read in milliseconds; compiling its plan or starting workers for it takes 50 (100,000 runs, 2 cores).
# Looking a run up costs hardly more than reading on: what is searched lies in memory or on a solid-state disk.
_SETTINGS = {"jit": "off", "max_parallel_workers_per_gather": "0", "random_page_cost": "1.1"}
_STOPPED = frozenset({"57014", "SQLITE_INTERRUPT"})


class Sql(NamedTuple):
    """A piece of SQL with its bound parameters, in the order of its placeholders."""

    text: str
    params: tuple[Any, ...] = ()


TRUE = Sql("TRUE")
FALSE = Sql("FALSE")


def joined(word: str, pieces: Iterable[Sql]) -> Sql:
    """The pieces in brackets, joined by AND or OR."""
    pieces = list(pieces)
    if not pieces:
        return TRUE if word == "AND" else FALSE
    text = f" {word} ".join(f"({piece.text})" for piece in pieces)
    return Sql(text, tuple(param for piece in pieces for param in piece.params))


class PostgreSQL:
    """LIKE as the standard has it. Columns may collate by code point, which folds ASCII alone: the database's own
    collation knows the other letters."""

    name: ClassVar[str] = "postgresql"
    collation: ClassVar[str] = ' COLLATE "C"'

    def head(self, text: str) -> str:
        """The indexed beginning of a text."""
        return f"left({text}, {TEXT_INDEX_LENGTH})"

    def like(self, text: str, pattern: str) -> Sql:
        """Case-sensitive; % and _ are wildcards, everything else is itself."""
        return Sql(f"{text} LIKE %s ESCAPE ''", (pattern,))

    def ilike(self, text: str, pattern: str) -> Sql:
        return Sql(f"{text} COLLATE \"default\" ILIKE %s ESCAPE ''", (pattern,))

    def contains(self, text: str, word: str) -> Sql:
        """Whatever the case, no wildcards."""
        return Sql(f'strpos(lower({text} COLLATE "default"), lower(%s)) > 0', (word,))

    def uid(self, uid: UUID) -> object:
        """A UUID as a parameter."""
        return uid

    def uid_of(self, digits: str) -> object:
        """The same from its 32 hex digits."""
        return UUID(digits)

    def hex(self, uid: str) -> str:
        """A UUID column as 32 hex digits."""
        return f"replace({uid}::text, '-', '')"

    def among(self, column: str, ids: Sequence[int]) -> Sql:
        """A whole-number column in a list of any length, as one parameter."""
        return Sql(f"{column} = ANY(%s)", (list(ids),))

    def in_list_of(self, column: str, select: str) -> str:
        """A column in what a SELECT lists: read once and first, whatever the planner thinks of it."""
        return f"{column} = ANY(ARRAY({select}))"

    def looked_up(self, table: str, alias: str, where: str, *, join: str = "CROSS") -> str:
        """A join with the rows of a condition, one look for each row before it: else PostgreSQL may read all of a large
        table for some thousand. join: CROSS, or LEFT where there may be none."""
        on = " ON TRUE" if join == "LEFT" else ""
        return f"{join} JOIN LATERAL (SELECT * FROM {table} {alias} WHERE {where} OFFSET 0) {alias}{on}"  # noqa: S608

    def constant(self, value: float | str) -> Sql:
        """A value as a column of a result."""
        is_text = isinstance(value, str)
        return Sql(
            f"CAST(%s AS {'text' if is_text else 'double precision'}){self.collation if is_text else ''}", (value,)
        )

    def through(self, table: str, index: str) -> str:
        """A table of which an index with a condition holds all that is asked for, and little else."""
        return table


class SQLite:
    """GLOB is the case-sensitive one; its own LIKE folds ASCII only, so other letters are folded in Python."""

    name: ClassVar[str] = "sqlite"
    collation: ClassVar[str] = ""

    def head(self, text: str) -> str:
        return f"substr({text}, 1, {TEXT_INDEX_LENGTH})"

    def like(self, text: str, pattern: str) -> Sql:
        return Sql(f"{text} GLOB %s", (glob_of(pattern),))

    def ilike(self, text: str, pattern: str) -> Sql:
        if pattern.isascii():
            return Sql(f"{text} LIKE %s", (pattern,))
        return Sql(f"mled_fold({text}) GLOB %s", (glob_of(pattern.lower()),))

    def contains(self, text: str, word: str) -> Sql:
        fold = "lower" if word.isascii() else "mled_fold"
        return Sql(f"instr({fold}({text}), %s) > 0", (word.lower(),))

    def uid(self, uid: UUID) -> object:
        return uid.hex

    def uid_of(self, digits: str) -> object:
        return digits

    def hex(self, uid: str) -> str:
        return uid

    def among(self, column: str, ids: Sequence[int]) -> Sql:
        return Sql(f"{column} IN (SELECT value FROM json_each(%s))", (f"[{','.join(map(str, ids))}]",))  # noqa: S608

    def in_list_of(self, column: str, select: str) -> str:
        return f"{column} IN ({select})"

    def looked_up(self, table: str, alias: str, where: str, *, join: str = "CROSS") -> str:
        return f"{'LEFT ' if join == 'LEFT' else ''}JOIN {table} {alias} ON {where}"

    def constant(self, value: float | str) -> Sql:
        return Sql("%s", (value,))

    def through(self, table: str, index: str) -> str:
        return f"{table} INDEXED BY {index}"


Database = PostgreSQL | SQLite


def this_database() -> Database:
    """The one that the default connection speaks to."""
    return PostgreSQL() if connection.vendor == "postgresql" else SQLite()


def glob_of(pattern: str) -> str:
    """A LIKE pattern as GLOB: % and _ become * and ?, what GLOB would read as wildcards stands in brackets."""
    return re.sub(r"[*?\[]", r"[\g<0>]", pattern).replace("%", "*").replace("_", "?")


def fetch(sql: Sql, *, by_index: bool = False) -> list[Any]:
    """The rows of a search statement. Raises Invalid when it takes longer than the limit.

    by_index: it wants few rows that an index leads to, of which PostgreSQL may have the wrong idea.
    """
    [rows] = fetch_each([sql], by_index=by_index)
    return rows


def fetch_each(statements: Sequence[Sql], *, by_index: bool = False) -> list[list[Any]]:
    """The rows of several statements: in one round trip on PostgreSQL."""
    with connection.cursor() as cursor, _within_limit():
        if connection.vendor == "postgresql":
            return _fetch_together(cursor, statements, by_index=by_index)
        found = []
        for sql in statements:
            _prepare_sqlite(connection.connection, sql)
            cursor.execute(sql.text, sql.params)
            found.append(cursor.fetchall())
        return found


@contextmanager
def _within_limit() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        cause = error.__cause__  # by its code: PostgreSQL speaks the language that it was set up in
        if (getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)) in _STOPPED:
            raise TakesTooLong() from error
        raise
    finally:
        if connection.vendor == "sqlite" and connection.connection is not None:
            connection.connection.set_progress_handler(None, 0)


def _fetch_together(cursor: Any, statements: Sequence[Sql], *, by_index: bool) -> list[list[Any]]:
    """The statements under a time limit and their settings, in one round trip and one implicit transaction.

    In a longer transaction the settings are for these statements alone.
    """
    chosen = {"statement_timeout": str(max(1, int(1000 * settings.MLED_SEARCH_SECONDS)))} | _unset()
    chosen |= {"enable_seqscan": "off", "enable_bitmapscan": "off"} if by_index else {}
    before = [f"SET LOCAL {name} = {value}" for name, value in chosen.items()]
    after = [f"SET LOCAL {name} = DEFAULT" for name in chosen] if connection.in_atomic_block else []
    texts = [*before, *(sql.text for sql in statements), *after]
    cursor.execute("; ".join(texts), [param for sql in statements for param in sql.params])
    found = []
    for at in range(len(before) + len(statements)):
        if at >= len(before):
            found.append(cursor.fetchall())
        cursor.nextset()
    return found


def _unset() -> dict[str, str]:
    """The settings that the connection was not opened with already."""
    opened_with = str(connection.settings_dict["OPTIONS"].get("options", ""))
    return {name: value for name, value in _SETTINGS.items() if f"-c {name}={value}" not in opened_with}


def _prepare_sqlite(raw: sqlite3.Connection, sql: Sql) -> None:
    deadline = time.monotonic() + settings.MLED_SEARCH_SECONDS
    raw.set_progress_handler(lambda: int(time.monotonic() > deadline), 100_000)
    if "mled_fold(" in sql.text and not _knows_fold(raw):
        raw.create_function("mled_fold", 1, _fold, deterministic=True)


def _knows_fold(raw: sqlite3.Connection) -> bool:
    """SQLite refuses to replace a function while a statement is being read, so it is made once for a connection."""
    return raw.execute("SELECT 1 FROM pragma_function_list WHERE name = 'mled_fold'").fetchone() is not None


def _fold(text: str | None) -> str | None:
    return None if text is None else text.lower()
