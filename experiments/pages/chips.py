"""Chips above the query line: its conditions one by one, and a form that writes further ones into it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.http import QueryDict

from experiments.pages.asked import Asked
from experiments.search.columns import Dialect
from experiments.search.errors import QueryError
from experiments.search.grammar import parse
from experiments.search.tree import EVERYTHING, Aggregate, And, Comparison, Entity, Field, Node, Op, Or, all_of
from experiments.search.vocabularies import RUNS

OPS = {
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
SINCE = {"1d": "the last day", "7d": "the last 7 days", "30d": "the last 30 days"}
STATUSES = {"running": "Running", "finished": "Finished", "failed": "Failed", "stopped": "Stopped"}
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition. url: the table without it; text: as it stands in the query."""

    field: str
    op: str
    value: str
    text: str
    url: str


def chips_of(asked: Asked) -> list[Chip]:
    """The conditions that all have to hold; none for a query that is not understood."""
    try:
        node = parse(asked.query, Dialect.FULL, RUNS)
    except QueryError:
        return []
    terms = node.terms if isinstance(node, And) else (node,)
    return [_chip(asked, term, [one for one in terms if one is not term]) for term in terms if node != EVERYTHING]


def _chip(asked: Asked, term: Node, others: Sequence[Node]) -> Chip:
    without = replace(asked, query=_written(others), good="")
    field, op, value = "", "", str(term)
    if isinstance(term, Comparison):
        field, op = str(term.field).replace("`", ""), OPS.get(term.op, term.op.value)
        value = "" if term.value is None else str(term).removeprefix(f"{term.field} {term.op.value} ").strip("'()")
    return Chip(field, op, value[:LONGEST], str(term), without.url(without.all_kept()))


def _written(terms: Sequence[Node]) -> str:
    return str(all_of(list(terms))) if terms else ""


def narrowed(text: str, conditions: Sequence[str]) -> str:
    """A query and further conditions, as one query."""
    if not text.strip():
        return " AND ".join(conditions)
    try:
        joins = isinstance(parse(text, Dialect.FULL, RUNS), Or)
    except QueryError:
        joins = False
    return " AND ".join([f"({text})" if joins else text, *conditions])


def with_added(asked: Asked, params: QueryDict, email: str) -> str:
    """The address of the table with what the form chose written into the query; a bad number is shown there."""
    more = replace(asked, query=narrowed(asked.query, added(params, email)), good=asked.query)
    return more.url(more.all_kept())


def added(params: QueryDict, email: str) -> list[str]:
    """The conditions of the form, as in a query."""
    found: list[str] = []
    if params.get("add_status") in STATUSES:
        found.append(f"status = '{params['add_status']}'")
    if params.get("add_mine") == "1" and email:
        found.append(str(Comparison(Field(Entity.ATTRIBUTE, "user"), Op.EQ, email)))
    if params.get("add_since") in SINCE:
        found.append(f"created > '{params['add_since']}'")
    metric, figure = params.get("add_metric", ""), params.get("add_figure", "last")
    if metric and figure in list(Aggregate):
        name = Field(Entity.METRIC, metric, Aggregate(figure))
        for sign, bound in ((">=", params.get("add_low", "")), ("<=", params.get("add_high", ""))):
            found += [f"{name} {sign} {bound.strip()}"] if bound.strip() else []
    key, value = params.get("add_tag", ""), params.get("add_value", "").strip()
    if key:
        tag = Field(Entity.TAG, key)
        found.append(str(Comparison(tag, Op.EQ, value) if value else Comparison(tag, Op.IS_NOT_NULL, None)))
    return found
