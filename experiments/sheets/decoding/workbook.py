"""XLSX by openpyxl, without formulas, links and macros: what the cells show, with words for what they do not tell."""

import datetime as dt
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from experiments.sheets.cells import Cell, Kind
from experiments.sheets.decoding.gathering import gather
from experiments.sheets.decoding.words import Table, Unreadable, counted, letters
from experiments.sheets.limits import Limits

_BROKEN = (
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    EOFError,
    ParseError,
    zipfile.BadZipFile,
)
_ENTRIES = 10_000
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')
_PIECE = 1024**2
_MERGED_TOLD = 3
AGAIN = "Open it in a spreadsheet program and save it as XLSX again."


def read(file: IO[bytes], worksheet: str, limits: Limits) -> Table:
    """One sheet of the workbook: the named one, or the first. Raises Unreadable."""
    _refuse_bombs(file, limits)
    try:
        return _read(file, worksheet, limits)
    except Unreadable:
        raise
    except MemoryError:
        raise
    except _BROKEN as error:
        raise Unreadable(f"This workbook is damaged ({type(error).__name__}).", AGAIN) from None


def _refuse_bombs(file: IO[bytes], limits: Limits) -> None:
    try:
        entries = zipfile.ZipFile(file).infolist()
    except _BROKEN:
        raise Unreadable("This workbook is damaged: its parts cannot be listed.", AGAIN) from None
    names = {one.filename for one in entries}
    if any(one.flag_bits & 1 for one in entries):
        raise Unreadable("This workbook is protected by a password.", "Save it without one.")
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise Unreadable("This is a packed file, but no XLSX workbook.", "Save the sheet as XLSX or CSV.")
    if len(entries) > _ENTRIES or sum(one.file_size for one in entries) > limits.unpacked:
        most = f"{limits.unpacked // 1024**2:,} MiB"
        raise Unreadable(f"This workbook unpacks to more than {most}, which is the most.", "Save the one sheet as CSV.")


def _read(file: IO[bytes], worksheet: str, limits: Limits) -> Table:
    import openpyxl

    warnings.simplefilter("ignore")
    options = {"read_only": True, "keep_links": False, "keep_vba": False}
    book = openpyxl.load_workbook(file, data_only=True, **options)
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if not sheets:
        raise Unreadable("This workbook has no sheet with cells.", "Choose another one.")
    if worksheet and worksheet not in sheets:
        raise Unreadable(f"This workbook has no sheet '{worksheet[:80]}'.", "Choose another one.")
    sheet = sheets[worksheet] if worksheet else next(iter(sheets.values()))
    table = Table("xlsx", tuple(sheets), sheet.title)
    if len(sheets) > 1:
        table.notes.append(f"The workbook has {len(sheets)} sheets; this is '{sheet.title[:80]}'.")
    formulas = None
    has_formulas, merged = _told_by_its_text(sheet)
    if has_formulas:
        formulas = openpyxl.load_workbook(file, data_only=False, **options)[sheet.title]
    percents: set[int] = set()
    try:
        gather(_rows(sheet, formulas, limits, percents), table, limits)
    except Unreadable as error:
        error.worksheets = table.worksheets if len(sheets) > 1 else ()
        raise
    _tell(table, merged, percents, has_formulas=has_formulas)
    return table


def _told_by_its_text(sheet: Any) -> tuple[bool, list[str]]:
    """Whether there are formulas, and which cells are merged: what reading row by row does not tell."""
    has_formulas, merged, before = False, list[str](), b""
    with sheet._get_source() as source:
        while piece := source.read(_PIECE):
            text = before + piece
            has_formulas = has_formulas or bool(re.search(rb"<(?:\w+:)?f[ >/]", text))
            merged += [found.decode() for found in _MERGED.findall(text) if found.decode() not in merged[-50:]]
            before = text[-200:]
            if len(merged) > 1000:
                break
    return has_formulas, merged


def _rows(sheet: Any, formulas: Any, limits: Limits, percents: set[int]) -> Iterator[tuple[int, list[Cell]]]:
    sheet.reset_dimensions()  # what a file says of its own size is not asked
    if formulas is not None:
        formulas.reset_dimensions()
    others = iter(formulas.iter_rows()) if formulas is not None else iter(())
    for number, row in enumerate(sheet.iter_rows(), 1):
        if number > limits.scanned:
            raise Unreadable(
                "This sheet goes on for more than a million rows.", "Delete the empty rows below the table."
            )
        asked: Sequence[Any] = next(others, ())
        if not row:
            continue
        if len(row) > limits.columns and any(cell.value is not None for cell in row[limits.columns :]):
            words = f"This sheet has {len(row):,} columns; at most {limits.columns} are read."
            raise Unreadable(words, "Take out what is not needed.")
        cells = [_cell(cell) for cell in row[: limits.columns]]
        for place, formula in enumerate(asked[: len(cells)]):
            if formula.data_type == "f" and cells[place] is None:
                cells[place] = [Kind.FORMULA.value, str(formula.value)[:200]]
        percents |= {at for at, cell in enumerate(cells) if isinstance(cell, list) and cell[0] == Kind.PERCENT}
        yield number, cells


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None or isinstance(value, str):
        return [Kind.ERROR.value, value] if cell.data_type == "e" and value else value
    if isinstance(value, bool):
        return [Kind.TRUTH.value, "true" if value else "false"]
    if isinstance(value, int | float):
        kind = Kind.PERCENT if "%" in re.sub(r'"[^"]*"', "", str(cell.number_format)) else Kind.NUMBER
        return [kind.value, repr(value)]
    if isinstance(value, dt.datetime):
        return [Kind.DATE.value, _moment(value)]
    if isinstance(value, dt.date):
        return [Kind.DATE.value, value.isoformat()]
    if isinstance(value, dt.time):
        return [Kind.TIME.value, value.strftime("%H:%M:%S")]
    if isinstance(value, dt.timedelta):
        return [Kind.TIME.value, _clock(value)]
    return str(value)


def _moment(value: dt.datetime) -> str:
    """To the millisecond: a workbook keeps days as numbers with a point."""
    value = (value + dt.timedelta(microseconds=500)).replace(tzinfo=None)
    return value.isoformat(timespec="milliseconds").removesuffix(".000")


def _clock(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    return f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}" if seconds >= 0 else f"{seconds} s"


def _tell(table: Table, merged: Sequence[str], percents: set[int], *, has_formulas: bool) -> None:
    if merged:
        some = ", ".join(merged[:_MERGED_TOLD]) + (" …" if len(merged) > _MERGED_TOLD else "")
        table.notes.append(
            f"{counted(len(merged), 'merged cell')} ({some}): only the first cell of each has its value."
        )
    named = [table.header[at] or letters(at) for at in sorted(percents) if at < len(table.header)]
    if named:
        some = ", ".join(f"'{name[:40]}'" for name in named[:3]) + (" …" if len(named) > 3 else "")
        table.notes.append(f"Percents are read as parts of one, 81.3 % as 0.813: in {some}.")
    if has_formulas:
        table.notes.append("Of formulas, the values that were computed when the workbook was saved are read.")
