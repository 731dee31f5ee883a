"""Which indexes a search for runs follows, where it goes along an order instead of from a list of few."""

from collections.abc import Sequence

from accounts.models import Project
from experiments.search.compile import Compiler
from experiments.search.databases import Sql
from experiments.search.lanes import may_merge
from experiments.search.ordering import SortKey
from experiments.search.question import Question
from experiments.search.rare import is_among_many
from experiments.search.statement import Walks
from experiments.search.ties import Ties
from experiments.search.tree import Aggregate
from experiments.search.vocabularies import RUNS
from kernel.actor import Actor


def walks_for(viewer: Actor, first: SortKey, compiler: Compiler, where: Sql) -> Walks | None:
    """Where to follow the index of the first key; a very long filter of SQLite is left to a single SELECT."""
    walks = _walks_by_value(first, compiler) if first.table else _walks_by_start(viewer, first, compiler)
    return walks if walks is not None and may_merge(len(walks.places), compiler, where) else None


def ties_for(viewer: Actor, asked: Question, compiler: Compiler, keys: Sequence[SortKey], where: Sql) -> Ties | None:
    """By one value alone, among many runs."""
    if len(asked.order) > 1 or asked.order[0].field.aggregate is not Aggregate.LAST or not is_among_many(compiler):
        return None
    return Ties(asked.order[0], asked.node, compiler, walks_for(viewer, keys[1], compiler, where))


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
