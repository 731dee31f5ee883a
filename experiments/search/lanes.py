"""How a search for runs goes along an order, where that needs no look at what its viewer sees."""

from dataclasses import replace
from typing import Final

from experiments.search.compile import Compiler
from experiments.search.databases import Sql
from experiments.search.limits import MAX_MERGED, MAX_MERGED_TEXT
from experiments.search.ordering import SortKey
from experiments.search.question import Question, run_where
from experiments.search.rare import is_among_many
from experiments.search.statement import Lane, Walks
from experiments.search.tree import Entity, Field
from experiments.values import RunStatus

_STATUS: Final = Field(Entity.ATTRIBUTE, "status")


def may_merge(places: int, compiler: Compiler, where: Sql) -> bool:
    """Whether so many places may have a SELECT each: SQLite's statement has the filter once for each of them."""
    length = places * (len(where.text) + len(where.params))
    return compiler.plans_itself or (places <= MAX_MERGED and length <= MAX_MERGED_TEXT)


def where_walked(asked: Question, compiler: Compiler, first: SortKey) -> Sql | None:
    """The condition, where each run is looked at by the row that sorts it, before it is read itself: 12 of 13 that an
    order came by were read for nothing (5,000 runs by a loss, two conditions: 4.9 ms instead of 8.4)."""
    if not first.table:
        return None
    return run_where(asked, replace(compiler, probed=f"{first.table.split()[-1]}.run_id"))


def lanes_for(asked: Question, compiler: Compiler, where: Sql) -> tuple[Lane, ...]:
    """By state alone, among many runs: one lane for each state, the rare ones from an index without the common one."""
    field = asked.order[0].field if len(asked.order) == 1 else None
    if field != _STATUS or not is_among_many(compiler):
        return ()
    states = sorted((state.value for state in RunStatus), reverse=asked.order[0].descending)
    if not may_merge(len(states) * len(compiler.scope.within), compiler, where):
        return ()
    unfinished = "r.status = %s AND NOT (r.status = 'FINISHED')"
    value = compiler.database.constant
    return tuple(
        Lane(one, Sql("r.status = %s" if one == "FINISHED" else unfinished, (one,)), value(one)) for one in states
    )


def by_experiment(compiler: Compiler) -> Walks:
    """Along each experiment in scope by itself."""
    return Walks("r.experiment_id", "bigint", compiler.scope.within)
