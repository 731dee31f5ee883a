"""JSON Lines: one object in each line. Read in pieces of whole lines, each with the types that it has."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import json as arrow_json

from artifacts.profiling.limits import Limits
from artifacts.profiling.words import Unreadable, cut

_PIECE_BYTES = 4 * 1024**2


def batches(stream: BinaryIO, limits: Limits) -> Iterator[pa.RecordBatch]:
    """Rows as typed columns; other pieces may have other columns and types. Raises Unreadable."""
    lines_before = 0
    for piece in _pieces(stream, limits):
        yield from _rows_of(piece, lines_before)
        lines_before += piece.count(b"\n")


def _pieces(stream: BinaryIO, limits: Limits) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_PIECE_BYTES):
        whole, newline, rest_of_it = chunk.rpartition(b"\n")
        if newline:
            yield rest + whole + newline
            rest = rest_of_it
        else:
            rest += chunk
        if len(rest) > limits.row_bytes:
            raise Unreadable(f"a line is longer than {limits.row_bytes // 1024**2} MiB")
    if rest.strip():
        yield rest + b"\n"


def _rows_of(piece: bytes, lines_before: int) -> Iterator[pa.RecordBatch]:
    if not piece.strip(b"\xef\xbb\xbf \t\r\n"):
        return
    try:
        options = arrow_json.ReadOptions(use_threads=False, block_size=len(piece) + 1)
        table = arrow_json.read_json(pa.BufferReader(piece.removeprefix(b"\xef\xbb\xbf")), read_options=options)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # types that change from line to line, or no JSON at all
        table = _mixed_rows(piece, lines_before)
    yield from table.to_batches()


def _mixed_rows(piece: bytes, lines_before: int) -> pa.Table:
    """The same, line by line: what is not of one type in its column becomes text. Raises Unreadable for the line."""
    rows = [_row(line, lines_before + at) for at, line in enumerate(piece.split(b"\n"), 1) if line.strip()]
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _row(line: bytes, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"line {number:,} is no JSON: {cut(str(error), 80)}") from None
    if not isinstance(row, dict):
        raise Unreadable(f"line {number:,} is not an object in braces")
    return row


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
