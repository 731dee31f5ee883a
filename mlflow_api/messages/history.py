"""Histories as JSON, straight from numpy columns: no object per point, and large ones in pieces."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import orjson

from experiments.metrics.batch import Points

PIECE: Final = 25_000  # points that are turned into text at once
_NUMPY: Final = orjson.OPT_SERIALIZE_NUMPY


def points_json(key: str, points: Points, run_id: str = "") -> Iterator[bytes]:
    """The objects of a list of points, in pieces, with commas between all of them.

    Each column is written as one JSON list and cut at its commas; the pieces of text are then interleaved.
    """
    head = b'{"key":' + msgspec.json.encode(key)
    if run_id:
        head += b',"run_id":' + msgspec.json.encode(run_id)
    for start in range(0, len(points), PIECE):
        part = points.take(slice(start, start + PIECE))
        yield (b"," if start else b"") + _piece(head + b',"value":', part)


def _piece(head: bytes, points: Points) -> bytes:
    count = len(points)
    row: list[bytes] = [b""] * (7 * count)
    row[0::7] = [head] * count
    row[1::7] = _floats(points.values)
    row[2::7] = [b',"timestamp":'] * count
    row[3::7] = _texts(points.times)
    row[4::7] = [b',"step":'] * count
    row[5::7] = _texts(points.steps)
    row[6::7] = [b"},"] * (count - 1) + [b"}"]
    return b"".join(row)


def _texts(column: Any) -> list[bytes]:
    return orjson.dumps(np.ascontiguousarray(column), option=_NUMPY)[1:-1].split(b",")


def _floats(values: Any) -> list[bytes]:
    texts = _texts(values)
    for at in np.flatnonzero(~np.isfinite(values)).tolist():
        value = values[at]
        texts[at] = b'"NaN"' if np.isnan(value) else (b'"Infinity"' if value > 0 else b'"-Infinity"')
    return texts


def thinned(histories: Sequence[Points], first: int | None, last: int | None, limit: int) -> list[Points]:
    """The histories at no more than `limit` steps, the same for all: evenly chosen within a window, ends included."""
    inside = [points.take(_between(points.steps, first, last)) for points in histories]
    steps = np.unique(np.concatenate([points.steps for points in inside])) if inside else np.empty(0, np.int64)
    if len(steps) > limit:
        steps = steps[np.unique(np.linspace(0, len(steps) - 1, limit).astype(np.int64))]
    return [points.take(np.isin(points.steps, steps)) for points in inside]


def _between(steps: Any, first: int | None, last: int | None) -> Any:
    keep = np.ones(len(steps), bool)
    if first is not None:
        keep &= steps >= first
    if last is not None:
        keep &= steps <= last
    return keep
