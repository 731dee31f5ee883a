"""Chips above the query line: what it says, piece by piece. Each opens its form, and can be taken out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from experiments.pages.asked import Asked
from experiments.pages.query_form import Section, line_of, section_of, words_for
from experiments.search.columns import Kind
from experiments.search.facets import Bound, Choice, Facet, Line, Mode, Named, Range, Single
from experiments.search.tree import Ago, Comparison, Entity, Op
from experiments.search.vocabularies import RUNS

LONGEST = 60
_OPS = {
    Op.EQ: "is",
    Op.NE: "is not",
    Op.LT: "<",
    Op.LE: "≤",
    Op.GT: ">",
    Op.GE: "≥",
    Op.IN: "any of",
    Op.NOT_IN: "none of",
    Op.IS_NULL: "is missing",
    Op.IS_NOT_NULL: "is there",
}
_MODES = {
    (Mode.ANY, False): "is",
    (Mode.ANY, True): "any of",
    (Mode.ALL, True): "all of",
    (Mode.NONE, False): "is not",
    (Mode.NONE, True): "none of",
}
_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}


@dataclass(frozen=True, slots=True)
class Chip:
    """One piece of the line. text: as it stands there; url: the page without it; section: the form that changes it."""

    field: str
    op: str
    value: str
    text: str
    url: str
    at: int
    section: Section


def chips_of(asked: Asked, line: Line | None) -> list[Chip]:
    """The pieces of a line; none for one that is not understood."""
    chips = []
    for at, piece in enumerate(line.pieces if line else ()):
        text = line.text_of(piece) if line else ""
        without = replace(asked, query=line.replaced(piece, []) if line else "", good="", after="")
        field, op, value = _words(piece.facet, text)
        section = section_of(piece.facet, text, "one")
        chips.append(Chip(field, op, _short(value), text, without.url(without.all_kept()), at, section))
    return chips


def _words(facet: Facet | None, text: str) -> tuple[str, str, str]:
    """(what, how, against what) of a chip."""
    match facet:
        case Named(words):
            return "Name", "has", " ".join(words)
        case Choice(on, values, mode):
            return words_for(on), _MODES[mode, len(values) > 1], ", ".join(values)
        case Range(on, low, high):
            is_time = on.entity is Entity.ATTRIBUTE and RUNS.columns[on.key].kind is Kind.TIME
            since = _since(low) if is_time and low and not high else None
            how, what = since or _between(low, high)
            return words_for(on), how, what
        case Single(Comparison(on, op, value) as condition):
            said = "" if value is None else str(condition).removeprefix(f"{on} {op.value} ").strip("'()")
            return words_for(on), "" if value is True else _OPS.get(op, op.value), "" if value is True else said
    return "Advanced", "", text


def _between(low: Bound | None, high: Bound | None) -> tuple[str, str]:
    if low and high:
        if (low.op, high.op) == (Op.GE, Op.LE):
            return "from", f"{_value(low)} to {_value(high)}"
        return "", f"{_OPS[low.op]} {_value(low)}, {_OPS[high.op]} {_value(high)}"
    end = low or high
    if end is None:
        return "", ""
    return _OPS[end.op], _value(end)


def _since(low: Bound) -> tuple[str, str] | None:
    if not isinstance(low.value, Ago) or low.op is not Op.GT:
        return None
    number, unit = low.value.amount, _UNITS[low.value.unit]
    return "", f"last {unit}" if number == 1 else f"last {number} {unit}s"


def _value(bound: Bound) -> str:
    return str(bound.value).strip("'")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def narrowed(text: str, conditions: Sequence[str]) -> str:
    """A query and further conditions, as one query."""
    if not text.strip():
        return " AND ".join(conditions)
    line = line_of(text)
    return " AND ".join([text, *conditions]) if line is None else line.added(conditions)
