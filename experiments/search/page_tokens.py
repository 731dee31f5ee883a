"""What a page token holds of the last row of a page, and how it is read again."""

import math
import re
from collections.abc import Sequence
from typing import Any, Final

from experiments.search.databases import Database
from experiments.search.ordering import Holds, Stage, Value
from kernel.errors import Invalid

_INT64: Final = 2**63
_HEX: Final = re.compile(r"[0-9a-f]{32}")


def position_of(values: Sequence[Value], row: Sequence[Any], stage: int) -> list[Any]:
    """What a token holds of the last row: JSON values, floats as text so that infinities and every bit survive."""
    return [stage, *(_kept(value, item) for value, item in zip(values, row, strict=True))]


def _kept(value: Value, item: Any) -> Any:
    if item is None:
        return None
    if value.holds is Holds.FLOAT:
        return repr(float(item))
    return item.hex if value.holds is Holds.UID and not isinstance(item, str) else item


def read_position(position: Sequence[Any], found: Sequence[Stage], database: Database) -> tuple[int, list[object]]:
    """(stage, values) of a decoded token. Raises Invalid if it was not made here."""
    stage = position[0] if position else None
    if type(stage) is not int or not 0 <= stage < len(found) or len(position) - 1 != len(found[stage].values):
        raise foreign_token()
    values = found[stage].values
    return stage, [_restored(value, item, database) for value, item in zip(values, position[1:], strict=True)]


def _restored(value: Value, item: Any, database: Database) -> object:
    if item is None and value.holds is not Holds.UID:
        return None
    match value.holds:
        case Holds.INTEGER if type(item) is int and -_INT64 <= item < _INT64:
            return item
        case Holds.TEXT if isinstance(item, str) and "\0" not in item:
            return item
        case Holds.UID if isinstance(item, str) and _HEX.fullmatch(item):
            return database.uid_of(item)
        case Holds.FLOAT if isinstance(item, str) and len(item) < 30:
            return _float(item)
    raise foreign_token()


def _float(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise foreign_token() from None
    if math.isnan(number):
        raise foreign_token()
    return number


def foreign_token() -> Invalid:
    """A token that is whole and yet of no page of ours."""
    return Invalid(
        "The page token is not one that this server gave out.",
        hint="Start again without a page token.",
        field="page_token",
    )
