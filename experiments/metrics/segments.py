"""Writing a batch of points: one upsert of the series' summaries and one insert of packed segments.

SQL by hand, since both are one round trip on PostgreSQL and summaries merge inside the database.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from django.db import connection

from experiments.metrics.batch import SeriesPoints
from experiments.metrics.summary import Summary, summarise

_ENDS = ("last_value", "last_is_nan", "last_step", "last_ms", "first_value", "first_step", "first_ms")
_SUMMARY = (*_ENDS, "min_value", "min_step", "max_value", "max_step")
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

_SQLITE_SERIES = f"""
    INSERT INTO experiments_metricseries AS s ({", ".join(_COLUMNS)})
    VALUES ({", ".join(["%s"] * len(_COLUMNS))}) {_CONFLICT} RETURNING id
"""
_SQLITE_SEGMENT = """
    INSERT INTO experiments_metricsegment (series_id, count, min_step, max_step, min_ms, max_ms, steps, times, "values")
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# One round trip a batch: the upsert feeds the insert. Prepared on the server: Django's own cursor binds on the client.
_POSTGRES = f"""
    WITH given AS (
        SELECT * FROM unnest(
            %b::text[], %b::text[], %b::float8[], %b::bool[], %b::int8[], %b::int8[],
            %b::float8[], %b::int8[], %b::int8[], %b::float8[], %b::int8[], %b::float8[], %b::int8[],
            %b::int4[], %b::int8[], %b::int8[], %b::int8[], %b::int8[], %b::bytea[], %b::bytea[], %b::bytea[]
        ) AS g(key, context, {", ".join(_SUMMARY)}, count, low_step, high_step, low_ms, high_ms, steps, times, points)
    ), upserted AS (
        INSERT INTO experiments_metricseries AS s ({", ".join(_COLUMNS)})
        SELECT %b::int8, %b::int8, key, context, {", ".join(_SUMMARY)} FROM given {_CONFLICT}
        RETURNING id, key, context
    )
    INSERT INTO experiments_metricsegment (series_id, count, min_step, max_step, min_ms, max_ms, steps, times, "values")
    SELECT u.id, g.count, g.low_step, g.high_step, g.low_ms, g.high_ms, g.steps, g.times, g.points
    FROM given g JOIN upserted u ON u.key = g.key AND u.context = g.context
"""


def append(run_id: int, experiment_id: int, batch: Sequence[SeriesPoints]) -> None:
    """Store the points of each series, in the caller's transaction. Replayed points are folded when read."""
    if not batch:
        return
    if connection.vendor == "postgresql":
        _append_postgres(run_id, experiment_id, batch)
    else:
        _append_sqlite(run_id, experiment_id, batch)


def _summary_values(summary: Summary) -> list[Any]:
    return [getattr(summary, name) for name in _SUMMARY]


def _packed(points: SeriesPoints) -> tuple[int, int, int, int, int, bytes, bytes, bytes]:
    """count, min and max of step and time, and the three arrays as little-endian bytes."""
    steps, times = points.steps, points.times
    values = np.array(points.values, "<f8")
    values[np.isnan(values)] = np.nan
    return (
        len(steps),
        min(steps),
        max(steps),
        min(times),
        max(times),
        np.array(steps, "<i8").tobytes(),
        np.array(times, "<i8").tobytes(),
        values.tobytes(),
    )


def _append_sqlite(run_id: int, experiment_id: int, batch: Sequence[SeriesPoints]) -> None:
    with connection.cursor() as cursor:
        for points in batch:
            row = [run_id, experiment_id, points.key, points.context, *_summary_values(summarise(points))]
            cursor.execute(_SQLITE_SERIES, row)
            (series_id,) = cursor.fetchone()
            cursor.execute(_SQLITE_SEGMENT, [series_id, *_packed(points)])


def _append_postgres(run_id: int, experiment_id: int, batch: Sequence[SeriesPoints]) -> None:
    summaries = zip(*(_summary_values(summarise(points)) for points in batch), strict=True)
    packed = zip(*(_packed(points) for points in batch), strict=True)
    columns: list[Any] = [[points.key for points in batch], [points.context for points in batch]]
    columns += [list(column) for column in summaries] + [list(column) for column in packed]
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_POSTGRES, [*columns, run_id, experiment_id], prepare=True)
