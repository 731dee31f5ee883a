"""Our filters for MLflow's clients: in MLflow's own words where it has them, else marked as ours.

A filter that begins with `mled:` is one of ours, together with the order that comes with it. No filter of MLflow's
begins so: what MLflow's clients ask without it keeps MLflow's meaning, also where that is a refusal.
"""

import datetime as dt
from collections.abc import Sequence

from experiments.search.columns import Dialect, Vocabulary
from experiments.search.compile import DAY_MS
from experiments.search.errors import QueryError
from experiments.search.grammar import parse
from experiments.search.ordering import parse_order
from experiments.search.tree import (
    Aggregate,
    And,
    Comparison,
    Day,
    Entity,
    Field,
    Instant,
    Node,
    Op,
    Words,
    all_of,
)

MARK = "mled:"


def asked_by_client(text: str) -> tuple[str, Dialect]:
    """A client's filter and which language it is in. The mark becomes blanks, so that errors name the right column."""
    begun = text.lstrip()
    if begun[: len(MARK)].lower() != MARK:
        return text, Dialect.MLFLOW
    return " " * (len(text) - len(begun) + len(MARK)) + begun[len(MARK) :], Dialect.FULL


def for_client(text: str, order: Sequence[str], vocabulary: Vocabulary) -> tuple[str, list[str]]:
    """A filter and an order as MLflow's clients send them, for the same runs in the same order. Raises QueryError."""
    node = parse(text, Dialect.FULL, vocabulary)
    plain = _plain_filter(node, vocabulary)
    orders = _plain_orders(order, vocabulary)
    if plain is None or orders is None:
        return f"{MARK} {text.strip()}".strip(), list(order)
    return plain, orders


def _plain_filter(node: Node, vocabulary: Vocabulary) -> str | None:
    """The filter in MLflow's language; None if it cannot say that."""
    terms = node.terms if isinstance(node, And) else (node,)
    said: list[Node] = []
    for term in terms:
        translated = _translated(term)
        if translated is None:
            return None
        said += translated
    if not said:
        return ""
    text = str(all_of(said))
    try:
        return text if parse(text, Dialect.MLFLOW, vocabulary) == all_of(said) else None
    except QueryError:
        return None


def _translated(term: Node) -> list[Node] | None:
    match term:
        case Words(words) if not any(sign in word for word in words for sign in "%_"):
            name = Field(Entity.ATTRIBUTE, "run_name")
            return [Comparison(name, Op.ILIKE, f"%{word}%") for word in words]
        case Comparison(field, op, Instant(ms)):
            return [Comparison(field, op, ms)]
        case Comparison(field, op, Day(date)):
            return _of_day(field, op, (date - dt.date(1970, 1, 1)).days * DAY_MS)
        case Comparison():
            return [term]
    return None


def _of_day(field: Field, op: Op, start: int) -> list[Node] | None:
    """A whole day as moments. Beyond 2**53 nothing comes here: a year has four digits."""
    end = start + DAY_MS
    said = {
        Op.EQ: [(Op.GE, start), (Op.LT, end)],
        Op.GT: [(Op.GE, end)],
        Op.GE: [(Op.GE, start)],
        Op.LT: [(Op.LT, start)],
        Op.LE: [(Op.LT, end)],
    }.get(op)
    return [Comparison(field, one, ms) for one, ms in said] if said else None


def _plain_orders(order: Sequence[str], vocabulary: Vocabulary) -> list[str] | None:
    """The order in MLflow's language; None if it cannot say that, or means something else by it."""
    said: list[str] = []
    for text in order:
        key = parse_order(text, Dialect.FULL, vocabulary)
        if key.field.entity is Entity.PARAM or key.field.aggregate is not Aggregate.LAST:
            return None  # MLflow sorts params as texts, and knows one value of a metric
        try:
            if parse_order(str(key), Dialect.MLFLOW, vocabulary) != key:
                return None
        except QueryError:
            return None
        said.append(str(key))
    return said
