"""How a reader says no, and what it gives."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from experiments.sheets.cells import Cell


class Unreadable(ValueError):
    """The file cannot be read. Its text is a sentence for people; hint: what to do; worksheets: of the workbook, where
    another of its sheets may be chosen."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.worksheets: Sequence[str] = ()


@dataclass(slots=True)
class Table:
    """A sheet: its header and rows with their numbers as people see them. notes: what should be known of it."""

    form: str
    worksheets: Sequence[str] = ()
    worksheet: str = ""
    header: Sequence[str] = ()
    header_row: int = 1
    rows: list[tuple[int, list[Cell]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)


def counted(number: int, word: str) -> str:
    """As in '1 row', '2 rows'."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def letters(column: int) -> str:
    """What a spreadsheet calls a column: 0 is A, 26 is AA."""
    name, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
