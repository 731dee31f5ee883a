"""Which indexes a search for runs follows, where it goes along an order instead of from a list of few."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from accounts.models import Project
from experiments.queries.question import Question
from experiments.queries.search_scope import run_where
from experiments.search.compile import Compiler
from experiments.search.databases import Sql
from experiments.search.limits import MAX_MERGED, MAX_MERGED_TEXT
from experiments.search.ordering import SortKey
from experiments.search.rare import is_among_many
from experiments.search.statement import Lane, Walks
from experiments.search.ties import Ties
from experiments.search.tree import Aggregate, Entity, Field
from experiments.search.vocabularies import RUNS
from experiments.values import RunStatus
from kernel.actor import Actor

_STATUS: Final = Field(Entity.ATTRIBUTE, "status")


def walks_for(viewer: Actor, first: SortKey, compiler: Compiler, where: Sql) -> Walks | None:
    """Where to follow the index of the first key.

    SQLite's statement has the filter once for each place, so there a very long one is left to a single SELECT.
    """
    walks = _walks_by_value(first, compiler) if first.table else _walks_by_start(viewer, first, compiler)
    return walks if walks is not None and _may_merge(len(walks.places), compiler, where) else None


def _may_merge(places: int, compiler: Compiler, where: Sql) -> bool:
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
    if not _may_merge(len(states) * len(compiler.scope.within), compiler, where):
        return ()
    unfinished = "r.status = %s AND NOT (r.status = 'FINISHED')"
    value = compiler.database.constant
    return tuple(
        Lane(one, Sql("r.status = %s" if one == "FINISHED" else unfinished, (one,)), value(one)) for one in states
    )


def ties_for(viewer: Actor, asked: Question, compiler: Compiler, keys: Sequence[SortKey], where: Sql) -> Ties | None:
    """By one value alone, among many runs."""
    if len(asked.order) > 1 or asked.order[0].field.aggregate is not Aggregate.LAST or not is_among_many(compiler):
        return None
    return Ties(asked.order[0], asked.node, compiler, walks_for(viewer, keys[1], compiler, where))


def by_experiment(compiler: Compiler) -> Walks:
    return Walks("r.experiment_id", "bigint", compiler.scope.within)


def _walks_by_value(first: SortKey, compiler: Compiler) -> Walks | None:
    within = compiler.scope.within
    return Walks(f"{first.table.split()[-1]}.experiment_id", "bigint", within) if within else None


def _walks_by_start(viewer: Actor, first: SortKey, compiler: Compiler) -> Walks | None:
    """By projects, or by experiments where only some of them are searched. In one place its index needs no help."""
    value, scope = first.ranks[0].value, compiler.scope
    if value is None or value.sql.text != RUNS.columns["start_time"].source:
        return None
    if scope.experiments:
        places: tuple[object, ...] = scope.within
        return Walks("r.experiment_id", "bigint", places) if len(places) > 1 else None
    projects = scope.projects
    if projects is None:
        projects = tuple(Project.objects.visible_to(viewer).order_by("pk").values_list("pk", flat=True))
    places = tuple(compiler.database.uid(project) for project in projects)
    return Walks("r.project_id", "uuid", places) if len(places) > 1 else None
