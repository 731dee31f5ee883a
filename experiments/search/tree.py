"""The tree that a filter becomes, and how it is written back as text."""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from experiments.search.errors import NOWHERE, Span


class Entity(StrEnum):
    """What a condition looks at; the value is the word that filters are written back with."""

    METRIC = "metrics"
    PARAM = "params"
    TAG = "tags"
    ATTRIBUTE = "attributes"
    DATASET = "dataset"


class Op(StrEnum):
    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    LIKE = "LIKE"
    ILIKE = "ILIKE"
    IN = "IN"
    NOT_IN = "NOT IN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"


class Aggregate(StrEnum):
    """Which of a metric's values counts. Without one it is the last."""

    LAST = "last"
    FIRST = "first"
    MIN = "min"
    MAX = "max"
    BEST = "best"


@dataclass(frozen=True, slots=True)
class Day:
    """A whole day in UTC: `> day` is after its end, `>= day` from its start, `= day` within it."""

    date: dt.date

    def __str__(self) -> str:
        return f"'{self.date.isoformat()}'"


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time, in milliseconds since 1970 in UTC."""

    ms: int

    def __str__(self) -> str:
        moment = dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=self.ms)
        return f"'{moment.isoformat(timespec='milliseconds')}Z'"


@dataclass(frozen=True, slots=True)
class Ago:
    """So long before now; as a duration, so long."""

    amount: int
    unit: str  # s m h d w

    def __str__(self) -> str:
        return f"'{self.amount}{self.unit}'"


Scalar: TypeAlias = str | int | float | bool | Day | Instant | Ago
Value: TypeAlias = Scalar | tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class Field:
    """The left side of a condition. key: of a metric, param or tag, or the name of an attribute as registered."""

    entity: Entity
    key: str
    aggregate: Aggregate = Aggregate.LAST

    def __str__(self) -> str:
        if self.entity is Entity.ATTRIBUTE:
            return self.key if _is_plain(self.key) else f"attributes.{_quoted(self.key)}"
        name = f"{self.entity.value}.{self.key if _is_plain(self.key) else _quoted(self.key)}"
        return name if self.aggregate is Aggregate.LAST else f"{self.aggregate.value}({name})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition. value is None for IS NULL and IS NOT NULL, a tuple for IN and NOT IN."""

    field: Field
    op: Op
    value: Value
    span: Span = dataclasses.field(default=NOWHERE, compare=False)

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.field} {self.op.value}"
        return f"{self.field} {self.op.value} {_written(self.value)}"


@dataclass(frozen=True, slots=True)
class Words:
    """Words that the name must contain, all of them, whatever the case."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(written_text(word) for word in self.words)


@dataclass(frozen=True, slots=True)
class And:
    """All of them; of none, everything."""

    terms: tuple["Node", ...]

    def __str__(self) -> str:
        return " AND ".join(_inside(term) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of two or more."""

    terms: tuple["Node", ...]

    def __str__(self) -> str:
        return " OR ".join(_inside(term) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Not:
    """Exactly the others: a run without the key does not satisfy `metrics.x > 1`, so it satisfies its NOT."""

    term: "Node"

    def __str__(self) -> str:
        return f"NOT {_inside(self.term)}"


Node: TypeAlias = Comparison | Words | And | Or | Not

EVERYTHING = And(())


def all_of(terms: list[Node]) -> Node:
    """The terms joined by AND, nested ANDs flattened."""
    flat = [inner for term in terms for inner in (term.terms if isinstance(term, And) else (term,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(terms: list[Node]) -> Node:
    """The terms (one at least) joined by OR, nested ORs flattened."""
    flat = [inner for term in terms for inner in (term.terms if isinstance(term, Or) else (term,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def comparisons(node: Node) -> Iterator[Comparison]:
    """Every condition in the tree, left to right."""
    match node:
        case Comparison():
            yield node
        case And(terms) | Or(terms):
            for term in terms:
                yield from comparisons(term)
        case Not(term):
            yield from comparisons(term)


def _inside(node: Node) -> str:
    return f"({node})" if isinstance(node, And | Or) else str(node)


def _is_plain(key: str) -> bool:
    return all(part.replace("_", "a").isalnum() and part.isascii() for part in key.split("."))


def _quoted(key: str) -> str:
    return "`" + key.replace("`", "``") + "`"


def written_text(text: str) -> str:
    """A text as a filter quotes it."""
    return "'" + text.replace("'", "''") + "'"


def _written(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return written_text(value)
        case tuple():
            return "(" + ", ".join(_written(item) for item in value) + ")"
        case float():
            return _number(value)
        case _:
            return str(value)


def _number(value: float) -> str:
    if value in (float("inf"), float("-inf")):
        return "1e999" if value > 0 else "-1e999"
    return repr(value)
