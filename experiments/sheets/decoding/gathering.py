"""From cells in rows to a table: where the header is, what is empty, what is too much."""

from collections.abc import Iterable, Sequence

from experiments.sheets.cells import Cell, Kind, is_empty, text_of
from experiments.sheets.decoding.words import Table, Unreadable, counted, letters
from experiments.sheets.limits import HEADER_CHARACTERS, Limits

Numbered = tuple[int, list[Cell]]
_HEADER_WITHIN = 50  # rows with anything in them that are looked through for a header
SPLIT = "Split it into several sheets."


def gather(rows: Iterable[Numbered], table: Table, limits: Limits) -> Table:
    """Fill the table: the first row with two filled cells is its header, empty rows are none. Raises Unreadable."""
    above: list[Numbered] = []
    waiting = iter(rows)
    for numbered in waiting:
        cells = _trimmed(numbered[1])
        if not cells:
            continue
        above.append((numbered[0], cells))
        if sum(not is_empty(cell) for cell in cells) > 1 or len(above) == _HEADER_WITHIN:
            break
    if not above:
        raise Unreadable("There is nothing in this sheet.", "Choose another one.")
    if sum(not is_empty(cell) for cell in above[-1][1]) > 1:
        _head(table, *above.pop())
        if above:
            table.notes.append(f"{counted(len(above), 'row')} above the header, which is row {table.header_row}.")
        above = []
    else:
        _head(table, *above.pop(0))
    _take(table, [*above], waiting, limits)
    if not table.rows:
        raise Unreadable("There is a header and no row below it.", "Fill in a row for each experiment.")
    return table


def _head(table: Table, number: int, cells: Sequence[Cell]) -> None:
    table.header = [" ".join(text_of(cell).splitlines()).strip()[:HEADER_CHARACTERS] for cell in cells]
    table.header_row = number


def _take(table: Table, first: Iterable[Numbered], rest: Iterable[Numbered], limits: Limits) -> None:
    counted_cells, characters, width = 0, 0, len(table.header)
    _refuse_wide(width, limits)
    for place in (first, rest):
        for number, row in place:
            cells = [_short(cell, limits) for cell in _trimmed(row)]
            if not cells:
                continue
            if len(table.rows) == limits.rows:
                raise Unreadable(f"This sheet has more than {limits.rows:,} rows, which is the most.", SPLIT)
            width = max(width, len(cells))
            _refuse_wide(width, limits)
            counted_cells += len(cells)
            characters += sum(len(text_of(cell)) for cell in cells)
            if counted_cells > limits.cells:
                raise Unreadable(f"This sheet has more than {limits.cells:,} cells, which is the most.", SPLIT)
            if characters > limits.text_characters:
                most = f"{limits.text_characters // 1024**2:,} million characters"
                raise Unreadable(f"The texts of this sheet have more than {most}.", SPLIT)
            table.rows.append((number, cells))
    if width > len(table.header):
        columns = f"{letters(len(table.header))}" + (
            f" to {letters(width - 1)}" if width > len(table.header) + 1 else ""
        )
        table.notes.append(f"Cells in {columns} have no name in the header: their rows are told as wrong.")


def _refuse_wide(width: int, limits: Limits) -> None:
    if width > limits.columns:
        raise Unreadable(
            f"This sheet has {width:,} columns; at most {limits.columns} are read.", "Take out what is not needed."
        )


def _trimmed(cells: Sequence[Cell]) -> list[Cell]:
    """Without the empty cells at its end; what is blank is empty."""
    kept = list(cells)
    while kept and is_empty(kept[-1]):
        kept.pop()
    return [None if is_empty(cell) else _kept(cell) for cell in kept]


def _kept(cell: Cell) -> Cell:
    """Without characters that no database keeps."""
    text = text_of(cell)
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        text = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
        return text if isinstance(cell, str) or cell is None else [cell[0], text]
    return cell


def _short(cell: Cell, limits: Limits) -> Cell:
    length = len(text_of(cell))
    return [Kind.LONG.value, f"{length:,}"] if length > limits.cell_characters else cell
