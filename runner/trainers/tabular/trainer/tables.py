"""Tables out of files: CSV, TSV and Parquet, several of them, with missing values and words in columns."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from .files import DELIMITERS, PARQUET, suffix_of, tables_among
from .problems import Problem

MISSING = ["", "NA", "N/A", "na", "n/a", "NaN", "nan", "null", "NULL", "None", "none", "?"]


@dataclass(frozen=True)
class Table:
    """names: of the columns; numbers: which of them hold numbers; values: by column, floats with nan or texts with
    None where nothing is."""

    names: tuple[str, ...]
    numbers: frozenset[str]
    values: dict[str, Any]
    rows: int

    def column(self, name: str) -> Any:
        """One by its name. Raises Problem."""
        if name not in self.values:
            alike = difflib.get_close_matches(name, self.names, n=1)
            hint = f"Did you mean '{alike[0]}'?" if alike else f"There is {', '.join(self.names[:20])}."
            raise Problem(f"The data have no column '{name}'. {hint}")
        return self.values[name]


def read_table(place: Path, which: str = "", but: str = "") -> tuple[Table, list[Path]]:
    """All tables below a folder, or one file, as one; with the files that were read. Raises Problem.

    which, but: patterns of the files to read and to leave out, as in train*.csv; '' for all and for none.
    """
    top = place if place.is_dir() else place.parent
    files = sorted(one for one in top.rglob("*") if one.is_file()) if place.is_dir() else [place]
    taken = [top / one for one in tables_among([file.relative_to(top) for file in files], which, but)]
    return _typed(_joined([_read(one) for one in taken], taken)), taken


def _read(file: Path) -> pa.Table:
    try:
        if suffix_of(file) in PARQUET:
            return pyarrow.parquet.read_table(file, use_threads=False)
        return pyarrow.csv.read_csv(
            file,
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=1 << 26),
            parse_options=pyarrow.csv.ParseOptions(delimiter=DELIMITERS[suffix_of(file)], newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(null_values=MISSING, strings_can_be_null=True),
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Problem(f"{file.name} cannot be read: {str(error).splitlines()[0][:300]}") from error


def _joined(tables: Sequence[pa.Table], files: Sequence[Path]) -> pa.Table:
    first = tables[0]
    for table, file in zip(tables, files, strict=True):
        if len(set(table.column_names)) != len(table.column_names):
            raise Problem(f"{file.name} has two columns of the same name. Its first line has to name each once.")
        if set(table.column_names) != set(first.column_names):
            other = sorted(set(table.column_names) ^ set(first.column_names))
            raise Problem(f"{file.name} has other columns than {files[0].name}: {', '.join(other)[:300]}.")
    return _stacked([table.select(first.column_names) for table in tables])


def _stacked(tables: Sequence[pa.Table]) -> pa.Table:
    """One below the other; a column that has numbers in one file and words in another has words."""
    names = tables[0].column_names
    return pa.table([_column([table[name] for table in tables]) for name in names], names=names)


def _column(parts: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    plain = [part.cast(part.type.value_type) if pa.types.is_dictionary(part.type) else part for part in parts]
    one = [pa.table({"one": part}) for part in plain]
    try:
        return pa.concat_tables(one, promote_options="permissive")["one"]
    except pa.ArrowException:
        return pa.chunked_array([chunk for part in plain for chunk in _texts_of(part).chunks], type=pa.string())


def _texts_of(part: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return part.cast(pa.string())
    except pa.ArrowException:
        return pa.chunked_array([[None if one is None else str(one) for one in part.to_pylist()]], type=pa.string())


def _typed(table: pa.Table) -> Table:
    values: dict[str, Any] = {}
    numbers = set()
    for name in table.column_names:
        column = table[name]
        numeric = _as_numbers(column)
        if numeric is not None:
            numbers.add(name)
        values[name] = _as_texts(column) if numeric is None else numeric
    if table.num_rows == 0:
        raise Problem("The data have columns and no rows.")
    return Table(tuple(table.column_names), frozenset(numbers), values, table.num_rows)


def _as_numbers(column: pa.ChunkedArray) -> Any | None:
    """Floats with nan; None where it holds words. Moments count as seconds, true and false stay words."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        column = pc.divide(column.cast(pa.timestamp("ms")).cast(pa.int64()).cast(pa.float64()), 1000.0)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return None if not pa.types.is_null(kind) else np.full(len(column), np.nan)
    found = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(float, copy=True)
    found[~np.isfinite(found)] = np.nan
    return found


def _as_texts(column: pa.ChunkedArray) -> Any:
    texts = _texts_of(column).to_pylist()
    return np.array([None if one is None or not one.strip() else one.strip() for one in texts], dtype=object)
