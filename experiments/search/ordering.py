"""The order of results and their pages.

A result is sorted by the asked keys, then newest start first, then by id, so that the order is total. Each key has
ranks (numbers, then NaN, then missing: in both directions), and inside a rank a value. A page is read in stages: the
first rank of the first key, which an index gives in order (and the texts of a param), then everything else. A token
holds the stage and the values of the last row, and goes on strictly after them: no page overlaps another and none is
skipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from experiments.search.columns import Column, Dialect, Kind, Vocabulary
from experiments.search.compile import Compiler, best_ways
from experiments.search.databases import FALSE, TRUE, Sql, joined
from experiments.search.errors import NOWHERE, QueryError
from experiments.search.grammar import parse_field
from experiments.search.limits import MAX_ORDER_KEYS
from experiments.search.tokens import tokenize
from experiments.search.tree import Aggregate, Comparison, Entity, Field, Op
from kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One key to sort by."""

    field: Field
    descending: bool = False

    def __str__(self) -> str:
        return f"{self.field} {'DESC' if self.descending else 'ASC'}"


class Holds(StrEnum):
    """The type of a value in a page token."""

    INTEGER = "integer"
    FLOAT = "float"
    TEXT = "text"
    UID = "uid"


@dataclass(frozen=True, slots=True)
class Value:
    """What sorts within a rank; NULL in the other ranks."""

    sql: Sql
    holds: Holds
    descending: bool


@dataclass(frozen=True, slots=True)
class Rank:
    """The rows for which the condition is true, sorted by value if there is one. alone: the same value as an index has
    it, where no other rank stands beside this one."""

    condition: Sql
    value: Value | None = None
    alone: Value | None = None


@dataclass(frozen=True, slots=True)
class SortKey:
    """A key as SQL: its ranks in order, disjoint and covering every row; for a keyed value its table and the join.

    indexed: so many of the first ranks have their order in an index each.
    """

    ranks: tuple[Rank, ...]
    table: str = ""
    on: Sql = TRUE
    indexed: int = 1

    def rank_number(self, first: int = 0) -> Value | None:
        """The rank as a number, from the given rank on; None if there is only one."""
        if len(self.ranks) - first <= 1:
            return None
        cases = [
            Sql(f"WHEN {rank.condition.text} THEN {at}", rank.condition.params) for at, rank in enumerate(self.ranks)
        ]
        text = " ".join(case.text for case in cases[first:-1])
        params = tuple(param for case in cases[first:-1] for param in case.params)
        return Value(Sql(f"(CASE {text} ELSE {len(self.ranks) - 1} END)", params), Holds.INTEGER, False)

    def values(self, first: int = 0) -> list[Value]:
        """What sorts, rank number first."""
        ranked = self.rank_number(first)
        return ([ranked] if ranked else []) + [rank.value for rank in self.ranks[first:] if rank.value]


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the two parts that a result is read in."""

    condition: Sql
    values: tuple[Value, ...]
    has_first_key: bool = False

    def after(self, position: Sequence[object]) -> Sql:
        """The rows that come strictly after a position."""
        return _after(self.values, position)


def parse_order(text: str, dialect: Dialect, vocabulary: Vocabulary) -> OrderKey:
    """`key [ASC | DESC]`. Raises QueryError about order_by."""
    try:
        field, rest = parse_field(text, dialect, vocabulary)
        direction = rest[0] if rest else None
        if direction is not None and (len(rest) > 1 or not direction.is_word("ASC", "DESC")):
            wrong = rest[-1] if direction.is_word("ASC", "DESC") else direction
            raise QueryError(f"after the key comes ASC or DESC, not “{wrong.shown()}”.", wrong.span)
        if field.entity is Entity.DATASET or _holds_several(field, vocabulary):
            raise QueryError("results cannot be sorted by what they may have several of.", NOWHERE)
    except QueryError as error:
        raise error.in_field("order_by") from None
    return OrderKey(field, direction is not None and direction.is_word("DESC"))


def _holds_several(field: Field, vocabulary: Vocabulary) -> bool:
    column = vocabulary.columns.get(field.key) if field.entity is Entity.ATTRIBUTE else None
    return column is not None and column.kind is Kind.SET and column.sorted_by is None


def parse_orders(texts: Sequence[str], dialect: Dialect, vocabulary: Vocabulary) -> tuple[OrderKey, ...]:
    """All keys of an order; a key that stands there twice counts once."""
    if len(texts) > MAX_ORDER_KEYS:
        raise Invalid(f"At most {MAX_ORDER_KEYS} keys can be sorted by, not {len(texts)}.", field="order_by")
    keys: dict[Field, OrderKey] = {}
    for text in texts:
        key = parse_order(text, dialect, vocabulary)
        keys.setdefault(key.field, key)
    return tuple(keys.values())


def split_orders(text: str) -> list[str]:
    """Several keys in one text, with commas between them; a comma in quotes belongs to its key."""
    try:
        commas = [token.span.start for token in tokenize(text) if token.is_mark(",")]
    except QueryError as error:
        raise error.in_field("order_by") from None
    edges = zip([0, *(at + 1 for at in commas)], [*commas, len(text)], strict=True)
    return [key for start, end in edges if (key := text[start:end].strip())]


def sort_keys(
    orders: Sequence[OrderKey], compiler: Compiler, *, ties: Sequence[SortKey], numeric_params: bool
) -> list[SortKey]:
    """The keys as SQL, ties last. numeric_params: params that are numbers sort as numbers, before texts."""
    return [_sort_key(at, order, compiler, numeric_params) for at, order in enumerate(orders)] + list(ties)


def stages(keys: Sequence[SortKey]) -> list[Stage]:
    """The first ranks of the first key that an index gives in order, then all other ranks together."""
    first, others = keys[0], [value for key in keys[1:] for value in key.values()]
    found = []
    for rank in first.ranks[: first.indexed]:
        values = [rank.alone or rank.value] if rank.value else []
        found.append(Stage(rank.condition, (*values, *others), has_first_key=True))
    if len(first.ranks) > first.indexed:
        rest = joined("OR", [rank.condition for rank in first.ranks[first.indexed :]])
        found.append(Stage(rest, (*first.values(first.indexed), *others)))
    return found


def column_key(column: Column, *, descending: bool, collation: str) -> SortKey:
    """Sort by a named column; where it is missing comes last."""
    source, kind = column.sorted_by or (column.source, column.kind)
    if kind is Kind.IDENTIFIER:
        return SortKey((Rank(TRUE, Value(Sql(source), Holds.UID, descending)),))
    if kind in (Kind.NUMBER, Kind.TIME, Kind.DURATION):
        value = Value(Sql(source), Holds.INTEGER, descending)
    else:
        value = Value(Sql(source + collation), Holds.TEXT, descending)
    return SortKey((Rank(Sql(f"{source} IS NOT NULL"), value), Rank(Sql(f"{source} IS NULL"))))


def _sort_key(at: int, order: OrderKey, compiler: Compiler, numeric_params: bool) -> SortKey:
    entity = order.field.entity
    if entity is Entity.ATTRIBUTE:
        column = compiler.vocabulary.columns[order.field.key]
        if column.kind is Kind.FLAG:
            claim = compiler.claim(column)
            flag = Sql(f"(CASE WHEN {claim.text} THEN 1 ELSE 0 END)", claim.params)
            return SortKey((Rank(TRUE, Value(flag, Holds.INTEGER, order.descending)),))
        return column_key(column, descending=order.descending, collation=compiler.database.collation)
    alias, on = f"o{at}", _on(f"o{at}", order.field, compiler)
    if entity is Entity.METRIC:
        ranks = _metric_ranks(alias, order, compiler)
    elif entity is Entity.PARAM and numeric_params:
        ranks = _numbered_ranks(alias, order, compiler)
    else:
        ranks = _text_ranks(alias, order, compiler)
    numbers_and_texts = 2 if entity is Entity.PARAM and numeric_params else 1
    return SortKey(ranks, f"{compiler.tables[entity].name} {alias}", on, numbers_and_texts)


def _on(alias: str, field: Field, compiler: Compiler) -> Sql:
    """The row of this key. Naming the single experiment lets its index (experiment, key, value) give the order."""
    table = compiler.tables[field.entity]
    text = f"{alias}.{table.owner} = {compiler.alias}.id AND {alias}.key = %s"
    params: tuple[object, ...] = (field.key,)
    if field.entity is Entity.METRIC:
        text += f" AND {alias}.context = ''"
    if table.scoped and len(compiler.scope.within) == 1:
        text, params = f"{text} AND {alias}.experiment_id = %s", (*params, compiler.scope.within[0])
    return Sql(text, params)


def _metric_ranks(alias: str, order: OrderKey, compiler: Compiler) -> tuple[Rank, ...]:
    value = _metric_value(alias, order.field, compiler)
    return (
        Rank(Sql(f"{value.text} IS NOT NULL", value.params), Value(value, Holds.FLOAT, order.descending)),
        Rank(Sql(f"{alias}.id IS NOT NULL AND {value.text} IS NULL", value.params)),
        Rank(Sql(f"{alias}.id IS NULL")),
    )


def _metric_value(alias: str, field: Field, compiler: Compiler) -> Sql:
    if field.aggregate is not Aggregate.BEST:
        return Sql(f"{alias}.{field.aggregate.value}_value")
    ways = best_ways(Comparison(field, Op.EQ, 0), compiler.directions)
    if len(ways) == 1 and compiler.scope.projects == ways[0][1]:
        return Sql(f"{alias}.{ways[0][0]}")
    text, params = "", tuple[object, ...]()
    for column, projects in ways:
        marks = ", ".join(["%s"] * len(projects))
        text += f" WHEN {compiler.alias}.project_id IN ({marks}) THEN {alias}.{column}"
        params = (*params, *(compiler.database.uid(project) for project in projects))
    return Sql(f"(CASE{text} END)", params)


def _text_ranks(alias: str, order: OrderKey, compiler: Compiler) -> tuple[Rank, ...]:
    """By the beginning of the text, code point by code point."""
    text = Value(_beginning(alias, compiler), Holds.TEXT, order.descending)
    return Rank(Sql(f"{alias}.id IS NOT NULL"), text), Rank(Sql(f"{alias}.id IS NULL"))


def _numbered_ranks(alias: str, order: OrderKey, compiler: Compiler) -> tuple[Rank, ...]:
    """Numbers as numbers, then other texts."""
    number = Value(Sql(f"{alias}.number"), Holds.FLOAT, order.descending)
    beginning = _beginning(alias, compiler)
    text = Value(Sql(f"(CASE WHEN {alias}.number IS NULL THEN {beginning.text} END)"), Holds.TEXT, order.descending)
    alone = Value(beginning, Holds.TEXT, order.descending)
    return (
        Rank(Sql(f"{alias}.number IS NOT NULL"), number),
        Rank(Sql(f"{alias}.id IS NOT NULL AND {alias}.number IS NULL"), text, alone),
        Rank(Sql(f"{alias}.id IS NULL")),
    )


def _beginning(alias: str, compiler: Compiler) -> Sql:
    return Sql(compiler.database.head(f"{alias}.value") + compiler.database.collation)


def _after(values: Sequence[Value], position: Sequence[object]) -> Sql:
    if not values:
        return FALSE
    value, last = values[0], position[0]
    rest = _after(values[1:], position[1:])
    if last is None:  # of one rank with the last row, where this value is NULL for all
        return rest
    text, params, beyond = value.sql.text, value.sql.params, "<" if value.descending else ">"
    tied = joined("AND", [Sql(f"{text} = %s", (*params, last)), rest])
    strictly = joined("OR", [Sql(f"{text} {beyond} %s", (*params, last)), tied])
    return joined("AND", [Sql(f"{text} {beyond}= %s", (*params, last)), strictly])
