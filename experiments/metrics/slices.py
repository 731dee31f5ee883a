"""Single points out of large segments, without the rest of their arrays: PostgreSQL alone.

A value that lies outside of its row is read in pieces of 2 kB there, found through an index: 320 points of a million
are 0.7 ms instead of 8 for all of them. SQLite reads what lies before a piece as well and is quicker with the whole.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from experiments.metrics import binary
from experiments.metrics.batch import Points
from experiments.metrics.packing import counting, item_of, unpack_integers
from experiments.metrics.parts import Merged, Stretch, bound_list, fetched

_AT_LEAST: Final = 64  # points of a segment for each that is picked; where they lie closer, its arrays are read
# Steps come once for each segment, with its first point. A packed column of times is a head of 17 bytes and integers of
# one width; a plain one has eight bytes for each.
_SLICES: Final = """
    SELECT CASE WHEN w.is_first THEN g.steps END, t.width = 8, substr(g.times, 1, 17),
        substr(g.times, (length(g.times) - t.width * (g.count - w.at) + 1)::int4, t.width),
        substr(g."values", (8 * w.at + 1)::int4, 8)
    FROM unnest(%b::int8[], %b::int8[], %b::bool[]) WITH ORDINALITY w(segment, at, is_first, number)
    JOIN experiments_metricsegment g ON g.id = w.segment
    CROSS JOIN LATERAL (
        SELECT CASE WHEN length(g.times) = 8 * g.count THEN 8 ELSE (length(g.times) - 17) / g.count END AS width
    ) t
    ORDER BY w.number
"""


# Where steps and times count evenly, the values alone are missing: all of them as one.
_VALUES: Final = """
    SELECT string_agg(substr(g."values", (8 * w.at + 1)::int4, 8), ''::bytea ORDER BY w.number)
    FROM unnest(%b::int8[], %b::int8[]) WITH ORDINALITY w(segment, at, number)
    JOIN experiments_metricsegment g ON g.id = w.segment
"""


class Pick(NamedTuple):
    """Some points of a segment: their places in the order of step, time, value."""

    stretch: Stretch
    places: NDArray[np.int64]

    @property
    def is_sparse(self) -> bool:
        """Whether they are few enough to be fetched one by one, where the database can do that."""
        return len(self.places) * _AT_LEAST <= self.stretch.size and self.stretch.is_here

    @property
    def is_counted(self) -> bool:
        """Whether steps and times need not be read: steps count up, so that the n-th point is the n-th value."""
        steps = counting(self.stretch.steps)
        return steps is not None and counting(self.stretch.times) is not None and _counts_up(*steps, self.stretch.size)


def reads_single_points() -> bool:
    """Whether this database reads a piece of a value without what lies before it."""
    return connection.vendor == "postgresql"


def single_points(picks: Sequence[Pick]) -> list[Points | None]:
    """The points of sparse picks; None where the n-th of them is not the n-th in the arrays, as steps do not count up.

    Raises Merged where a segment is gone.
    """
    counted = [pick.is_counted for pick in picks]
    plain = iter(_counted_points([pick for pick, is_so in zip(picks, counted, strict=True) if is_so]))
    other = iter(_other_points([pick for pick, is_so in zip(picks, counted, strict=True) if not is_so]))
    return [next(plain) if is_so else next(other) for is_so in counted]


def _counted_points(picks: Sequence[Pick]) -> list[Points]:
    if not picks:
        return []
    sizes = [len(pick.places) for pick in picks]
    places = np.concatenate([pick.places for pick in picks])
    segments = np.repeat([pick.stretch.segment for pick in picks], sizes)
    [(packed,)] = fetched(_VALUES, bound_list(segments.tolist()), bound_list(places.tolist()))
    values = np.frombuffer(packed or b"", "<f8")
    if len(values) < len(places):
        raise Merged
    steps = _evenly(places, sizes, [pick.stretch.steps for pick in picks])
    times = _evenly(places, sizes, [pick.stretch.times for pick in picks])
    ends = np.cumsum(sizes).tolist()
    parts = [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]
    return [Points(steps[part], times[part], values[part]) for part in parts]


def _evenly(places: NDArray[np.int64], sizes: Sequence[int], heads: Sequence[bytes | None]) -> NDArray[np.int64]:
    """What stands at the places of columns that count evenly; so many of the places belong to each."""
    known = np.array([counting(head) for head in heads], np.int64)
    firsts, strides = np.repeat(known[:, 0], sizes), np.repeat(known[:, 1], sizes)
    return np.asarray(firsts + strides * places)


def _other_points(picks: Sequence[Pick]) -> list[Points | None]:
    if not picks:
        return []
    segments = [pick.stretch.segment for pick in picks for _ in pick.places]
    places = np.concatenate([pick.places for pick in picks]).tolist()
    firsts = [number == 0 for pick in picks for number in range(len(pick.places))]
    rows = list(fetched(_SLICES, bound_list(segments), bound_list(places), binary.bools(firsts)))
    if len(rows) < len(segments):
        raise Merged
    left = iter(rows)
    return [_points(pick, list(islice(left, len(pick.places)))) for pick in picks]


def _points(pick: Pick, rows: list[tuple[Any, ...]]) -> Points | None:
    steps = _steps(pick, rows[0][0])
    if steps is None:
        return None
    times = [
        int.from_bytes(integer, "little", signed=True) if is_plain else item_of(head, integer, place)
        for place, (_, is_plain, head, integer, _) in zip(pick.places.tolist(), rows, strict=True)
    ]
    return Points(steps, np.array(times, np.int64), np.frombuffer(b"".join(row[4] for row in rows), "<f8"))


def _steps(pick: Pick, packed: bytes) -> NDArray[np.int64] | None:
    """The steps at the places; None where they do not count up from the first to the last."""
    size, even = pick.stretch.size, counting(packed)
    if even is not None:
        first, stride = even
        return first + stride * pick.places if _counts_up(first, stride, size) else None
    steps = unpack_integers(packed, size)
    return steps[pick.places] if (steps[1:] > steps[:-1]).all() else None


def _counts_up(first: int, stride: int, size: int) -> bool:
    """Whether each is larger than the one before: none has gone round the end of the numbers."""
    return stride > 0 and first + stride * (size - 1) < 2**63
