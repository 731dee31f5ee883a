"""What a table that goes out consists of, and how its texts are kept from acting as formulas."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kernel.errors import Invalid

Value = str | int | float | None
Rows = Iterable[Sequence[Value]]


class Kind(StrEnum):
    """What the values of a field are. TIME: milliseconds since 1970, UTC."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its name in the file and the kind of its values."""

    name: str
    kind: Kind = Kind.TEXT


class DoesNotFit(Invalid):
    """The format cannot hold this table whole; nothing is cut in silence."""

    code = "DOES_NOT_FIT"


def defused(text: str) -> str:
    """A text that a spreadsheet does not take for a formula: one that begins like it gets an apostrophe before it.

    A plain number stays as it is, also with a sign: it is read as the number that it is.
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
