"""Comparisons of a filter as conditions of the ORM, the same on both databases."""

import re
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Collate, Replace

from experiments.search.tree import Comparison, Op

_LOOKUPS: Final = {Op.EQ: "exact", Op.LT: "lt", Op.LE: "lte", Op.GT: "gt", Op.GE: "gte"}
INT64: Final = 2**63


def keyed(rows: "QuerySet[Any]", term: Comparison) -> Q:
    """A condition on the value of one key. rows: keys and values of the row that is looked at (by OuterRef)."""
    rows = rows.filter(key=term.field.key)
    if term.op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return Q(Exists(rows)) if term.op is Op.IS_NOT_NULL else ~Q(Exists(rows))
    return Q(Exists(rows.filter(text("value", term.op, term.value))))


def number(source: str, term: Comparison) -> Q:
    """A number column, where NULL stands for NaN and satisfies != alone."""
    value: Any = term.value
    if isinstance(value, int) and not -INT64 <= value < INT64:
        value = float(value)
    if term.op is Op.NE:
        return Q(**{f"{source}__isnull": True}) | ~Q(**{source: value})
    return Q(**{f"{source}__{_LOOKUPS[term.op]}": value})


def text(source: str, op: Op, value: Any) -> Q:
    """A text column; LIKE knows upper from lower case, ILIKE does not."""
    match op:
        case Op.EQ:
            return Q(**{source: value})
        case Op.NE:
            return ~Q(**{source: value})
        case Op.IN:
            return Q(**{f"{source}__in": list(value)})
        case Op.NOT_IN:
            return ~Q(**{f"{source}__in": list(value)})
        case Op.LIKE:
            return Q(**{f"{source}__regex": _regex(value)})
        case _:
            return Q(**{f"{source}__iregex": _regex(value)})


def _regex(pattern: str) -> str:
    """A LIKE pattern as a regular expression; SQLite's own LIKE forgets case.

    SQLite asks Python, which tries every way to share a text out among several wildcards: for ever, where none fits.
    There each part between two of them is taken where it stands first, for good, which finds the same.
    """
    in_python = connection.vendor == "sqlite"
    sign, taken = ("(?s:.)", "(?>{}*?{})") if in_python else ("(?:.|\n)", "{}*{}")
    parts = ["".join(sign if one == "_" else re.escape(one) for one in part) for part in pattern.split("%")]
    if len(parts) == 1:
        return rf"\A{parts[0]}\Z"
    first, *between, last = parts
    return rf"\A{first}{''.join(taken.format(sign, part) for part in between)}{sign}*{last}\Z"


def by_bytes(source: str) -> Collate:
    """A text column as it sorts: by code point on both databases."""
    return Collate(source, "BINARY" if connection.vendor == "sqlite" else "C")


def uid_hex(source: str) -> Replace:
    """A UUID column as 32 hex digits."""
    return Replace(Cast(source, TextField()), Value("-"), Value(""), output_field=TextField())
