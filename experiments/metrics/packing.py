"""Columns of integers in few bytes: steps that count up evenly, times that lie near one another.

A packed column is either n little-endian int64, or 17 bytes (uint8 width, int64 base, int64 stride) and n unsigned
integers of so many bytes: item k is base + stride * k + integer k, modulo 2**64, where no integers follow for width 0.
As 17 is prime and no width is 7, the length tells which of both it is.
"""

import struct
import sys
from array import array
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_HEAD: Final = struct.Struct("<Bqq")
HEAD_BYTES: Final = _HEAD.size
_WIDTHS: Final = (1, 2, 4)


def pack_integers(column: NDArray[np.int64]) -> bytes:
    """The column in as few bytes as one of the forms needs."""
    count = len(column)
    if _HEAD.size >= 8 * count:
        return column.astype("<i8", copy=False).tobytes()
    strides = np.diff(column)
    if (strides == strides[0]).all():
        return _HEAD.pack(0, int(column[0]), int(strides[0]))
    low = int(column.min())
    reach = int(column.max()) - low
    for width in _WIDTHS:
        if reach < 1 << 8 * width and _HEAD.size + width * count < 8 * count:
            return _HEAD.pack(width, low, 0) + (column - low).astype(f"<u{width}").tobytes()
    return column.astype("<i8", copy=False).tobytes()


def pack_listed(column: list[int]) -> bytes:
    """The same of a list of int64 as it was sent, where it counts evenly; else n integers.

    Steps nearly always do, and so do times that are all one: found in the time that the conversion would take.
    """
    count = len(column)
    if _HEAD.size < 8 * count:
        first, stride = column[0], column[1] - column[0]
        if column[-1] - first == stride * (count - 1) and column == _counted(first, stride, count):
            return _HEAD.pack(0, first, stride)
    return little(array("q", column))


def _counted(first: int, stride: int, count: int) -> list[int]:
    return list(range(first, first + stride * count, stride)) if stride else [first] * count


def little(numbers: "array[Any]") -> bytes:
    """The numbers as little-endian bytes."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def unpack_integers(packed: bytes, count: int) -> NDArray[np.int64]:
    """The column of so many items; without a copy where it is plain."""
    if len(packed) == 8 * count:
        return np.frombuffer(packed, "<i8")
    width, base, stride = _HEAD.unpack_from(packed)
    if width == 0:
        column = np.arange(count, dtype=np.int64)
        column *= stride
    else:
        column = np.frombuffer(packed, f"<u{width}", count, _HEAD.size).astype(np.int64)
    column += base
    return column


def counting(packed: bytes | None) -> tuple[int, int] | None:
    """First item and distance to the next of a packed column without integers; None for any other."""
    if packed is None or len(packed) != HEAD_BYTES:
        return None
    width, base, stride = _HEAD.unpack(packed)
    return (base, stride) if width == 0 else None


def item_of(head: bytes, integer: bytes, place: int) -> int:
    """One item of a column that is not plain. integer: its own bytes, none for width 0."""
    _, base, stride = _HEAD.unpack(head)
    wrapped = (base + stride * place + int.from_bytes(integer, "little")) % 2**64
    return int(wrapped - 2**64 if wrapped >= 2**63 else wrapped)
