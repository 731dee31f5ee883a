"""A page of results: the statement of each stage, and the pages read from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from experiments.search.databases import TRUE, Sql, fetch, joined, this_database
from experiments.search.ordering import SortKey, Stage, stages
from experiments.search.page_tokens import foreign_token, position_of, read_position
from kernel.paging import decode_token, encode_token

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in order. next_token: for the page after this one, exactly when there is one."""

    rows: list[T]
    next_token: str | None


@dataclass(frozen=True, slots=True)
class Walks:
    """Places that each have the order of the first key in an index: the values of a column, and what it holds."""

    column: str
    holds: str
    places: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """The rows with one value of the first key. condition: what they have, as an index has it; sql: the value."""

    value: object
    condition: Sql
    sql: Sql


@dataclass(frozen=True, slots=True)
class Statement:
    """What is the same for both stages.

    table: the searched one with its alias, joined by details for the columns of a row; width: how many columns these
    are. walks: where to start from the index of the first key; None: the planner decides. where_walked: the same
    condition that looks at a run by the row of the first key, before the run itself is read. lanes: all values of the
    first key, in its order, where these are few and each is best read by itself.
    """

    table: str
    alias: str
    columns: str
    details: str
    width: int
    where: Sql
    keys: list[SortKey]
    walks: Walks | None = None
    where_walked: Sql | None = None
    lanes: tuple["Lane", ...] = ()

    def of_stage(self, stage: Stage, position: Sequence[object] | None, limit: int) -> Sql:
        """One stage, from the start or strictly after a position.

        Found and sorted by ids and keys alone, which an index often holds; the details come for the page only. With
        them inside, a page of 110,000 runs in two experiments took SQLite 90 ms instead of 0.3.
        """
        found = self.found(stage, position, limit)
        names = [f"k.v{at}" for at in range(len(stage.values))]
        text = (
            f"SELECT {', '.join([self.columns, *names])} FROM ({found.text}) k {self.each_found()}"  # noqa: S608
            f"{self.details} ORDER BY {_order(stage, 'k.')}"
        )
        return Sql(text, found.params)

    def each_found(self) -> str:
        """The row of each id. PostgreSQL would rather read all of some thousand runs than look up a hundred: 1.9 ms
        instead of 0.3."""
        if this_database().name == "postgresql":
            return f"CROSS JOIN LATERAL (SELECT * FROM {self.table} WHERE id = k.pk OFFSET 0) {self.alias}"  # noqa: S608
        return f"JOIN {self.table} ON {self.alias}.id = k.pk"

    def found(self, stage: Stage, position: Sequence[object] | None, limit: int) -> Sql:
        """Ids and the values that sort them.

        An index gives the order within one place: (experiment, key, value), or the starts of a project or experiment.
        Several are merged, each from its own stretch of the index (1,100,000 runs in 32 projects, newest first: 3 ms
        instead of 260). PostgreSQL does it in one SELECT that it plans once, SQLite in one for each; SQLite is made to
        follow the index by CROSS JOIN, which it does not reorder.
        """
        if self.lanes and stage.has_first_key:
            return self.in_lanes(stage, position, limit)
        walks = self.walks if stage.has_first_key else None
        if walks is None:
            return self.sorted(stage, position, limit, TRUE)
        if len(walks.places) == 1:
            return self.sorted(stage, position, limit, Sql(f"{walks.column} = %s", walks.places))
        if this_database().name == "postgresql":
            each = self.sorted(stage, position, limit, Sql(f"{walks.column} = x.place"))
            text = (
                f"SELECT m.* FROM unnest(%s::{walks.holds}[]) x(place) CROSS JOIN LATERAL ({each.text}) m"  # noqa: S608
                f" ORDER BY {_order(stage)} LIMIT %s"
            )
            return Sql(text, (list(walks.places), *each.params, limit))
        parts = [self.sorted(stage, position, limit, Sql(f"{walks.column} = %s", (one,))) for one in walks.places]
        text = " UNION ALL ".join(f"SELECT * FROM ({part.text}) m" for part in parts)  # noqa: S608
        return Sql(f"{text} ORDER BY {_order(stage)} LIMIT %s", (*(p for part in parts for p in part.params), limit))

    def in_lanes(self, stage: Stage, position: Sequence[object] | None, limit: int) -> Sql:
        """The same where the first key has few values: a page of each, in the order of its ties, which an index has.

        No index has both: by status, newest first, a million runs were sorted (196 ms).
        """
        ranks, parts = stages(self.keys[1:]), list[Sql]()
        begun = self._begun(position)
        for at, lane in enumerate(self.lanes):
            tied = replace(self, keys=self.keys[1:], lanes=(), where=joined("AND", [self.where, lane.condition]))
            for rank, rows in enumerate(ranks):
                if position is not None and (at, rank) < begun:
                    continue
                here = position[2:] if position is not None and (at, rank) == begun else None
                parts.append(_of_lane(lane, rank, tied.found(rows, here and here[-len(rows.values) :], limit)))
        text = " UNION ALL ".join(f"SELECT * FROM ({part.text}) m" for part in parts)  # noqa: S608
        return Sql(f"{text} ORDER BY {_order(stage)} LIMIT %s", (*(p for part in parts for p in part.params), limit))

    def _begun(self, position: Sequence[object] | None) -> tuple[int, int]:
        """The lane and the rank in it that a position lies in."""
        if position is None:
            return 0, 0
        places = [at for at, lane in enumerate(self.lanes) if lane.value == position[0]]
        if not places or position[1] not in (0, 1):
            raise foreign_token()
        return places[0], int(str(position[1]))

    def sorted(self, stage: Stage, position: Sequence[object] | None, limit: int, inside: Sql) -> Sql:
        """The same in one SELECT."""
        values = [Sql(f"{value.sql.text} AS v{at}", value.sql.params) for at, value in enumerate(stage.values)]
        source, conditions = self.source(stage)
        if position:
            conditions.append(stage.after(position))
        walked = self.where_walked if self.walks and stage.has_first_key else None
        where = joined("AND", [walked or self.where, stage.condition, inside, *conditions])
        chosen = ", ".join([f"{self.alias}.id AS pk", *(value.text for value in values)])
        text = f"SELECT {chosen} FROM {source.text} WHERE {where.text} ORDER BY {_order(stage)} LIMIT %s"  # noqa: S608
        return Sql(text, (*(p for value in values for p in value.params), *source.params, *where.params, limit))

    def source(self, stage: Stage) -> tuple[Sql, list[Sql]]:
        """The tables, and conditions if one is not joined by ON: the first key's, if every row of the stage has it."""
        text, params, conditions = self.table, tuple[Any, ...](), list[Sql]()
        for key in self.keys:
            if key.table and key is self.keys[0] and stage.has_first_key:
                text = f"{key.table} {'CROSS JOIN' if self.walks else ','} {text}"
                conditions.append(key.on)
            elif key.table:
                text, params = f"{text} LEFT JOIN {key.table} ON {key.on.text}", (*params, *key.on.params)
        return Sql(text, params), conditions


Read = Callable[[Statement, Stage, Sequence[object] | None, int], list[Any]]


def read_page(
    statement: Statement,
    question: str,
    *,
    limit: int,
    after: str | None,
    make: Callable[[Sequence[Any]], T],
    first: Read | None = None,
) -> Page[T]:
    """One page: the first stage, and the next where that did not fill it. One row more tells if more follow.

    question: what a token is bound to. first: how a stage with the first key is read, if not by one statement. Raises
    Invalid for a token of another question.
    """
    parts = stages(statement.keys)
    given = decode_token(question, after)
    start, position = (0, None) if given is None else read_position(given, parts, this_database())
    found: list[tuple[int, Any]] = []
    for at in range(start, len(parts)):
        here = position if at == start else None
        wanted = limit + 1 - len(found)
        rows = (
            first(statement, parts[at], here, wanted)
            if first and parts[at].has_first_key
            else read(statement, parts[at], here, wanted)
        )
        found += [(at, row) for row in rows]
        if len(found) > limit:
            break
    page = [make(row[: statement.width]) for _, row in found[:limit]]
    if len(found) <= limit:
        return Page(page, None)
    stage, last = found[limit - 1]
    return Page(page, encode_token(question, position_of(parts[stage].values, last[statement.width :], stage)))


def read(statement: Statement, stage: Stage, position: Sequence[object] | None, limit: int) -> list[Any]:
    """The rows of a stage by its one statement."""
    return fetch(statement.of_stage(stage, position, limit))


def _of_lane(lane: Lane, rank: int, found: Sql) -> Sql:
    """The ids of a lane with all that sorts them. rank: 0 for those with a start."""
    start, uid = ("m.v0", "m.v1") if rank == 0 else ("CAST(NULL AS bigint)", "m.v0")
    text = f"SELECT m.pk, {lane.sql.text} AS v0, {rank} AS v1, {start} AS v2, {uid} AS v3 FROM ({found.text}) m"  # noqa: S608
    return Sql(text, (*lane.sql.params, *found.params))


def _order(stage: Stage, source: str = "") -> str:
    """NULLs never meet within a rank, so their place does not matter."""
    return ", ".join(f"{source}v{at}{' DESC' if value.descending else ''}" for at, value in enumerate(stage.values))
