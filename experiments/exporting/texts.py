"""Tables as CSV, JSON and JSON Lines, in pieces as they are read."""

import csv
import datetime as dt
import json
import math
from collections.abc import Callable, Iterator, Sequence
from io import StringIO

from experiments.exporting.fields import Field, Kind, Rows, Value, defused

_PIECE = 500  # rows
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def as_csv(fields: Sequence[Field], rows: Rows) -> Iterator[bytes]:
    """RFC 4180 with a head line, UTF-8. Floats keep all their digits, times are ISO 8601 in UTC."""
    writers = [_csv_writer(field.kind) for field in fields]
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([defused(field.name) for field in fields])
    for at, row in enumerate(rows, 1):
        writer.writerow([write(value) for write, value in zip(writers, row, strict=True)])
        if at % _PIECE == 0:
            yield _taken(text)
    yield _taken(text)


def _taken(text: StringIO) -> bytes:
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece


def _csv_writer(kind: Kind) -> Callable[[Value], str]:
    if kind is Kind.TIME:
        return lambda value: "" if value is None else iso(int(value))
    if kind is Kind.TEXT:
        return lambda value: "" if value is None else defused(str(value))
    return lambda value: "" if value is None else repr(value)


def iso(at_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601; a time that no calendar has stays a number."""
    try:
        return (_EPOCH + dt.timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")
    except OverflowError:
        return str(at_ms)


def as_json(fields: Sequence[Field], rows: Rows) -> Iterator[bytes]:
    """An array of objects. NaN and the infinities, which JSON does not have, are the words that MLflow uses."""
    yield b"["
    for at, piece in enumerate(_pieces(fields, rows, between=",\n")):
        yield (",\n" if at else "\n").encode() + piece
    yield b"\n]\n"


def as_json_lines(fields: Sequence[Field], rows: Rows) -> Iterator[bytes]:
    """An object on each line, with the same words for what JSON does not have."""
    for piece in _pieces(fields, rows, between="\n"):
        yield piece + b"\n"


def _pieces(fields: Sequence[Field], rows: Rows, *, between: str) -> Iterator[bytes]:
    """Rows as objects, some hundreds at once."""
    names = [json.dumps(field.name, ensure_ascii=False) for field in fields]
    pieces: list[str] = []
    for row in rows:
        pairs = (f"{name}: {_json(field.kind, value)}" for name, field, value in zip(names, fields, row, strict=True))
        pieces.append(f"{{{', '.join(pairs)}}}")
        if len(pieces) == _PIECE:
            yield between.join(pieces).encode()
            pieces.clear()
    if pieces:
        yield between.join(pieces).encode()


def _json(kind: Kind, value: Value) -> str:
    if kind is Kind.TIME and value is not None:
        return json.dumps(iso(int(value)))
    if isinstance(value, float) and not math.isfinite(value):
        return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'
    return json.dumps(value, ensure_ascii=False)
