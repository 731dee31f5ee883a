"""All tables of a version, within the limits. Runs in the reading process: knows files by their descriptors."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from artifacts.profiling import delimited, json_lines, parquet_files
from artifacts.profiling.columns import ColumnSummary
from artifacts.profiling.formats import Format
from artifacts.profiling.limits import Limits
from artifacts.profiling.opening import Budget, BytesSpent, opened
from artifacts.profiling.words import NothingInIt, Unreadable, cut


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its path in the version, an open descriptor, its format."""

    path: str
    descriptor: int
    format: Format
    is_packed: bool


class TooMuch(Exception):
    """A limit was met: what was read so far counts. Its text says which."""


@dataclass(slots=True)
class OneTable:
    """Files with the same columns. by_name: columns come and go from row to row, as in JSON."""

    paths: list[str]
    names: list[str]
    has_types: bool
    by_name: bool
    columns: dict[str, ColumnSummary] = field(default_factory=dict)
    rows: int = 0

    def take(self, batch: pa.RecordBatch) -> None:
        """Take in rows. Without by_name, columns are told by their place."""
        keys = batch.schema.names if self.by_name else [str(place) for place in range(batch.num_columns)]
        for key, values in zip(keys, batch.columns, strict=True):
            column = self.columns.get(key)
            if column is None:
                column = self.columns[key] = ColumnSummary(key if self.by_name else self.names[int(key)])
                column.skip(self.rows)
            (column.take if self.has_types else column.take_texts)(values)
        self.rows += batch.num_rows
        for column in self.columns.values():
            column.skip(self.rows - column.rows)

    @property
    def label(self) -> str:
        """The first file, and how many more."""
        more = len(self.paths) - 1
        return self.paths[0] + (f" and {more} more with the same columns" if more else "")


class Reading:
    """The tables so far, and what was left out."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.budget = limits, Budget(limits)
        self.until = time.monotonic() + limits.seconds
        self.tables: dict[Any, OneTable] = {}
        self.notes: list[str] = []
        self.rows, self.is_cut = 0, False

    def read(self, sources: Sequence[Source]) -> Mapping[str, Any]:
        """The profile as VersionProfile keeps it: state, error, row_count, columns, notes."""
        empty = []
        for place, source in enumerate(sources):
            try:
                self._read_one(source)
            except NothingInIt:
                empty.append(source.path)
            except Unreadable as error:
                return {"state": "failed", "error": f"{source.path}: {error}.", "notes": self.notes}
            except (TooMuch, BytesSpent) as error:
                self._stop(str(error), [one.path for one in sources[place:]])
                break
        if empty:
            self.notes.append(f"{len(empty)} of {len(sources)} files are empty: {cut(', '.join(empty))}.")
        if not self.tables:
            return {"state": "none", "error": "The files are empty: there is no table in them.", "notes": self.notes}
        return self._whole()

    def _stop(self, why: str, left: Sequence[str]) -> None:
        self.is_cut = True
        why = why or f"{self.limits.bytes // 1024**2:,} MiB were read, which is the most"
        after = f"; of the files after it none was read ({len(left) - 1})" if len(left) > 1 else ""
        self.notes.append(f"Only a part was read: {why}. Reading stopped in '{cut(left[0])}'{after}.")

    def _read_one(self, source: Source) -> None:
        if not os.fstat(source.descriptor).st_size:
            raise NothingInIt("it is empty")
        if source.format is Format.PARQUET:
            self._read_parquet(source)
        elif source.format is Format.JSON_LINES:
            stream = opened(source.descriptor, is_packed=source.is_packed, budget=self.budget)
            self._take_json(source, json_lines.batches(stream, self.limits))
        else:
            self._read_delimited(source)

    def _read_delimited(self, source: Source) -> None:
        given = "\t" if source.format is Format.TSV else ""
        with opened(source.descriptor, is_packed=source.is_packed, budget=self.budget) as stream:
            names, delimiter = delimited.header_of(stream, given)
        table = self._table(source, names, ("text", *names), has_types=False)
        stream = opened(source.descriptor, is_packed=source.is_packed, budget=self.budget)
        for batch in delimited.batches(stream, names, delimiter, self.limits):
            self._take(table, batch)

    def _read_parquet(self, source: Source) -> None:
        file = parquet_files.opened(opened_for_seeking(source.descriptor))
        schema = file.schema_arrow
        key = ("types", *(f"{column.name}:{column.type}" for column in schema))
        table = self._table(source, list(schema.names), key, has_types=True)
        for batch in parquet_files.batches(file, self.limits):
            self.budget.spend(batch.nbytes)
            self._take(table, batch)

    def _take_json(self, source: Source, batches: Iterator[pa.RecordBatch]) -> None:
        table = None
        for batch in batches:
            if table is None:
                table = self._table(source, batch.schema.names, ("json", *sorted(batch.schema.names)), by_name=True)
            kept = [name for name in batch.schema.names if name in table.columns]
            room = self.limits.columns - len(table.columns)
            new = [name for name in batch.schema.names if name not in table.columns]
            self._take(table, batch.select([*kept, *new[: max(room, 0)]]))
        if table is None:
            raise NothingInIt("it is empty")

    def _table(
        self, source: Source, names: list[str], key: Any, *, has_types: bool = True, by_name: bool = False
    ) -> OneTable:
        table = self.tables.get(key)
        if table is None:
            table = self.tables[key] = OneTable([source.path], names, has_types, by_name)
            if len(names) > self.limits.columns:
                self.notes.append(
                    f"'{cut(source.path)}' has {len(names):,} columns; the first {self.limits.columns} were read."
                )
        elif source.path not in table.paths:
            table.paths.append(source.path)
        if not (has_types or by_name):
            for place, name in enumerate(names[: self.limits.columns]):
                table.columns.setdefault(str(place), ColumnSummary(name))
        return table

    def _take(self, table: OneTable, batch: pa.RecordBatch) -> None:
        left = self.limits.rows - self.rows
        table.take(batch.slice(0, left) if batch.num_rows > left else batch)
        self.rows += min(batch.num_rows, left)
        if batch.num_rows > left:
            raise TooMuch(f"{self.limits.rows:,} rows were read, which is the most")
        if time.monotonic() > self.until:
            raise TooMuch(f"{self.limits.seconds:.0f} seconds had passed, which is the most")

    def _whole(self) -> Mapping[str, Any]:
        several = len(self.tables) > 1
        columns = [
            {**column.shown(), "table": table.label if several else ""}
            for table in self.tables.values()
            for column in table.columns.values()
        ]
        if self.is_cut:
            self.notes.append(f"The numbers below speak of the first {self.rows:,} rows.")
        return {
            "state": "done",
            "error": "",
            "row_count": None if self.is_cut else self.rows,
            "columns": columns[: self.limits.columns * 4],
            "notes": self.notes,
        }


def opened_for_seeking(descriptor: int) -> Any:
    """The file as it lies there, for a format that jumps about in it."""
    file = open(descriptor, "rb", closefd=False)  # noqa: SIM115  # it lives as long as the process
    file.seek(0)
    return file
