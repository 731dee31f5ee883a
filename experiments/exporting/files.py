"""Tables as XLSX and Parquet: written whole, to a file of their own, before the first byte goes out."""

import datetime as dt
import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import IO, Any

from experiments.exporting.fields import DoesNotFit, Field, Kind, Rows, Value
from experiments.exporting.texts import iso

# What a worksheet holds: specification of Excel, "Worksheet and workbook".
SHEET_ROWS = 1_048_576
SHEET_COLUMNS = 16_384
CELL_CHARACTERS = 32_767
_BATCH = 2_000
_PIECE = 256 * 1024


def as_xlsx(fields: Sequence[Field], rows: Rows) -> Iterator[bytes]:
    """A workbook with one sheet; texts stay texts, whatever they begin with. Raises DoesNotFit before any byte."""
    return _pieces(_xlsx_file(fields, rows))


def as_parquet(fields: Sequence[Field], rows: Rows) -> Iterator[bytes]:
    """Parquet with zstd: text, int64, float64 and timestamps in UTC; missing values are null."""
    return _pieces(_parquet_file(fields, rows))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def _xlsx_file(fields: Sequence[Field], rows: Rows) -> IO[bytes]:
    import xlsxwriter

    if len(fields) > SHEET_COLUMNS:
        raise _does_not_fit(f"{len(fields):,} columns", f"{SHEET_COLUMNS:,} columns")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - _pieces closes it
    book = xlsxwriter.Workbook(
        file,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    sheet = book.add_worksheet("Runs")
    bold = book.add_format({"bold": True})
    when = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for column, field in enumerate(fields):
        sheet.write_string(0, column, field.name, bold)
    sheet.freeze_panes(1, 1)
    for at, row in enumerate(rows, 1):
        if at >= SHEET_ROWS:
            raise _does_not_fit("more rows", f"{SHEET_ROWS - 1:,} rows")
        for column, (field, value) in enumerate(zip(fields, row, strict=True)):
            _write_cell(sheet, at, column, field, value, when)
    book.close()
    file.seek(0)
    return file


def _write_cell(sheet: Any, row: int, column: int, field: Field, value: Value, when: Any) -> None:
    if value is None:
        return
    if field.kind is Kind.TIME:
        _write_time(sheet, row, column, int(value), when)
    elif field.kind is Kind.TEXT:
        text = str(value)
        if len(text) > CELL_CHARACTERS:
            raise _does_not_fit(f"{len(text):,} characters in '{field.name[:80]}'", f"{CELL_CHARACTERS:,} in a cell")
        sheet.write_string(row, column, text)
    elif isinstance(value, float) and not math.isfinite(value):
        sheet.write_string(row, column, str(value))
    elif isinstance(value, int) and abs(value) > 2**53:
        sheet.write_string(row, column, str(value))  # a cell holds a float64: the last digits would be lost
    else:
        sheet.write_number(row, column, value)


def _write_time(sheet: Any, row: int, column: int, at_ms: int, when: Any) -> None:
    """As a date of the sheet's calendar, which begins in 1900; a time outside of it as text."""
    if 0 <= at_ms < 253_402_300_800_000:
        sheet.write_datetime(row, column, dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).replace(tzinfo=None), when)
    else:
        sheet.write_string(row, column, iso(at_ms))


def _does_not_fit(what: str, limit: str) -> DoesNotFit:
    return DoesNotFit(
        f"An XLSX worksheet cannot hold this: {what}, where it takes {limit}.",
        hint="Export as CSV or Parquet, or choose fewer runs or columns.",
        field="format",
    )


def _parquet_file(fields: Sequence[Field], rows: Rows) -> IO[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        Kind.TEXT: pa.string(),
        Kind.NUMBER: pa.float64(),
        Kind.INTEGER: pa.int64(),
        Kind.TIME: pa.timestamp("ms", tz="UTC"),
    }
    schema = pa.schema([pa.field(field.name, types[field.kind]) for field in fields])
    file = tempfile.TemporaryFile()  # noqa: SIM115 - _pieces closes it
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in _batches(rows):
            columns = list(zip(*batch, strict=True))
            arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    file.seek(0)
    return file


def _batches(rows: Rows) -> Iterator[list[Sequence[Value]]]:
    left: Iterable[Sequence[Value]] = iter(rows)
    while batch := list(islice(left, _BATCH)):
        yield batch
