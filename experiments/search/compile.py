"""Tree -> SQL. Every condition is a claim that is either true or false (never NULL), so that NOT is its complement.

A condition on a param, metric or tag is a subquery over (experiment, key, value): within named experiments a list of
run ids that the planner may start from, elsewhere a probe by run and key. Values are bound; what is formatted in are
the names of tables and columns, which are constants of this program.
"""

import dataclasses
import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from experiments.search.columns import Column, Kind, Vocabulary
from experiments.search.databases import FALSE, TRUE, Database, Sql, joined
from experiments.search.errors import QueryError
from experiments.search.limits import TEXT_INDEX_LENGTH
from experiments.search.tree import (
    Aggregate,
    Ago,
    And,
    Comparison,
    Day,
    Entity,
    Instant,
    Node,
    Not,
    Op,
    Or,
    Value,
    Words,
)

UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
DAY_MS = UNIT_MS["d"]
_HEX = re.compile(r"[0-9a-f]{32}")
_INT64_MAX, _INT64_MIN = 2**63 - 1, -(2**63)
_NEGATED = {Op.NE: Op.EQ, Op.NOT_IN: Op.IN}


@dataclass(frozen=True, slots=True)
class KeyedTable:
    """Where keyed values are: owner is the column that names their thing; scoped if the table has experiment_id."""

    name: str
    owner: str
    scoped: bool = True


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a search looks: these experiments, whole projects, or both together; everywhere if neither is said.

    within: all experiments that this comes to, where they are few enough to be named in an index search.
    """

    experiments: tuple[int, ...] | None = None
    projects: tuple[UUID, ...] | None = None
    within: tuple[int, ...] = ()

    def condition(self, database: Database, *, by_list: bool = False, alias: str = "r") -> Sql:
        """Runs in scope. by_list: the statement starts from a list of runs, so no index over the scope may be used
        (a plus sign before a column keeps SQLite from it)."""
        if self.experiments is None and self.projects is None:
            return TRUE
        parts, run = [], f"+{alias}" if by_list else alias
        if self.experiments:
            parts.append(among(f"{run}.experiment_id", self.experiments))
        if self.projects:
            parts.append(among(f"{run}.project_id", tuple(database.uid(project) for project in self.projects)))
        return joined("OR", parts) if len(parts) != 1 else parts[0]


@dataclass(frozen=True, slots=True)
class Directions:
    """For each metric key, the projects where higher is better and those where lower is."""

    higher: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)
    lower: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compiler:
    """Filters over one noun. alias: of its table in the statement; tables: where its keyed values are.

    rare: the conditions that hold for few (`with_rare_conditions`): a search does well to start from the list of them,
    and to look at all others run by run. None leaves it to the planner. viewer: whom personal columns speak of.
    probed: where a look at one run has its id from, if not from its own row.
    """

    vocabulary: Vocabulary
    database: Database
    now_ms: int
    alias: str
    tables: Mapping[Entity, KeyedTable]
    scope: Scope = Scope()
    directions: Directions = Directions()
    rare: frozenset[Comparison] | None = None
    viewer: UUID | None = None
    probed: str = ""

    def starts_from_list(self, node: Node) -> bool:
        """Whether every result is in the list of a rare condition, from which SQLite is made to start."""
        terms = node.terms if isinstance(node, And) else (node,)
        return not self.plans_itself and any(self.is_of_few(term) for term in terms if isinstance(term, Comparison))

    def is_of_few(self, node: Node) -> bool:
        """Whether every result is among few: not, where a rare condition is denied or is one of several ways."""
        match node:
            case And(terms):
                return any(map(self.is_of_few, terms))
            case Or(terms):
                return all(map(self.is_of_few, terms))
            case Comparison():
                return node.op is not Op.IS_NULL and node in (self.rare or ())
            case _:
                return False

    def where(self, node: Node) -> Sql:
        """The condition that a filter stands for. Raises QueryError for best() without a direction."""
        match node:
            case And(terms):
                return joined("AND", [self.where(term) for term in terms])
            case Or(terms):
                return joined("OR", [self.where(term) for term in terms])
            case Not(term):
                inner = self.where(term)
                return Sql(f"NOT ({inner.text})", inner.params)
            case Words(words):
                name = self.vocabulary.columns[self.vocabulary.words].source
                return joined("AND", [self.database.contains(name, word) for word in words])
            case Comparison():
                return self.comparison(node)

    def comparison(self, node: Comparison) -> Sql:
        match node.field.entity:
            case Entity.ATTRIBUTE:
                return self.attribute(self.vocabulary.columns[node.field.key], node.op, node.value)
            case Entity.DATASET:
                return self.dataset(node)
            case _:
                return self.keyed(node)

    # Metrics, params and tags.

    def keyed(self, node: Comparison) -> Sql:
        if node.op in (Op.IS_NULL, Op.IS_NOT_NULL):
            return self.holder(node, TRUE, negated=node.op is Op.IS_NULL)
        if node.field.aggregate is Aggregate.BEST:
            return self.best(node)
        return self.holder(node, self.test(node))

    def test(self, node: Comparison) -> Sql:
        """The condition on the row v that holds the value."""
        if node.field.entity is Entity.METRIC:
            return numbers(f"v.{node.field.aggregate.value}_value", node.op, node.value)
        if is_numeric(node.value):
            return numbers("v.number", node.op, node.value)
        return self.indexed_text(node.op, node.value)

    def indexed_text(self, op: Op, value: Value) -> Sql:
        """A condition on v.value: equality reads the index over the beginning and rechecks only where it was cut."""
        if op is Op.EQ and isinstance(value, str):
            head = Sql(f"{self.database.head('v.value')} = %s", (value[:TEXT_INDEX_LENGTH],))
            return head if len(value) < TEXT_INDEX_LENGTH else joined("AND", [head, Sql("v.value = %s", (value,))])
        if op is Op.IN and isinstance(value, tuple):
            texts = [str(text) for text in value]
            heads = among(self.database.head("v.value"), tuple(text[:TEXT_INDEX_LENGTH] for text in texts))
            was_cut = any(len(text) >= TEXT_INDEX_LENGTH for text in texts)
            return joined("AND", [heads, among("v.value", value)]) if was_cut else heads
        return self.text("v.value", op, value)

    def holder(self, node: Comparison, test: Sql, *, negated: bool = False) -> Sql:
        """Those that hold a value of this key for which the test is true (negated: the others)."""
        listed = self.lists(node)
        starts = listed and (node in self.rare if self.rare is not None else not self.plans_itself)
        if starts:
            held = self.holders(node, test)
            found = Sql(self.database.in_list_of(f"{self.alias}.id", held.text), held.params)
        else:
            found = self.probe(node, test, within=listed and self.plans_itself)
        return Sql(f"NOT ({found.text})", found.params) if negated else found

    @property
    def plans_itself(self) -> bool:
        """PostgreSQL knows from its statistics where to start, and may turn an EXISTS into either kind of join."""
        return self.database.name == "postgresql"

    def probe(self, node: Comparison, test: Sql, *, within: bool) -> Sql:
        """A look at one run. within: name the experiments too, for a planner that may turn it round; OFFSET keeps
        PostgreSQL from that."""
        table, of_key = self.tables[node.field.entity], _of_key(node, test)
        stays = within and self.rare is not None
        inside = among("v.experiment_id", self.scope.within) if within and not stays else TRUE
        owner = self.probed or f"{self.alias}.id"
        where = f"v.{table.owner} = {owner} AND {inside.text} AND {of_key.text}{' OFFSET 0' if stays else ''}"
        return Sql(f"EXISTS (SELECT 1 FROM {table.name} v WHERE {where})", (*inside.params, *of_key.params))  # noqa: S608

    def lists(self, node: Comparison) -> bool:
        """Whether an index over (experiment, key, value) can list who satisfies a condition."""
        table = self.tables.get(node.field.entity)
        return bool(table and table.scoped and self.scope.within)

    def holders(self, node: Comparison, test: Sql) -> Sql:
        """The list of them, within the named experiments."""
        table, of_key = self.tables[node.field.entity], _of_key(node, test)
        inside = among("v.experiment_id", self.scope.within)
        text = f"SELECT v.{table.owner} FROM {table.name} v WHERE {inside.text} AND {of_key.text}"  # noqa: S608
        return Sql(text, (*inside.params, *of_key.params))

    def best(self, node: Comparison) -> Sql:
        """max or min, as each project says of the metric."""
        ways = []
        for column, projects in best_ways(node, self.directions):
            here = among(f"{self.alias}.project_id", tuple(self.database.uid(project) for project in projects))
            ways.append(joined("AND", [here, self.holder(node, numbers(f"v.{column}", node.op, node.value))]))
        return joined("OR", ways)

    # Datasets.

    def dataset(self, node: Comparison) -> Sql:
        """Some input of the run satisfies it."""
        column = {"name": "d.name", "digest": "n.digest", "context": "i.context"}[node.field.key]
        test = TRUE if node.value is None else self.text(column, node.op, node.value)
        if node.field.key == "context":
            test = joined("AND", [Sql("i.context <> ''"), test])
        text = (
            "EXISTS (SELECT 1 FROM experiments_runinput i"  # noqa: S608
            " JOIN artifacts_datasetversion n ON n.id = i.dataset_version_id"
            " JOIN artifacts_dataset d ON d.id = n.dataset_id"
            f" WHERE i.run_id = {self.alias}.id AND ({test.text}))"
        )
        return Sql(f"NOT ({text})" if node.op is Op.IS_NULL else text, test.params)

    # Named columns.

    def attribute(self, column: Column, op: Op, value: Value) -> Sql:
        source = column.source
        if column.kind is Kind.SET:
            return self.among_several(source, op, value)
        if op in (Op.IS_NULL, Op.IS_NOT_NULL):
            return Sql(f"{source} {op.value}")
        match column.kind:
            case Kind.IDENTIFIER:
                return self.identifier(source, op, value)
            case Kind.NUMBER | Kind.TIME | Kind.DURATION:
                test = self.whole_numbers(source, op, value, column.kind)
            case Kind.FLAG:
                claim = self.claim(column)
                return claim if (op is Op.EQ) == (value is True) else Sql(f"NOT ({claim.text})", claim.params)
            case _:
                test = self.text(source, op, value)
        return joined("AND", [Sql(f"{source} IS NOT NULL"), test])

    def claim(self, column: Column) -> Sql:
        """What a FLAG says, of the viewer if it is personal; of nobody it is false."""
        if not column.personal:
            return Sql(column.source)
        return FALSE if self.viewer is None else Sql(column.source, (self.database.uid(self.viewer),))

    def among_several(self, source: str, op: Op, value: Value) -> Sql:
        """Whether one of a column's values is it; != and NOT IN are the complement."""
        positive = {Op.NE: Op.EQ, Op.NOT_IN: Op.IN}.get(op, op)
        test = TRUE if value is None else self.text("s.value", positive, value)
        text = f"EXISTS (SELECT 1 FROM ({source}) s WHERE {test.text})"  # noqa: S608
        negated = op in (Op.NE, Op.NOT_IN, Op.IS_NULL)
        return Sql(f"NOT {text}" if negated else text, test.params)

    def identifier(self, source: str, op: Op, value: Value) -> Sql:
        """A UUID column against texts: what is no UUID equals none."""
        if op in (Op.LIKE, Op.ILIKE):
            return self.text(self.database.hex(source), op, value)
        texts = [str(text) for text in value] if isinstance(value, tuple) else [str(value)]
        uids = tuple(self.database.uid(UUID(text)) for text in texts if _HEX.fullmatch(text))
        test = among(source, uids) if uids else FALSE
        return Sql(f"NOT ({test.text})", test.params) if op in _NEGATED else test

    def text(self, source: str, op: Op, value: Value) -> Sql:
        if isinstance(value, tuple):
            return among(source, value, negated=op is Op.NOT_IN)
        if op is Op.LIKE:
            return self.database.like(source, str(value))
        if op is Op.ILIKE:
            return self.database.ilike(source, str(value))
        return Sql(f"{source} {'<>' if op is Op.NE else '='} %s", (value,))

    def whole_numbers(self, source: str, op: Op, value: Value, kind: Kind) -> Sql:
        """A column of whole numbers against a number, a time or a list."""
        match value:
            case tuple():
                wholes = tuple(int(item) for item in value if isinstance(item, int | float) and _is_int64(item))
                listed = among(source, wholes) if wholes else FALSE
                return listed if op is Op.IN else Sql(f"NOT ({listed.text})", listed.params)
            case Day(date):
                start = (date - dt.date(1970, 1, 1)).days * DAY_MS
                return _day(source, op, start)
            case Instant(ms):
                return Sql(f"{source} {_sign(op)} %s", (ms,))
            case Ago(amount, unit):
                length = amount * UNIT_MS[unit]
                return Sql(f"{source} {_sign(op)} %s", (length if kind is Kind.DURATION else self.now_ms - length,))
            case int() | float():
                return whole_number(source, op, value)
        raise TypeError(f"{value!r} is no number")


def _of_key(node: Comparison, test: Sql) -> Sql:
    context = " AND v.context = ''" if node.field.entity is Entity.METRIC else ""
    return Sql(f"v.key = %s{context} AND ({test.text})", (node.field.key, *test.params))


def numbers(source: str, op: Op, value: Value) -> Sql:
    """A column of floats, where NULL stands for NaN or for no number: it satisfies != and NOT IN alone."""
    if isinstance(value, tuple):
        floats = tuple(float(str(item)) for item in value)
        listed = among(source, floats)
        return listed if op is Op.IN else Sql(f"{source} IS NULL OR NOT ({listed.text})", listed.params)
    test = Sql(f"{source} {_sign(op)} %s", (float(str(value)),))
    return Sql(f"{source} IS NULL OR {test.text}", test.params) if op is Op.NE else _certain(source, test)


def whole_number(source: str, op: Op, value: int | float) -> Sql:
    """A column of whole numbers against any number, without a cast that would cost the index."""
    if _is_int64(value):
        return Sql(f"{source} {_sign(op)} %s", (int(value),))
    return _between_integers(source, op, value)


def best_ways(node: Comparison, directions: Directions) -> list[tuple[str, tuple[UUID, ...]]]:
    """(column of the series, projects) for best(): an error without any direction."""
    key = node.field.key
    ways = [("max_value", directions.higher.get(key, ())), ("min_value", directions.lower.get(key, ()))]
    known = [(column, projects) for column, projects in ways if projects]
    if not known:
        written = str(node.field).removeprefix("best")
        meant = dataclasses.replace(node, field=dataclasses.replace(node.field, aggregate=Aggregate.MAX))
        raise QueryError(
            f"nobody has said whether {key[:80]} is better high or low.",
            node.span,
            suggestion=str(meant) if node.span.length else f"max{written}",
            hint=f"Write max{written} or min{written}, or set the metric's direction in the project.",
        )
    return known


def _is_int64(value: int | float) -> bool:
    return math.isfinite(value) and value == int(value) and _INT64_MIN <= int(value) <= _INT64_MAX


def _between_integers(source: str, op: Op, value: float) -> Sql:
    """No whole number of 64 bits equals it; the ones below and above it are told by its floor."""
    if op in (Op.EQ, Op.NE):
        return TRUE if op is Op.NE else FALSE
    above = op in (Op.GT, Op.GE)
    if not math.isfinite(value) or not _INT64_MIN <= math.floor(value) <= _INT64_MAX:
        return TRUE if above == (value < 0) else FALSE
    return Sql(f"{source} {'>' if above else '<='} %s", (math.floor(value),))


def _day(source: str, op: Op, start: int) -> Sql:
    end = start + DAY_MS
    match op:
        case Op.EQ:
            return Sql(f"{source} >= %s AND {source} < %s", (start, end))
        case Op.NE:
            return Sql(f"{source} < %s OR {source} >= %s", (start, end))
        case Op.GT:
            return Sql(f"{source} >= %s", (end,))
        case Op.LE:
            return Sql(f"{source} < %s", (end,))
        case _:
            return Sql(f"{source} {_sign(op)} %s", (start,))


def _certain(source: str, test: Sql) -> Sql:
    return Sql(f"{source} IS NOT NULL AND {test.text}", test.params)


def _sign(op: Op) -> str:
    return "<>" if op is Op.NE else op.value


def is_numeric(value: Value) -> bool:
    first = value[0] if isinstance(value, tuple) else value
    return isinstance(first, int | float) and not isinstance(first, bool)


def among(source: str, values: tuple[object, ...], *, negated: bool = False) -> Sql:
    """A column in a list; one value is an equality, which an index can start from."""
    if len(values) == 1:
        return Sql(f"{source} {'<>' if negated else '='} %s", values)
    marks = ", ".join(["%s"] * len(values))
    return Sql(f"{source} {'NOT IN' if negated else 'IN'} ({marks})", values)
