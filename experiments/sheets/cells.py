"""What a cell holds. A text is itself, an empty cell is None, everything else is a pair of a kind and a text."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

Cell = str | None | Sequence[str]
"""As the reading process tells it, and as rows are kept."""


class Kind(StrEnum):
    """What a cell of a workbook holds beside a text."""

    NUMBER = "n"
    PERCENT = "%"
    DATE = "d"
    TIME = "t"  # of a day, or a length of time
    TRUTH = "b"
    ERROR = "e"
    FORMULA = "f"  # without a computed value
    LONG = "l"  # too long to be read; the text says how long it is


UNREAD: Final = frozenset({Kind.ERROR, Kind.FORMULA, Kind.LONG})
NUMBERS: Final = frozenset({Kind.NUMBER, Kind.PERCENT})


def kind_of(cell: Cell) -> Kind | None:
    """The kind of a cell of a workbook; None for a text and for an empty one."""
    return Kind(cell[0]) if cell is not None and not isinstance(cell, str) else None


def text_of(cell: Cell) -> str:
    """The cell as a text, '' where it is empty."""
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else cell[1]


def is_empty(cell: Cell) -> bool:
    """Whether nothing stands in it."""
    return not text_of(cell).strip()
