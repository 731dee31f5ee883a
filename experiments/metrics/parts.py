"""The arrays of stored segments: the one place where packed points are read.

Statements by hand: on PostgreSQL the arrays come in binary, prepared, without a detour through hexadecimal digits (a
million points: 24 MB instead of 48, 40 ms instead of 240), and no object is made per row.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import psycopg
from django.db import connection

from artifacts.storage import StoredBlob
from experiments.metrics import binary
from experiments.metrics.archive_file import Span
from experiments.metrics.archive_reading import read_archives
from experiments.metrics.batch import Points
from experiments.metrics.packing import unpack_integers

_ROWS = """SELECT g.series_id, g.id, g.steps, g.times, g."values", g.count, g.archive_row, a.blob_id, a.size_bytes
    FROM experiments_metricsegment g LEFT JOIN experiments_metricarchive a ON a.id = g.archive_id WHERE"""


_STRETCHES = """SELECT series_id, id, count, min_step, max_step, min_ms, max_ms,
    archive_row IS NULL
    FROM experiments_metricsegment WHERE"""
# A column that counts evenly is 17 bytes and says all of it.
_STRETCHES_OF_RUNS = """SELECT s.run_id, g.id, g.count, g.min_step, g.max_step, g.min_ms, g.max_ms,
    g.archive_row IS NULL,
    CASE WHEN length(g.steps) = 17 THEN g.steps END,
    CASE WHEN length(g.times) = 17 THEN g.times END
    FROM experiments_metricseries s JOIN experiments_metricsegment g ON g.series_id = s.id
    WHERE s.context = '' AND s.run_id"""


class Stretch(NamedTuple):
    """What is known of a segment without reading its arrays.

    owner: the series; or the run, of one of its metrics. size: how many points, exact duplicates in it folded.
    is_here: whether its arrays lie in the database; else in an archive. steps, times: these columns, where they count
    evenly and were asked for.
    """

    owner: int
    segment: int
    size: int
    min_step: int
    max_step: int
    min_ms: int
    max_ms: int
    is_here: bool
    steps: bytes | None = None
    times: bytes | None = None


class Merged(Exception):
    """Some of these segments are gone: they were merged, or archived, since they were looked up. Look again."""


class Part(NamedTuple):
    """The points of one segment, as they were written: in any order."""

    series: int
    segment: int
    points: Points


@dataclass(frozen=True, slots=True)
class Bounds:
    """From the one to the other, both included: of the steps, or of the times in milliseconds."""

    low: int
    high: int
    of_times: bool = False

    @classmethod
    def around(cls, window: tuple[float, float] | None, *, by_time: bool) -> "Bounds | None":
        """The steps of a window, or the milliseconds of one in seconds: nothing in it is cut off by rounding."""
        if window is None:
            return None
        low, high = (one * (1000.0 if by_time else 1.0) for one in window)
        return cls(_int64(math.floor(low) - 1), _int64(math.ceil(high) + 1), of_times=by_time)

    def narrowed(self, statement: str) -> str:
        """The statement about segments that may have points in here; low and high are bound behind the rest."""
        column, number = ("ms" if self.of_times else "step"), ("%b::int8" if _is_postgres() else "%s")
        return f"{statement} AND g.max_{column} >= {number} AND g.min_{column} <= {number}"


def parts_of_series(series: Sequence[int], bounds: Bounds | None = None) -> Iterator[Part]:
    """Every segment of these series, in one statement: of one moment, while others write and merge.

    bounds: only those that may have points there. They have others too.
    """
    statement = f"{_ROWS} g.series_id {_any()}"
    if bounds is None:
        return _parts(statement, bound_list(series))
    return _parts(bounds.narrowed(statement), bound_list(series), bounds.low, bounds.high)


def parts_of_segments(segments: Sequence[int]) -> list[Part]:
    """These segments. Raises Merged where one is not there any more."""
    parts = list(_parts(f"{_ROWS} g.id {_any()}", bound_list(segments))) if segments else []
    if len(parts) < len(segments):
        raise Merged
    return parts


def stretches_of(series: Sequence[int]) -> list[Stretch]:
    """The segments of these series without their arrays."""
    return [Stretch(*row) for row in fetched(f"{_STRETCHES} series_id {_any()}", bound_list(series))]


def stretches_of_runs(runs: Sequence[int], key: str) -> list[Stretch]:
    """The same of one metric of these runs."""
    text = "%b::text" if _is_postgres() else "%s"
    rows = fetched(f"{_STRETCHES_OF_RUNS} {_any()} AND s.key = {text}", bound_list(runs), key)
    return [Stretch(*row) for row in rows]


def _parts(statement: str, *bound: Any) -> Iterator[Part]:
    archived: dict[StoredBlob, list[tuple[int, int, Span]]] = defaultdict(list)
    for series, segment, steps, times, values, count, row, digest, size_bytes in fetched(statement, *bound):
        if row is None:
            yield Part(series, segment, unpacked(steps, times, values))
        else:
            archived[StoredBlob(digest, size_bytes)].append((series, segment, Span(row, count)))
    wanted = {stored: [span for *_, span in places] for stored, places in archived.items()}
    for places, found in zip(archived.values(), read_archives(wanted), strict=True):
        for (series, segment, _), points in zip(places, found, strict=True):
            yield Part(series, segment, points)


def unpacked(steps: bytes, times: bytes, values: bytes) -> Points:
    """Columns as they are stored."""
    floats = np.frombuffer(values, "<f8")
    return Points(unpack_integers(steps, len(floats)), unpack_integers(times, len(floats)), floats)


def _any() -> str:
    """One bound list, however many ids it has."""
    return "= ANY(%b::int8[])" if _is_postgres() else "IN (SELECT value FROM json_each(%s))"


def bound_list(ids: Sequence[int]) -> Any:
    """The ids as one value; of one type on PostgreSQL, so that a statement is prepared once."""
    return binary.int8s(ids) if _is_postgres() else str(list(ids))


def _int64(number: int) -> int:
    return min(max(number, -(2**63)), 2**63 - 1)


def _is_postgres() -> bool:
    return connection.vendor == "postgresql"


def fetched(statement: str, *bound: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a statement of the store; bytes as bytes on both databases."""
    connection.ensure_connection()
    if not _is_postgres():
        with connection.cursor() as cursor:
            cursor.execute(statement, bound)
            yield from cursor.fetchall()
        return
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, bound, prepare=True, binary=True)
        yield from cursor
