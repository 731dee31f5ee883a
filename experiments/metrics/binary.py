"""Arrays as PostgreSQL takes them in binary: psycopg writes them item by item, at five times the cost of a small batch.

Their type is left to the statement, which says `$1::int8[]`: one prepared statement, whatever the numbers are.
"""

import struct
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_INT8, _FLOAT8, _BOOL, _TEXT, _BYTEA = 20, 701, 16, 25, 17  # PostgreSQL's numbers of these types
_LENGTH: Final = struct.Struct(">i")
_FLOAT: Final = struct.Struct(">id")
_NULL: Final = _LENGTH.pack(-1)
_AT_ONCE: Final = 1_024  # items that are written in one go: what does that is 64 bytes for each


class Array(bytes):
    """A one-dimensional array, ready to be sent."""

    __slots__ = ()


class _AsItIs(Dumper):
    format = Format.BINARY
    oid = 0

    def dump(self, obj: Array) -> bytes:
        return obj


psycopg.adapters.register_dumper(Array, _AsItIs)


def int8s(numbers: Sequence[int | None]) -> Array:
    """bigint[]."""
    return Array(_whole(_INT8, "q", 8, numbers))


def bools(truths: Sequence[bool]) -> Array:
    """boolean[]."""
    return Array(_whole(_BOOL, "?", 1, truths))


def float8s(numbers: Sequence[float | None]) -> Array:
    """double precision[]."""
    items = [_NULL if number is None else _FLOAT.pack(8, number) for number in numbers]
    return Array(_head(_FLOAT8, len(items)) + b"".join(items))


def texts(words: Sequence[str]) -> Array:
    """text[]."""
    return Array(_of_bytes(_TEXT, [word.encode() for word in words]))


def byteas(pieces: Sequence[bytes]) -> Array:
    """bytea[]."""
    return Array(_of_bytes(_BYTEA, pieces))


def _whole(oid: int, kind: str, size: int, numbers: Sequence[int | bool | None]) -> bytes:
    """Numbers of one size; where one is missing, or they are very many, they are written one by one."""
    if len(numbers) > _AT_ONCE or None in numbers:
        item = struct.Struct(f">i{kind}")
        return _head(oid, len(numbers)) + b"".join(_NULL if one is None else item.pack(size, one) for one in numbers)
    flat: list[int | bool | None] = [size] * (2 * len(numbers))
    flat[1::2] = numbers
    return _head(oid, len(numbers)) + _items(kind, len(numbers)).pack(*flat)


def _of_bytes(oid: int, pieces: Sequence[bytes]) -> bytes:
    return _head(oid, len(pieces)) + b"".join([_LENGTH.pack(len(piece)) + piece for piece in pieces])


@cache
def _head(oid: int, count: int) -> bytes:
    """One dimension, perhaps with NULLs, items of this type, so many of them from 1 on."""
    return struct.pack(">iiiii", 1, 1, oid, count, 1)


@lru_cache(maxsize=128)
def _items(kind: str, count: int) -> struct.Struct:
    return struct.Struct(">" + f"i{kind}" * count)
