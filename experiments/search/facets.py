"""A filter as the conditions that a form knows: each is read from the parts of the filter and written back alone.

What no facet expresses (OR, most of NOT, brackets) stays as it is written: changing one facet never touches another
part of the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from experiments.search.columns import Dialect, Kind, Vocabulary
from experiments.search.grammar import Part, parts
from experiments.search.tree import (
    Ago,
    Comparison,
    Day,
    Entity,
    Field,
    Instant,
    Node,
    Not,
    Op,
    Or,
    Words,
)

LOWER, UPPER = (Op.GE, Op.GT), (Op.LE, Op.LT)


class Mode(StrEnum):
    """How several values of one field are meant."""

    ANY = "any"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Choice:
    """A field against one or more texts. ALL only for fields that hold several."""

    field: Field
    values: tuple[str, ...]
    mode: Mode = Mode.ANY

    def nodes(self) -> list[Node]:
        if self.mode is Mode.ALL:
            return [Comparison(self.field, Op.EQ, value) for value in self.values]
        one, several = (Op.NE, Op.NOT_IN) if self.mode is Mode.NONE else (Op.EQ, Op.IN)
        if len(self.values) == 1:
            return [Comparison(self.field, one, self.values[0])]
        return [Comparison(self.field, several, self.values)]


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range: what a value is compared with, and how."""

    op: Op
    value: int | float | Day | Instant | Ago


@dataclass(frozen=True, slots=True)
class Range:
    """A field between two ends, of which one may be open."""

    field: Field
    low: Bound | None = None
    high: Bound | None = None

    def nodes(self) -> list[Node]:
        return [Comparison(self.field, bound.op, bound.value) for bound in (self.low, self.high) if bound]


@dataclass(frozen=True, slots=True)
class Named:
    """Words that the name holds, all of them."""

    words: tuple[str, ...]

    def nodes(self) -> list[Node]:
        return [Words(self.words)]


@dataclass(frozen=True, slots=True)
class Single:
    """Any other single condition."""

    condition: Comparison

    def nodes(self) -> list[Node]:
        return [self.condition]


Facet: TypeAlias = Choice | Range | Named | Single


@dataclass(frozen=True, slots=True)
class Piece:
    """A facet and which parts of the filter say it; without a facet, what only the line itself can say."""

    facet: Facet | None
    ats: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A filter as its parts, and what forms make of them: facets in order, what is left as one piece at the end."""

    parts: tuple[Part, ...]
    pieces: tuple[Piece, ...]

    @property
    def facets(self) -> list[Facet]:
        return [piece.facet for piece in self.pieces if piece.facet]

    def text_of(self, piece: Piece) -> str:
        """The piece as it stands in the filter."""
        return " AND ".join(self.parts[at].text for at in piece.ats)

    def replaced(self, piece: Piece, written: Sequence[str]) -> str:
        """The filter with other conditions in the place of a piece; none of them takes it out."""
        texts: list[tuple[str, bool]] = []
        for at, part in enumerate(self.parts):
            if at == piece.ats[0]:
                texts += [(text, False) for text in written]
            elif at not in piece.ats:
                texts.append((part.text, part.is_loose))
        return _joined(texts)

    def added(self, written: Sequence[str]) -> str:
        """The filter with further conditions at its end."""
        return _joined([*((part.text, part.is_loose) for part in self.parts), *((text, False) for text in written)])


def read(text: str, vocabulary: Vocabulary) -> Line:
    """The facets of a filter. Raises QueryError."""
    found = parts(text, Dialect.FULL, vocabulary)
    pieces: list[Piece] = []
    left: list[int] = []
    for at, part in enumerate(found):
        facet = _facet(part.node, vocabulary)
        if facet is None:
            left.append(at)
        else:
            _take_up(pieces, Piece(facet, (at,)), vocabulary)
    if left:
        pieces.append(Piece(None, tuple(left)))
    return Line(tuple(found), tuple(pieces))


def written(facet: Facet) -> list[str]:
    """A facet as conditions, which AND joins."""
    return [f"({node})" if isinstance(node, Or) else str(node) for node in facet.nodes()]


def holds_several(field: Field, vocabulary: Vocabulary) -> bool:
    """Whether a run may have several values of the field, so that all of some can be asked for."""
    if field.entity is Entity.ATTRIBUTE:
        return vocabulary.columns[field.key].kind is Kind.SET
    return field.entity is Entity.DATASET


def _joined(texts: Sequence[tuple[str, bool]]) -> str:
    alone = len(texts) == 1
    return " AND ".join(f"({text})" if is_loose and not alone else text for text, is_loose in texts)


def _facet(node: Node, vocabulary: Vocabulary) -> Facet | None:
    match node:
        case Words(words):
            return Named(words)
        case Comparison():
            return _of_comparison(node, vocabulary)
        case Not(Comparison() as inner) if _is_complement(inner, vocabulary):
            found = _of_comparison(inner, vocabulary)
            return replace(found, mode=Mode.NONE) if isinstance(found, Choice) and found.mode is Mode.ANY else None
    return None


def _is_complement(node: Comparison, vocabulary: Vocabulary) -> bool:
    """Whether its NOT is the same as != or NOT IN: for what holds several, and what every run has."""
    kind = vocabulary.columns[node.field.key].kind if node.field.entity is Entity.ATTRIBUTE else None
    return kind in (Kind.SET, Kind.CHOICE)


def _of_comparison(node: Comparison, vocabulary: Vocabulary) -> Facet:
    field, op, value = node.field, node.op, node.value
    if op in (Op.EQ, Op.NE) and isinstance(value, str):
        return Choice(field, (_worded(field, value, vocabulary),), Mode.ANY if op is Op.EQ else Mode.NONE)
    if op in (Op.IN, Op.NOT_IN) and isinstance(value, tuple) and isinstance(value[0], str):
        texts = tuple(dict.fromkeys(_worded(field, str(text), vocabulary) for text in value))
        return Choice(field, texts, Mode.ANY if op is Op.IN else Mode.NONE)
    if op in (*LOWER, *UPPER) and isinstance(value, int | float | Day | Instant | Ago):
        bound = Bound(op, value)
        return Range(field, low=bound) if op in LOWER else Range(field, high=bound)
    return Single(node)


def _worded(field: Field, value: str, vocabulary: Vocabulary) -> str:
    """A choice as people say it, where the tree has what is stored."""
    column = vocabulary.columns.get(field.key) if field.entity is Entity.ATTRIBUTE else None
    return column.words.get(value, value) if column else value


def _take_up(pieces: list[Piece], new: Piece, vocabulary: Vocabulary) -> None:
    """Put a piece at the end, or join it to the one that it completes: the other end of a range, a further tag."""
    for at, piece in enumerate(pieces):
        together = _together(piece.facet, new.facet, vocabulary)
        if together is not None:
            pieces[at] = Piece(together, (*piece.ats, *new.ats))
            return
    pieces.append(new)


def _together(one: Facet | None, other: Facet | None, vocabulary: Vocabulary) -> Facet | None:
    match one, other:
        case Range(field, low, None), Range(other_field, None, high) if low and high and field == other_field:
            return Range(field, low, high)
        case Range(field, None, high), Range(other_field, low, None) if low and high and field == other_field:
            return Range(field, low, high)
        case Choice(), Choice() if one.field == other.field and holds_several(one.field, vocabulary):
            return _all_of(one, other)
    return None


def _all_of(one: Choice, other: Choice) -> Choice | None:
    each = len(other.values) == 1 and other.mode is Mode.ANY
    begun = one.mode is Mode.ALL or (one.mode is Mode.ANY and len(one.values) == 1)
    if not (each and begun) or other.values[0] in one.values:
        return None
    return replace(one, values=(*one.values, *other.values), mode=Mode.ALL)
