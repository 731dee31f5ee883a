"""Search runs and experiments: what the viewer may see, filtered, sorted and cut into pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import sight
from accounts.models import Project
from experiments.models import Experiment, MetricDirection, Run
from experiments.search.columns import Dialect
from experiments.search.compile import Compiler, Directions, KeyedTable, Scope, with_rare_conditions
from experiments.search.databases import TRUE, Sql, fetch, joined, this_database
from experiments.search.grammar import parse
from experiments.search.limits import COUNT_STOP, MAX_PAGE, NAMED_EXPERIMENTS
from experiments.search.ordering import (
    OrderKey,
    SortKey,
    Stage,
    column_key,
    parse_orders,
    position_of,
    read_position,
    sort_keys,
    stages,
)
from experiments.search.rows import (
    EXPERIMENT_COLUMNS,
    EXPERIMENT_TABLES,
    RUN_COLUMNS,
    RUN_TABLES,
    FoundExperiment,
    FoundRun,
    load_experiment_tags,
    load_run_data,
)
from experiments.search.tree import Aggregate, Entity, Node, comparisons
from experiments.search.vocabularies import EXPERIMENTS, RUNS
from experiments.values import Lifecycle
from kernel.actor import Actor
from kernel.clock import now_ms
from kernel.errors import Invalid
from kernel.paging import decode_token, encode_token, question_digest

__all__ = [
    "Dialect",
    "FoundCount",
    "FoundExperiment",
    "FoundRun",
    "Page",
    "View",
    "count_runs",
    "load_experiment_tags",
    "load_run_data",
    "search_experiments",
    "search_runs",
]

T = TypeVar("T")
_RUN_VALUES = {
    Entity.METRIC: KeyedTable("experiments_metricseries", "run_id"),
    Entity.PARAM: KeyedTable("experiments_param", "run_id"),
    Entity.TAG: KeyedTable("experiments_runtag", "run_id"),
}
_EXPERIMENT_VALUES = {Entity.TAG: KeyedTable("experiments_experimenttag", "experiment_id", scoped=False)}


class View(StrEnum):
    """Which of them, by life: as the MLflow protocol names it."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in order. next_token: for the page after this one, exactly when there is one."""

    rows: list[T]
    next_token: str | None


@dataclass(frozen=True, slots=True)
class FoundCount:
    """How many there are; at_least: counting stopped there, there are more."""

    number: int
    at_least: bool

    def __str__(self) -> str:
        return f"{self.number:,}{'+' if self.at_least else ''}"


def search_runs(
    viewer: Actor,
    *,
    project: Project | None = None,
    experiments: Sequence[int] | None = None,
    text: str = "",
    dialect: Dialect = Dialect.FULL,
    order: Sequence[str] = (),
    view: View = View.ACTIVE_ONLY,
    limit: int = 1000,
    after: str | None = None,
) -> Page[FoundRun]:
    """The runs that the viewer may see and that satisfy a filter, one page of them.

    project, experiments (by primary key): where to look; unknown ones and those out of sight hold nothing. order: keys
    such as `metrics.loss DESC`; after them newest start first. after: the token of the page before. At most two
    statements after those that find the scope. Raises QueryError for filter and order, Invalid for limit and token.
    """
    asked = _Question(parse(text, dialect, RUNS), parse_orders(order, dialect, RUNS), view, _checked_limit(limit))
    scope = _run_scope(viewer, project, experiments)
    compiler = with_rare_conditions(_run_compiler(viewer, asked, scope), asked.node)
    keys = sort_keys(
        asked.order, compiler, ties=_run_ties(asked.order, compiler), numeric_params=dialect is Dialect.FULL
    )
    statement = _Statement(
        columns=RUN_COLUMNS.format(uid=compiler.database.hex("r.uid")),
        tables=RUN_TABLES,
        where=_run_where(asked, compiler),
        keys=keys,
        width=len(FoundRun._fields),
        by_first_key=compiler.rare == frozenset(),
    )
    asked_scope = (dialect, project and project.pk, experiments if experiments is None else sorted(experiments))
    return _page(statement, asked, asked_scope, after, FoundRun._make)


def count_runs(
    viewer: Actor,
    *,
    project: Project | None = None,
    experiments: Sequence[int] | None = None,
    text: str = "",
    dialect: Dialect = Dialect.FULL,
    view: View = View.ACTIVE_ONLY,
) -> FoundCount:
    """How many runs `search_runs` would find; counting stops at 10,000."""
    asked = _Question(parse(text, dialect, RUNS), (), view, 1)
    scope = _run_scope(viewer, project, experiments)
    compiler = _run_compiler(viewer, asked, scope)
    where = _run_where(asked, compiler)
    statement = f"SELECT COUNT(*) FROM (SELECT 1 FROM experiments_run r WHERE {where.text} LIMIT %s) AS found"  # noqa: S608
    [(number,)] = fetch(Sql(statement, (*where.params, COUNT_STOP + 1)))
    return FoundCount(min(number, COUNT_STOP), number > COUNT_STOP)


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
    asked = _Question(parse(text, dialect, EXPERIMENTS), orders, view, _checked_limit(limit))
    visible = Experiment.objects.visible_to(viewer)
    ids = visible.filter(project=project) if project else visible
    compiler = Compiler(EXPERIMENTS, this_database(), now_ms(), "e", _EXPERIMENT_VALUES)
    inside = compiler.database.among("e.id", list(ids.values_list("pk", flat=True)))
    statement = _Statement(
        columns=EXPERIMENT_COLUMNS,
        tables=EXPERIMENT_TABLES,
        where=_where(asked, compiler, inside),
        keys=sort_keys(orders, compiler, ties=_experiment_ties(orders, compiler), numeric_params=False),
        width=len(FoundExperiment._fields),
    )
    return _page(statement, asked, (dialect, project and project.pk), after, FoundExperiment._make)


# How a question becomes a page.


@dataclass(frozen=True, slots=True)
class _Question:
    node: Node
    order: tuple[OrderKey, ...]
    view: View
    limit: int


@dataclass(frozen=True, slots=True)
class _Statement:
    """What is the same for both stages. width: how many of the selected columns are the row itself.

    by_first_key: start from the index of the first key (CROSS JOIN, which SQLite does not reorder); else the planner
    decides.
    """

    columns: str
    tables: str
    where: Sql
    keys: list[SortKey]
    width: int
    by_first_key: bool = False

    def of_stage(self, stage: Stage, position: Sequence[object] | None, limit: int) -> Sql:
        """One stage, from the start or strictly after a position."""
        chosen = ", ".join([self.columns, *(value.sql.text for value in stage.values)])
        source, conditions = self.source(stage)
        if position:
            conditions.append(stage.after(position))
        where = joined("AND", [self.where, stage.condition, *conditions])
        order = stage.order()
        text = f"SELECT {chosen} FROM {source.text} WHERE {where.text} ORDER BY {order.text} LIMIT %s"  # noqa: S608
        return Sql(text, (*order.params, *source.params, *where.params, *order.params, limit))

    def source(self, stage: Stage) -> tuple[Sql, list[Sql]]:
        """The tables, and conditions if one is not joined by ON: the first key's, if every row of the stage has it."""
        text, params, conditions = self.tables, tuple[Any, ...](), list[Sql]()
        for key in self.keys:
            if key.table and key is self.keys[0] and stage.has_first_key:
                text = f"{key.table} {'CROSS JOIN' if self.by_first_key else ','} {text}"
                conditions.append(key.on)
            elif key.table:
                text, params = f"{text} LEFT JOIN {key.table} ON {key.on.text}", (*params, *key.on.params)
        return Sql(text, params), conditions


def _page(statement: _Statement, asked: _Question, scope: object, after: str | None, make: Any) -> Page[Any]:
    """One page: the first stage, and the second where the first did not fill it. One row more tells if more follow."""
    parts = stages(statement.keys)
    question = question_digest(str(asked.node), [str(key) for key in asked.order], asked.view.value, scope)
    given = decode_token(question, after)
    start, position = (0, None) if given is None else read_position(given, parts, this_database())
    found: list[tuple[int, Any]] = []
    for at in range(start, len(parts)):
        here = position if at == start else None
        rows = fetch(statement.of_stage(parts[at], here, asked.limit + 1 - len(found)))
        found += [(at, row) for row in rows]
        if len(found) > asked.limit:
            break
    page = [make(row[: statement.width]) for _, row in found[: asked.limit]]
    if len(found) <= asked.limit:
        return Page(page, None)
    stage, last = found[asked.limit - 1]
    return Page(page, encode_token(question, position_of(parts[stage].values, last[statement.width :], stage)))


def _run_where(asked: _Question, compiler: Compiler) -> Sql:
    by_list = compiler.starts_from_list(asked.node)
    return _where(asked, compiler, compiler.scope.condition(compiler.database, by_list=by_list))


def _where(asked: _Question, compiler: Compiler, scope: Sql) -> Sql:
    column = f"{compiler.alias}.lifecycle = %s"
    life = {
        View.ACTIVE_ONLY: Sql(column, (Lifecycle.ACTIVE.value,)),
        View.DELETED_ONLY: Sql(column, (Lifecycle.DELETED.value,)),
        View.ALL: TRUE,
    }
    return joined("AND", [scope, life[asked.view], compiler.where(asked.node)])


def _checked_limit(limit: int) -> int:
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page holds 1 to {MAX_PAGE:,} results, not {limit:,}.", field="max_results")
    return limit


def _run_scope(viewer: Actor, project: Project | None, experiments: Sequence[int] | None) -> Scope:
    """Where this viewer's search looks: never beyond what `visible_to` shows."""
    visible = Experiment.objects.visible_to(viewer)
    if project is not None:
        visible = visible.filter(project=project)
    if experiments is not None:
        known = [pk for pk in dict.fromkeys(experiments) if -(2**63) <= pk < 2**63]
        return _these(visible.filter(pk__in=known))
    seen = sight(viewer, Run.see_permission)
    if project is None:
        alone = None if seen.everything else tuple(sorted(seen.experiments))
        return Scope(experiments=alone, projects=None if seen.everything else tuple(sorted(seen.projects)))
    if not (seen.everything or project.pk in seen.projects):
        return _these(visible)
    few = tuple(visible.order_by("pk").values_list("pk", flat=True)[: NAMED_EXPERIMENTS + 1])
    return Scope(projects=(project.pk,), within=few if len(few) <= NAMED_EXPERIMENTS else ())


def _these(experiments: QuerySet[Experiment]) -> Scope:
    found = tuple(experiments.order_by("pk").values_list("pk", flat=True))
    return Scope(experiments=found, within=found if len(found) <= NAMED_EXPERIMENTS else ())


def _run_compiler(viewer: Actor, asked: _Question, scope: Scope) -> Compiler:
    directions = _directions(viewer, asked, scope)
    return Compiler(RUNS, this_database(), now_ms(), "r", _RUN_VALUES, scope, directions)


def _directions(viewer: Actor, asked: _Question, scope: Scope) -> Directions:
    """What the projects in scope say of the metrics that best() names."""
    fields = [condition.field for condition in comparisons(asked.node)] + [key.field for key in asked.order]
    keys = {field.key for field in fields if field.aggregate is Aggregate.BEST}
    if not keys:
        return Directions()
    said = MetricDirection.objects.visible_to(viewer).filter(key__in=keys)
    if scope.experiments:
        said = said.filter(project__experiments__in=scope.experiments[:1000]).distinct()
    elif scope.projects is not None:
        said = said.filter(project__in=scope.projects)
    higher: dict[str, tuple[UUID, ...]] = {}
    lower: dict[str, tuple[UUID, ...]] = {}
    for key, project, is_higher in said.values_list("key", "project_id", "higher_is_better"):
        side = higher if is_higher else lower
        side[key] = (*side.get(key, ()), project)
    return Directions(higher, lower)


def _run_ties(order: Sequence[OrderKey], compiler: Compiler) -> list[SortKey]:
    return _ties(order, compiler, [("start_time", True), ("run_id", False)])


def _experiment_ties(order: Sequence[OrderKey], compiler: Compiler) -> list[SortKey]:
    return _ties(order, compiler, [("creation_time", True), ("experiment_id", True)])


def _ties(order: Sequence[OrderKey], compiler: Compiler, names: Sequence[tuple[str, bool]]) -> list[SortKey]:
    """What tells rows apart that the asked keys do not, left out where it was asked for."""
    asked = {key.field.key for key in order if key.field.entity is Entity.ATTRIBUTE}
    collation = compiler.database.collation
    columns = compiler.vocabulary.columns
    return [
        column_key(columns[name], descending=down, collation=collation) for name, down in names if name not in asked
    ]
