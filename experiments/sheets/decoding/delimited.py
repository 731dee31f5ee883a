"""CSV: separated by comma, semicolon or tab; UTF-8, UTF-16 with its mark, or Windows-1252, which is told."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import IO

from experiments.sheets.cells import Cell
from experiments.sheets.decoding.gathering import gather
from experiments.sheets.decoding.words import Table, Unreadable
from experiments.sheets.limits import Limits

_MARKS = ",;\t"
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab"}
_OURS = ("run_id", "id", "name", "status")  # how a run table that we wrote begins
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x19\x1b-\x1f]")
_LOOKED_AT = 20  # rows that tell what separates cells


def read(file: IO[bytes], worksheet: str, limits: Limits) -> Table:
    """The one table of the file. Raises Unreadable."""
    table = Table("csv")
    text = _decoded(file.read(), table)
    if not text.strip():
        raise Unreadable("The file is empty.", "Choose another one.")
    mark = _separator(text)
    table.facts["separator"] = _NAMES[mark]
    csv.field_size_limit(limits.text_characters)
    gather(_rows(text, mark), table, limits)
    if tuple(table.header[: len(_OURS)]) == _OURS:
        table.rows = [(number, [_as_it_was(cell) for cell in cells]) for number, cells in table.rows]
    return table


def _as_it_was(cell: Cell) -> Cell:
    """A text of our own export: without the apostrophe that keeps it from acting as a formula."""
    return cell[1:] if isinstance(cell, str) and cell[:1] == "'" and cell[1:2] in _FORMULAS else cell


def _decoded(content: bytes, table: Table) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if content.startswith(mark):
            return _strictly(content[len(mark) :], name, table)
    if b"\x00" in content:
        raise Unreadable("This is neither a text nor an XLSX workbook.", "Save it as CSV (UTF-8) or XLSX.")
    try:
        return _strictly(content, "utf-8", table)
    except Unreadable:
        return _as_windows(content, table)


def _strictly(content: bytes, name: str, table: Table) -> str:
    try:
        text = content.decode(name)
    except UnicodeDecodeError as error:
        raise Unreadable(f"Byte {error.start:,} is not text in {name.upper()}.", "Save it as CSV (UTF-8).") from None
    table.facts["encoding"] = name
    return text


def _as_windows(content: bytes, table: Table) -> str:
    try:
        text = content.decode("windows-1252")
    except UnicodeDecodeError as error:
        words = f"Byte {error.start:,} is text in neither UTF-8 nor Windows-1252."
        raise Unreadable(words, "Save it as CSV (UTF-8).") from None
    if _CONTROL.search(text):
        raise Unreadable("This is neither a text nor an XLSX workbook.", "Save it as CSV (UTF-8) or XLSX.")
    strange = next((one for one in text if ord(one) > 127), "")
    table.facts["encoding"] = "windows-1252"
    table.notes.append(
        f"This is not UTF-8 and was read as Windows-1252. Look whether letters such as '{strange}' are right."
    )
    return text


def _separator(text: str) -> str:
    """What cuts the first rows into the same number of cells, and the most of them."""
    told = text[:4].lower()
    if told == "sep=":
        return text[4] if text[4:5] and text[4] in _MARKS else ","

    def score(mark: str) -> tuple[bool, int, int]:
        widths = [len(row) for row in _some(text, mark)]
        return min(widths) > 1 and len(set(widths)) == 1, widths[0] > 1, widths[0]

    return max(_MARKS, key=score)


def _some(text: str, mark: str) -> list[list[str]]:
    try:
        rows = csv.reader(io.StringIO(text[: 1024**2], newline=""), delimiter=mark)
        return [row for row, _ in zip((row for row in rows if any(row)), range(_LOOKED_AT), strict=False)] or [[]]
    except csv.Error:
        return [[]]


def _rows(text: str, mark: str) -> Iterator[tuple[int, list[Cell]]]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    number = 0
    try:
        for number, row in enumerate(lines, 1):
            if number == 1 and len(row) <= 2 and row and row[0].lower().startswith("sep="):
                continue  # a line for spreadsheets, and no data
            yield number, list(row)
    except csv.Error as error:
        words = f"Row {number + 1:,} cannot be read: {error}."
        raise Unreadable(words, "Look for a quotation mark that is not closed.") from None
