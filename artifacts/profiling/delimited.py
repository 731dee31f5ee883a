"""CSV and TSV: every value is read as text, so that a letter in the last row breaks nothing."""

import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
from pyarrow import csv as arrow_csv

from artifacts.profiling.limits import Limits
from artifacts.profiling.words import NothingInIt, Unreadable, cut

_DELIMITERS = ",;\t|"
_HEADER_BYTES = 1024**2
_BLOCK_BYTES = 4 * 1024**2


def header_of(stream: BinaryIO, delimiter: str = "") -> tuple[list[str], str]:
    """The names in the first row, and what separates them. Raises NothingInIt, Unreadable."""
    beginning = stream.read(_HEADER_BYTES)
    if not beginning.strip(b"\xef\xbb\xbf \t\r\n"):
        raise NothingInIt("it is empty")
    if b"\x00" in beginning:
        raise Unreadable("it holds NUL bytes: it is not text in UTF-8")
    try:
        text = io.TextIOWrapper(io.BytesIO(beginning), "utf-8-sig", newline="").read(_HEADER_BYTES // 4)
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte {error.start:,} is not text in UTF-8") from None
    delimiter = delimiter or _likeliest(text)
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error as error:
        raise Unreadable(f"its first row cannot be read: {error}") from None
    return [name.strip() for name in names], delimiter


def _likeliest(text: str) -> str:
    first = text.splitlines()[0] if text.splitlines() else ""
    bare = re.sub(r'"[^"]*"', "", first)
    return max(_DELIMITERS, key=bare.count)


def batches(stream: BinaryIO, names: list[str], delimiter: str, limits: Limits) -> Iterator[pa.RecordBatch]:
    """The rows below the header as columns of texts, at most as many columns as are read. Raises Unreadable.

    Columns are called by their place, since several may have one name.
    """
    places = [str(place) for place in range(len(names))]
    ragged: list[str] = []
    read = arrow_csv.ReadOptions(
        column_names=places, skip_rows_after_names=1, block_size=_BLOCK_BYTES, use_threads=False
    )
    parse = arrow_csv.ParseOptions(
        delimiter=delimiter, newlines_in_values=True, invalid_row_handler=lambda row: _note_ragged(row, ragged)
    )
    convert = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(places, pa.string()),
        strings_can_be_null=True,
        include_columns=places[: limits.columns],
    )
    try:
        with arrow_csv.open_csv(stream, read, parse, convert) as reader:
            yield from _until_ragged(reader, ragged)
    except pa.ArrowInvalid as error:
        raise Unreadable(ragged[0] if ragged else _said(str(error))) from None


def _until_ragged(reader: arrow_csv.CSVStreamingReader, ragged: list[str]) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            batch = None
        if ragged:
            raise Unreadable(ragged[0])
        if batch is None:
            return
        yield batch


def _note_ragged(row: arrow_csv.InvalidRow, ragged: list[str]) -> str:
    where = f"row {row.number:,}" if row.number is not None else "a row"
    expected, found = row.expected_columns, row.actual_columns
    ragged.append(f"{where} has {_values(found)}, the header has {expected}: {cut(str(row.text), 80)}")
    return "skip"


def _values(count: int) -> str:
    return f"{count} value" + "s" * (count != 1)


def _said(error: str) -> str:
    """What pyarrow says, in words for people."""
    if "straddling" in error:
        return f"a row is longer than {_BLOCK_BYTES // 1024**2} MiB, or a quote is never closed"
    if "UTF8" in error:
        return "it holds bytes that are not text in UTF-8"
    if "Empty CSV" in error:
        return "it is empty"
    return cut(error)
