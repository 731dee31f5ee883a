"""Rows in a total order, cut into pages: a token holds the sort values of the last row and goes on strictly after."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet

from kernel.errors import Invalid
from kernel.paging import decode_token, encode_token
from registry.search.comparing import INT64


@dataclass(frozen=True, slots=True)
class Key:
    """An annotation to sort by; where it is missing comes last. holds: the type of its values."""

    name: str
    expression: Any
    descending: bool
    holds: type


def page_of(
    rows: "QuerySet[Any]", keys: Sequence[Key], *, question: str, limit: int, after: str | None
) -> tuple[list[Any], str]:
    """So many rows in the order of the keys, and a token exactly where more follow. The last key is unique.

    question: what tells this list from another. Raises Invalid for a token of another question, or none of ours.
    """
    rows = rows.annotate(**{key.name: key.expression for key in keys})
    ways = [F(key.name).desc(nulls_last=True) if key.descending else F(key.name).asc(nulls_last=True) for key in keys]
    rows = rows.order_by(*ways)
    position = decode_token(question, after)
    if position is not None:
        rows = rows.filter(_behind(keys, _restored(keys, position)))
    found = list(rows[: limit + 1])
    if len(found) <= limit:
        return found, ""
    return found[:limit], encode_token(question, [_kept(getattr(found[limit - 1], key.name)) for key in keys])


def _behind(keys: Sequence[Key], position: Sequence[Any]) -> Q:
    """The rows strictly after a position; missing values come last."""
    key, last, *rest_of_position = keys[0], position[0], *position[1:]
    rest = _behind(keys[1:], rest_of_position) if len(keys) > 1 else Q(pk__in=[])
    if last is None:
        return Q(**{f"{key.name}__isnull": True}) & rest
    beyond = Q(**{f"{key.name}__{'lt' if key.descending else 'gt'}": last}) | Q(**{f"{key.name}__isnull": True})
    return beyond | (Q(**{key.name: last}) & rest)


def _kept(value: Any) -> Any:
    """A value as a token holds it: floats as text, so that infinities and every bit survive."""
    return repr(value) if isinstance(value, float) else value


def _restored(keys: Sequence[Key], position: Sequence[Any]) -> list[Any]:
    if len(position) != len(keys):
        raise _foreign_token()
    return [_restored_value(key, value) for key, value in zip(keys, position, strict=True)]


def _restored_value(key: Key, value: Any) -> Any:
    if value is None:
        return None
    if key.holds is float and isinstance(value, str) and len(value) < 30:
        try:
            number = float(value)
        except ValueError:
            raise _foreign_token() from None
        if not math.isnan(number):
            return number
    if key.holds is int and type(value) is int and -INT64 <= value < INT64:
        return value
    if key.holds is str and isinstance(value, str) and "\x00" not in value:
        return value
    raise _foreign_token()


def _foreign_token() -> Invalid:
    return Invalid(
        "The page token is not one that this server gave out.",
        hint="Start again without a page token.",
        field="page_token",
    )
