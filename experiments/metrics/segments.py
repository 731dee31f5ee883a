"""Writing a batch of points: one upsert of the series' summaries and one insert of packed segments.

SQL by hand, since both are one round trip on PostgreSQL and summaries merge inside the database. What is written goes
to the run that `Held` finds, if it finds one: looking for it is part of the same statement.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Final

import numpy as np
import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

from experiments.metrics import binary
from experiments.metrics.batch import SeriesPoints
from experiments.metrics.packing import little, pack_listed
from experiments.metrics.parts import unpacked
from experiments.metrics.store import folded
from experiments.metrics.summary import summarise

_ENDS = ("last_value", "last_is_nan", "last_step", "last_ms", "first_value", "first_step", "first_ms")
_SUMMARY = (*_ENDS, "min_value", "min_step", "max_value", "max_step")
_SUMMARY_OF = attrgetter(*_SUMMARY)
_COLUMNS = ("run_id", "experiment_id", "key", "context", *_SUMMARY)

_LATER = (
    "(excluded.last_step, excluded.last_ms, coalesce(excluded.last_value, 0), excluded.last_value IS NOT NULL) > "
    "(s.last_step, s.last_ms, coalesce(s.last_value, 0), s.last_value IS NOT NULL)"
)
_EARLIER = (
    "(excluded.first_step, excluded.first_ms, coalesce(excluded.first_value, 0), excluded.first_value IS NOT NULL) < "
    "(s.first_step, s.first_ms, coalesce(s.first_value, 0), s.first_value IS NOT NULL)"
)
_LOWER = (
    "excluded.min_value IS NOT NULL AND (s.min_value IS NULL OR excluded.min_value < s.min_value "
    "OR (excluded.min_value = s.min_value AND excluded.min_step < s.min_step))"
)
_HIGHER = (
    "excluded.max_value IS NOT NULL AND (s.max_value IS NULL OR excluded.max_value > s.max_value "
    "OR (excluded.max_value = s.max_value AND excluded.max_step < s.max_step))"
)


def _merged(when: str, names: Sequence[str]) -> str:
    return ", ".join(f"{name} = CASE WHEN {when} THEN excluded.{name} ELSE s.{name} END" for name in names)


_MERGE = ", ".join(
    (
        _merged(_LATER, ("last_value", "last_is_nan", "last_step", "last_ms")),
        _merged(_EARLIER, ("first_value", "first_step", "first_ms")),
        _merged(_LOWER, ("min_value", "min_step")),
        _merged(_HIGHER, ("max_value", "max_step")),
    )
)
_CONFLICT = f"ON CONFLICT (run_id, key, context) DO UPDATE SET {_MERGE}"

_SEGMENT = """INSERT INTO experiments_metricsegment
    (series_id, count, min_step, max_step, min_ms, max_ms, steps, times, "values")"""
_SPAN: Final = ("count", "low_step", "high_step", "low_ms", "high_ms")
_GIVEN: Final = ("key", "context", *_SUMMARY, *_SPAN, "steps", "times", "points")
_KINDS = {"key": "text", "context": "text", "last_is_nan": "bool"}
_KINDS |= dict.fromkeys(("steps", "times", "points"), "bytea")
_KINDS |= dict.fromkeys(("last_value", "first_value", "min_value", "max_value"), "float8")
_TYPES: Final = [_KINDS.get(name, "int8") for name in _GIVEN]
_ARRAYS: Final[dict[str, Callable[[Any], binary.Array]]] = {
    "text": binary.texts,
    "bool": binary.bools,
    "int8": binary.int8s,
    "float8": binary.float8s,
    "bytea": binary.byteas,
}
_AT_ONCE: Final = 16  # series in one statement of SQLite: as long as its text is worth keeping compiled

Row = tuple[Any, ...]  # the values of _GIVEN


@dataclass(frozen=True, slots=True)
class Held:
    """A SELECT of `id` and `experiment_id` of the run that takes the points, and what it binds, each marked as `%s`."""

    select: str
    bound: Sequence[Any]


def append(run_id: int, experiment_id: int, batch: Sequence[SeriesPoints]) -> None:
    """Store the points of each series, in the caller's transaction. Replayed points are folded when read."""
    append_to(Held("SELECT %s AS id, %s AS experiment_id", (run_id, experiment_id)), packed(batch))


def packed(batch: Iterable[SeriesPoints]) -> list[Row]:
    """What is stored of the points of each series. Done before whoever writes holds up others."""
    return [_row(points) for points in batch]


def append_to(held: Held, rows: Sequence[Row]) -> bool:
    """Store the points in the run that is found; False where none is, and then nothing was written.

    rows: as `packed` gave them. On PostgreSQL one statement; on SQLite several, in the caller's transaction.
    """
    if not rows:
        return True
    mine = connections[DEFAULT_DB_ALIAS]  # asked for once: what `connection` stands for is looked up each time
    mine.ensure_connection()
    with mine.wrap_database_errors:
        if mine.vendor == "postgresql":
            return _append_postgres(mine.connection, held, rows)
        parts = range(0, len(rows), _AT_ONCE)
        return all(_append_sqlite(mine.connection, held, rows[at : at + _AT_ONCE]) for at in parts)


def _row(points: SeriesPoints) -> Row:
    """The values of _GIVEN: what identifies a series, its summary, how far the points reach, and the points packed."""
    return points.key, points.context, *_SUMMARY_OF(summarise(points)), *_packed(points)


def _packed(points: SeriesPoints) -> tuple[int, int, int, int, int, bytes, bytes, bytes]:
    """count, min and max of step and time, and the three columns as they are stored; no point stands in it twice."""
    steps, times, values = points.steps, points.times, points.values
    arrays = pack_listed(steps), pack_listed(times), little(array("d", values))
    if points.has_nan:
        arrays = *arrays[:2], _one_nan(values)
    if points.climbs:
        return len(values), steps[0], steps[-1], min(times), max(times), *arrays
    once = folded([unpacked(*arrays)])
    if len(once) < len(values):
        arrays = once.steps.tobytes(), once.times.tobytes(), once.values.tobytes()
    return len(once), min(steps), max(steps), min(times), max(times), *arrays


def _one_nan(values: list[float]) -> bytes:
    """Every NaN with the same bits."""
    numbers = np.array(values, "<f8")
    numbers[np.isnan(numbers)] = np.nan
    return numbers.tobytes()


# --- SQLite: an upsert that finds the run and gives the ids of its series, and an insert of their segments.


def _append_sqlite(database: Any, held: Held, rows: Sequence[Row]) -> bool:
    named, spans = 2 + len(_SUMMARY), len(_GIVEN) - 2 - len(_SUMMARY)
    given = [value for row in rows for value in row[:named]]
    series = database.execute(_sqlite_series(held.select, len(rows)), [*held.bound, *given]).fetchall()
    if not series:
        return False
    ids = {(key, context): series_id for series_id, key, context in series}
    segments = [value for row in rows for value in (ids[row[:2]], *row[named:])]
    database.execute(_sqlite_segments(len(rows), spans + 1), segments)
    return True


@cache
def _sqlite_series(select: str, count: int) -> str:
    columns, places = ("key", "context", *_SUMMARY), _places(count, 2 + len(_SUMMARY))
    return f"""
        WITH held AS ({select.replace("%s", "?")}), given ({", ".join(columns)}) AS (VALUES {places})
        INSERT INTO experiments_metricseries AS s ({", ".join(_COLUMNS)})
        SELECT held.id, held.experiment_id, {", ".join(columns)} FROM held, given WHERE true {_CONFLICT}
        RETURNING id, key, context
    """


@cache
def _sqlite_segments(count: int, columns: int) -> str:
    return f"{_SEGMENT} VALUES {_places(count, columns)}"


def _places(rows: int, columns: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


# --- PostgreSQL: one round trip. Prepared on the server: Django's own cursor binds on the client.


def _append_postgres(database: Any, held: Held, rows: Sequence[Row]) -> bool:
    columns = [_ARRAYS[kind](column) for kind, column in zip(_TYPES, zip(*rows, strict=True), strict=True)]
    with psycopg.RawCursor(database) as cursor:
        cursor.execute(_postgres(held.select), [*columns, *held.bound], prepare=True)
        return bool(cursor.rowcount)


@cache
def _postgres(select: str) -> str:
    for number in range(select.count("%s")):
        select = select.replace("%s", f"${len(_GIVEN) + 1 + number}", 1)
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(_TYPES, 1))
    return f"""
        WITH held AS ({select}), given AS (SELECT * FROM unnest({arrays}) AS g({", ".join(_GIVEN)})), upserted AS (
            INSERT INTO experiments_metricseries AS s ({", ".join(_COLUMNS)})
            SELECT held.id, held.experiment_id, key, context, {", ".join(_SUMMARY)} FROM held, given WHERE true
            {_CONFLICT}
            RETURNING id, key, context
        )
        {_SEGMENT}
        SELECT u.id, {", ".join(f"g.{name}" for name in (*_SPAN, "steps", "times", "points"))}
        FROM given g JOIN upserted u ON u.key = g.key AND u.context = g.context
    """
