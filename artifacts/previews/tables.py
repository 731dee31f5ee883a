"""CSV, TSV and JSON Lines as rows of a table: a bounded piece of the file, read with care."""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final

from artifacts.previews.text import Passage, beginning_of

READ: Final = 1_000_000  # bytes; what the rows shown are looked for in
ROWS_SHOWN: Final = 200
COLUMNS_SHOWN: Final = 60
CELL_SHOWN: Final = 200  # characters
_INTEGER: Final = re.compile(r"[+-]?\d{1,19}")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_KINDS: Final = (
    ("integer", _INTEGER),
    ("number", _NUMBER),
    ("boolean", re.compile("true|false", re.I)),
    ("time", _TIME),
)


class NoTable(ValueError):
    """These bytes make no table; the message says why."""


@dataclass(frozen=True, slots=True)
class Column:
    """Its name and the type of what is shown of it."""

    name: str
    type: str

    @property
    def is_numeric(self) -> bool:
        """Whether its values stand to the right."""
        return self.type.startswith(("int", "uint", "number", "float", "double", "decimal", "half"))


@dataclass(frozen=True, slots=True)
class Table:
    """The first rows of a table. A cell: its text, None for a missing value. total_rows: None where it is not known."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str | None]]
    total_rows: int | None
    total_columns: int

    @property
    def aligned_rows(self) -> list[list[tuple[str | None, bool]]]:
        """The rows, each cell with whether it stands to the right."""
        numeric = [column.is_numeric for column in self.columns]
        return [list(zip(row, numeric, strict=True)) for row in self.rows]

    @property
    def hides_rows(self) -> bool:
        """Whether there are more rows than these."""
        return self.total_rows is None or self.total_rows > len(self.rows)


def delimited(reader: BinaryIO, ending: str) -> Table:
    """A CSV or TSV file. Raises NotText, NoTable."""
    passage = beginning_of(reader, READ)
    text = _whole_lines(passage)
    sign = "\t" if ending == "tsv" else _delimiter(text.partition("\n")[0])
    try:
        rows = list(csv.reader(text.splitlines(keepends=True), delimiter=sign))
    except csv.Error as error:
        raise NoTable(f"it is no table that can be read: {error}") from None
    rows = [row for row in rows if row]
    if not rows:
        raise NoTable("it has no row")
    head, body = (rows[0], rows[1:]) if not _is_data(rows[0]) else ([], rows)
    width = max(len(head), max(map(len, body[:ROWS_SHOWN]), default=0))
    names = [*head, *(f"column {number + 1}" for number in range(len(head), width))]
    return _table(names, body, None if passage.is_cut else len(body))


def json_lines(reader: BinaryIO) -> Table:
    """A file with one JSON object in each line. Raises NotText, NoTable."""
    passage = beginning_of(reader, READ)
    lines = [line for line in _whole_lines(passage).splitlines() if line.strip()]
    try:
        objects = [json.loads(line) for line in islice(lines, ROWS_SHOWN)]
    except (ValueError, RecursionError):
        raise NoTable("not each of its lines is JSON") from None
    if not objects or not all(isinstance(one, dict) for one in objects):
        raise NoTable("not each of its lines is an object")
    names = list(dict.fromkeys(name for one in objects for name in one))
    rows = [[_text(one.get(name)) for name in names] for one in objects]
    return _table(names, rows, None if passage.is_cut else len(lines))


def logged_table(value: Any) -> Table | None:
    """What `mlflow.log_table` writes: {"columns": [...], "data": [[...], ...]}. None for any other JSON."""
    if not isinstance(value, dict) or set(value) != {"columns", "data"}:
        return None
    names, rows = value["columns"], value["data"]
    if not isinstance(names, list) or not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return None
    return _table(
        [str(name) for name in names], [[_text(cell) for cell in row] for row in rows[:ROWS_SHOWN]], len(rows)
    )


def _table(names: Sequence[str], rows: Sequence[Sequence[str | None]], total: int | None) -> Table:
    shown = [_fitted(row, min(len(names), COLUMNS_SHOWN)) for row in rows[:ROWS_SHOWN]]
    columns = [
        Column(short(name) or f"column {number + 1}", type_of([row[number] for row in shown]))
        for number, name in enumerate(names[:COLUMNS_SHOWN])
    ]
    return Table(columns, shown, total, len(names))


def _fitted(row: Sequence[str | None], width: int) -> list[str | None]:
    cells = [None if cell is None else short(cell) for cell in row[:width]]
    return cells + [""] * (width - len(cells))


def short(text: str) -> str:
    """A value cut to what a cell shows."""
    return text if len(text) <= CELL_SHOWN else text[: CELL_SHOWN - 1] + "…"


def type_of(values: Sequence[str | None]) -> str:
    """What the values of a column have in common; "empty" where there are none."""
    given = [value for value in values if value]
    if not given:
        return "empty"
    return next((name for name, form in _KINDS if all(form.fullmatch(value) for value in given)), "text")


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _is_data(row: Sequence[str]) -> bool:
    """Whether a first row holds values rather than names."""
    return all(_NUMBER.fullmatch(cell) for cell in row)


def _delimiter(line: str) -> str:
    return max(",;\t|", key=line.count)


def _whole_lines(passage: Passage) -> str:
    """The text without the last line, if the cut went through it and it is not the only one."""
    if not passage.is_cut:
        return passage.text
    text, _, _ = passage.text.rpartition("\n")
    if not text:
        raise NoTable("its first line alone is longer than what a preview reads")
    return text
