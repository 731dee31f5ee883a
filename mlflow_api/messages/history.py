"""Histories as JSON, straight from numpy columns: no object per point, and large ones in pieces."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np
import orjson

from experiments.metrics.batch import Points

PIECE: Final = 8_192  # points that are turned into text at once: about 700 kB
_NUMPY: Final = orjson.OPT_SERIALIZE_NUMPY


def points_json(key: str, points: Points, run_id: str = "") -> Iterator[bytes]:
    """The objects of a list of points, in pieces, with commas between all of them.

    Each column is written as one JSON list and cut at its commas; the pieces of text are then interleaved (0.11 µs a
    point; 0.12 by a msgspec struct for each, 0.27 by a dict).
    """
    head = b'{"key":' + msgspec.json.encode(key)
    if run_id:
        head += b',"run_id":' + msgspec.json.encode(run_id)
    head += b',"value":'
    for start in range(0, len(points), PIECE):
        yield (b"," + head if start else head) + _rows(b"}," + head, points.take(slice(start, start + PIECE))) + b"}"


def _rows(between: bytes, points: Points) -> bytes:
    row = [between, b"", b',"timestamp":', b"", b',"step":', b""] * len(points)
    row[0] = b""
    row[1::6] = _floats(points.values)
    row[3::6] = _texts(points.times)
    row[5::6] = _texts(points.steps)
    return b"".join(row)


def _texts(column: Any) -> list[bytes]:
    return orjson.dumps(np.ascontiguousarray(column), option=_NUMPY)[1:-1].split(b",")


def _floats(values: Any) -> list[bytes]:
    texts = _texts(values)
    for at in np.flatnonzero(~np.isfinite(values)).tolist():
        value = values[at]
        texts[at] = b'"NaN"' if np.isnan(value) else (b'"Infinity"' if value > 0 else b'"-Infinity"')
    return texts
