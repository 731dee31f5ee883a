"""Runs nested in runs as a tree: which of them stand at its top, or right below one of them, whatever the filter.

A run stands below its parent where the parent is in scope, else at the top. A filter keeps what stands over a match.
Clients may name any run as parent, so chains of parents may lead back to where they began: a run that begins such a
loop stands at the top, so that every run has a place and nothing goes round.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.gone import still_there
from experiments.search.compile import Compiler
from experiments.search.databases import TRUE, Sql, fetch, joined
from experiments.values import Lifecycle


@dataclass(frozen=True, slots=True)
class Reach:
    """Which runs are in scope, by whatever alias they stand in a statement. life: None for any."""

    compiler: Compiler
    life: Lifecycle | None

    def of(self, alias: str, *, by_list: bool = False) -> Sql:
        """by_list: the statement comes to these runs by their parent, so SQLite is kept from indexes over the scope."""
        by_list = by_list and not self.compiler.plans_itself
        scope = self.compiler.scope.condition(self.compiler.database, by_list=by_list, alias=alias)
        if self.life is None:
            return joined("AND", [scope, still_there(alias)])
        column = f"{'+' if by_list else ''}{alias}.lifecycle = %s"
        present = [] if self.life is Lifecycle.ACTIVE else [still_there(alias)]
        return joined("AND", [scope, Sql(column, (self.life.value,)), *present])

    def among(self, column: str, runs: Sequence[int]) -> Sql:
        """A column in a list of any length."""
        return self.compiler.database.among(column, runs)

    def not_among(self, column: str, runs: Sequence[int]) -> Sql:
        """The complement; with an empty list it costs nothing."""
        listed = self.among(column, runs)
        return Sql(f"NOT ({listed.text})", listed.params) if runs else TRUE


@dataclass(frozen=True, slots=True)
class Nesting:
    """One part of the tree: its top, or what is right below a run (by primary key).

    over: what stands over the matches of the filter, None if there is none; loops: where loops begin.
    """

    life: Lifecycle | None
    parent: int | None
    over: tuple[int, ...] | None
    loops: tuple[int, ...]

    @property
    def name(self) -> str:
        """What a page token is bound to."""
        return "top" if self.parent is None else f"below {self.parent}"

    def where(self, compiler: Compiler, matches: Sql) -> Sql:
        """The condition on `experiments_run r`. matches: the filter's."""
        reach = Reach(compiler, self.life)
        kept = matches if self.over is None else joined("OR", [matches, reach.among("r.id", self.over)])
        if self.parent is not None:
            below = Sql("r.parent_id = %s", (self.parent,))
            return joined("AND", [below, reach.of("r", by_list=True), reach.not_among("r.id", self.loops), kept])
        above = reach.of("p")
        orphan = Sql(
            f"r.parent_id IS NULL OR NOT EXISTS"  # noqa: S608
            f" (SELECT 1 FROM experiments_run p WHERE p.id = r.parent_id AND {above.text})",
            above.params,
        )
        top = joined("OR", [orphan, reach.among("r.id", self.loops)]) if self.loops else orphan
        return joined("AND", [reach.of("r"), top, kept])


def loops(reach: Reach) -> tuple[int, ...]:
    """The runs in scope from which the chain of parents leads back to themselves and goes up in age there.

    Every loop has such a place; hardly any run has a parent that is younger, and an index holds these alone.
    """
    inside = reach.of("r", by_list=True)
    younger = reach.compiler.database.through("experiments_run r", "run_below_younger")
    rows = fetch(
        Sql(
            "WITH RECURSIVE up(start, id) AS ("  # noqa: S608
            f"SELECT r.id, r.parent_id FROM {younger} WHERE {inside.text} AND r.parent_id > r.id"
            " UNION SELECT u.start, p.parent_id FROM up u JOIN experiments_run p ON p.id = u.id"
            " WHERE p.parent_id IS NOT NULL AND u.id <> u.start"
            ") SELECT start FROM up WHERE id = start ORDER BY start",
            inside.params,
        )
    )
    return tuple(start for (start,) in rows)


def over(reach: Reach, where: Sql, cut: tuple[int, ...]) -> tuple[int, ...]:
    """What stands over the runs of a condition on `experiments_run r`, at any height. cut: where loops begin."""
    above, first, later = reach.of("p"), reach.not_among("r.id", cut), reach.not_among("c.id", cut)
    rows = fetch(
        Sql(
            "WITH RECURSIVE up(id) AS ("  # noqa: S608
            "SELECT p.id FROM experiments_run r JOIN experiments_run p ON p.id = r.parent_id"
            f" WHERE r.parent_id IS NOT NULL AND {where.text} AND {first.text} AND {above.text}"
            " UNION SELECT p.id FROM up JOIN experiments_run c ON c.id = up.id"
            f" JOIN experiments_run p ON p.id = c.parent_id WHERE {later.text} AND {above.text}"
            ") SELECT id FROM up",
            (*where.params, *first.params, *above.params, *later.params, *above.params),
        )
    )
    return tuple(one for (one,) in rows)


def below(reach: Reach, where: Sql, tops: Sequence[int], cut: tuple[int, ...]) -> dict[int, int]:
    """How many runs of a condition on `experiments_run r` are nested in each of these, at any depth."""
    listed, inside, kept = reach.among("c.parent_id", tops), reach.of("c", by_list=True), reach.not_among("c.id", cut)
    each = reach.compiler.database.looked_up("experiments_run", "r", "r.id = d.id")
    rows = fetch(
        Sql(
            "WITH RECURSIVE down(top, id) AS ("  # noqa: S608
            f"SELECT c.parent_id, c.id FROM experiments_run c WHERE {listed.text} AND {inside.text} AND {kept.text}"
            " UNION SELECT d.top, c.id FROM down d JOIN experiments_run c ON c.parent_id = d.id"
            f" WHERE {inside.text} AND {kept.text}"
            f") SELECT d.top, COUNT(*) FROM down d {each} WHERE {where.text} GROUP BY d.top",
            (*listed.params, *inside.params, *kept.params, *inside.params, *kept.params, *where.params),
        )
    )
    return dict(rows)


def holding(reach: Reach, where: Sql, runs: Sequence[int]) -> frozenset[int]:
    """Those of these runs that satisfy a condition on `experiments_run r`."""
    listed = reach.among("r.id", runs)
    statement = f"SELECT r.id FROM experiments_run r WHERE {listed.text} AND {where.text}"  # noqa: S608
    return frozenset(one for (one,) in fetch(Sql(statement, (*listed.params, *where.params))))
