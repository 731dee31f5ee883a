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


class Pick(NamedTuple):
    """Some points of a segment: their places in the order of step, time, value."""

    stretch: Stretch
    places: NDArray[np.int64]

    @property
    def is_sparse(self) -> bool:
        """Whether they are few enough to be fetched one by one."""
        is_few = len(self.places) * _AT_LEAST <= self.stretch.size
        return is_few and self.stretch.is_here and connection.vendor == "postgresql"


def single_points(picks: Sequence[Pick]) -> list[Points | None]:
    """The points of sparse picks; None where the n-th of them is not the n-th in the arrays, as steps do not count up.

    Raises Merged where a segment is gone.
    """
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
        return first + stride * pick.places if stride > 0 and first + stride * (size - 1) < 2**63 else None
    steps = unpack_integers(packed, size)
    return steps[pick.places] if (steps[1:] > steps[:-1]).all() else None
