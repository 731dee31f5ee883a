"""Search experiments: what the viewer may see, filtered, sorted and cut into pages."""

from collections.abc import Sequence
from typing import Final

from accounts.models import Project
from experiments.models import Experiment
from experiments.search.columns import Dialect
from experiments.search.compile import Compiler, KeyedTable
from experiments.search.databases import this_database
from experiments.search.grammar import parse
from experiments.search.ordering import OrderKey, SortKey, parse_orders, sort_keys
from experiments.search.question import Question, View, checked_limit, tie_keys, where_of
from experiments.search.rows import EXPERIMENT_COLUMNS, EXPERIMENT_DETAILS, FoundExperiment
from experiments.search.statement import Page, Statement, read_page
from experiments.search.tree import Entity
from experiments.search.vocabularies import EXPERIMENTS
from kernel.actor import Actor
from kernel.clock import now_ms

_EXPERIMENT_VALUES: Final = {Entity.TAG: KeyedTable("experiments_experimenttag", "experiment_id", scoped=False)}


def search_experiments(
    viewer: Actor,
    *,
    project: Project | None = None,
    text: str = "",
    dialect: Dialect = Dialect.FULL,
    order: Sequence[str] = (),
    view: View = View.ACTIVE_ONLY,
    limit: int = 1000,
    after: str | None = None,
) -> Page[FoundExperiment]:
    """The experiments that the viewer may see and that satisfy a filter, one page of them, newest first by default."""
    orders = parse_orders(order, dialect, EXPERIMENTS)
    asked = Question(parse(text, dialect, EXPERIMENTS), orders, view, checked_limit(limit))
    visible = Experiment.objects.visible_to(viewer)
    ids = visible.filter(project=project) if project else visible
    compiler = Compiler(EXPERIMENTS, this_database(), now_ms(), "e", _EXPERIMENT_VALUES)
    inside = compiler.database.among("e.id", list(ids.values_list("pk", flat=True)))
    statement = Statement(
        table="experiments_experiment e",
        alias="e",
        columns=EXPERIMENT_COLUMNS,
        details=EXPERIMENT_DETAILS,
        width=len(FoundExperiment._fields),
        where=where_of(asked, compiler, inside),
        keys=sort_keys(orders, compiler, ties=_experiment_ties(orders, compiler), numeric_params=False),
    )
    question = asked.digest((dialect, project and project.pk))
    return read_page(statement, question, limit=asked.limit, after=after, make=FoundExperiment._make)


def _experiment_ties(order: Sequence[OrderKey], compiler: Compiler) -> list[SortKey]:
    return tie_keys(order, compiler, [("creation_time", True), ("experiment_id", True)])
