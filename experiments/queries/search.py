"""Search runs and experiments: what the viewer may see, filtered, sorted and cut into pages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import sees_whole, sight
from accounts.models import Project
from experiments.gone import still_there
from experiments.models import Experiment, MetricDirection, Run
from experiments.search.columns import Dialect
from experiments.search.compile import Compiler, Directions, KeyedTable, Scope
from experiments.search.databases import TRUE, Sql, fetch, joined, this_database
from experiments.search.errors import TakesTooLong
from experiments.search.grammar import parse
from experiments.search.limits import (
    COUNT_STOP,
    MAX_MERGED,
    MAX_MERGED_TEXT,
    MAX_PAGE,
    NAMED_EXPERIMENTS,
)
from experiments.search.nesting import Nesting
from experiments.search.ordering import (
    OrderKey,
    SortKey,
    column_key,
    parse_orders,
    sort_keys,
    stages,
)
from experiments.search.rare import is_among_many, with_rare_conditions
from experiments.search.rows import (
    EXPERIMENT_COLUMNS,
    EXPERIMENT_DETAILS,
    RUN_COLUMNS,
    RUN_DETAILS,
    FoundExperiment,
    FoundRun,
    load_experiment_tags,
    load_run_data,
)
from experiments.search.statement import Lane, Page, Statement, Walks, read_page
from experiments.search.ties import Ties
from experiments.search.tree import Aggregate, Entity, Field, Node, comparisons
from experiments.search.vocabularies import EXPERIMENTS, RUNS
from experiments.values import Lifecycle, RunStatus
from kernel.actor import Actor
from kernel.clock import now_ms
from kernel.errors import Invalid
from kernel.paging import question_digest

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
    "matching_runs",
    "runs_by_project",
    "search_experiments",
    "search_runs",
    "start_of_newest",
]

_RUN_VALUES = {
    Entity.METRIC: KeyedTable("experiments_metricseries", "run_id"),
    Entity.PARAM: KeyedTable("experiments_param", "run_id"),
    Entity.TAG: KeyedTable("experiments_runtag", "run_id"),
}
_STATUS = Field(Entity.ATTRIBUTE, "status")
_EXPERIMENT_VALUES = {Entity.TAG: KeyedTable("experiments_experimenttag", "experiment_id", scoped=False)}


class View(StrEnum):
    """Which of them, by life: as the MLflow protocol names it."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"


@dataclass(frozen=True, slots=True)
class FoundCount:
    """How many there are; at_least: counting stopped there, there are more (0: it took too long, who knows)."""

    number: int
    at_least: bool

    @classmethod
    def of(cls, number: int) -> "FoundCount":
        """Of what was counted up to COUNT_STOP and one."""
        return cls(min(number, COUNT_STOP), number > COUNT_STOP)

    def __str__(self) -> str:
        if self.at_least and not self.number:
            return "many"
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
    nesting: Nesting | None = None,
) -> Page[FoundRun]:
    """The runs that the viewer may see and that satisfy a filter, one page of them.

    project, experiments (by primary key): where to look; unknown ones and those out of sight hold nothing. order: keys
    such as `metrics.loss DESC`; after them newest start first. after: the token of the page before. nesting: which part
    of the tree of nested runs. At most two statements after those that find the scope. Raises QueryError for filter and
    order, Invalid for limit and token.
    """
    asked = _Question(parse(text, dialect, RUNS), parse_orders(order, dialect, RUNS), view, _checked_limit(limit))
    scope = _run_scope(viewer, project, experiments)
    compiler = with_rare_conditions(_run_compiler(viewer, asked, scope), asked.node)
    keys = sort_keys(
        asked.order, compiler, ties=_run_ties(asked.order, compiler), numeric_params=dialect is Dialect.FULL
    )
    where = _run_where(asked, compiler) if nesting is None else nesting.where(compiler, compiler.where(asked.node))
    is_of_few = compiler.is_of_few(asked.node)
    lanes = () if is_of_few else _lanes(asked, compiler, where)
    walks = None if is_of_few else _by_experiment(compiler) if lanes else _walks(viewer, keys[0], compiler, where)
    walked = _where_walked(asked, compiler, keys[0]) if walks and nesting is None else None
    statement = replace(_runs_by(keys, where, walks, compiler), where_walked=walked, lanes=lanes)
    asked_scope = (dialect, project and project.pk, experiments if experiments is None else sorted(experiments))
    question = asked.digest(asked_scope if nesting is None else (*asked_scope, nesting.name))
    ties = _ties_of(viewer, asked, compiler, keys, where) if walks and keys[0].table else None
    return read_page(
        statement, question, limit=asked.limit, after=after, make=FoundRun._make, first=ties.rows if ties else None
    )


def count_runs(
    viewer: Actor,
    *,
    project: Project | None = None,
    experiments: Sequence[int] | None = None,
    text: str = "",
    dialect: Dialect = Dialect.FULL,
    view: View = View.ACTIVE_ONLY,
) -> FoundCount:
    """How many runs `search_runs` would find; counting stops at 10,000, or where it takes too long."""
    asked = _Question(parse(text, dialect, RUNS), (), view, 1)
    compiler = _run_compiler(viewer, asked, _run_scope(viewer, project, experiments))
    try:
        number = _counted(asked, with_rare_conditions(compiler, asked.node, few=COUNT_STOP))
    except TakesTooLong:
        return FoundCount(0, at_least=True)
    return FoundCount.of(number)


def _counted(asked: "_Question", compiler: Compiler) -> int:
    where = _run_where(asked, compiler)
    statement = f"SELECT COUNT(*) FROM (SELECT 1 FROM experiments_run r WHERE {where.text} LIMIT %s) AS found"  # noqa: S608
    [(number,)] = fetch(Sql(statement, (*where.params, COUNT_STOP + 1)))
    return int(number)


def runs_by_project(
    viewer: Actor, *, experiments: Sequence[int] | None = None, text: str = "", view: View = View.ACTIVE_ONLY
) -> list[tuple[Project, int]]:
    """The projects whose runs `search_runs` would find, with how many each has. Raises QueryError."""
    where, _ = matching_runs(viewer, experiments=experiments, text=text, view=view)
    statement = f"SELECT r.project_id, COUNT(*) FROM experiments_run r WHERE {where.text} GROUP BY r.project_id"  # noqa: S608
    counts = {UUID(str(project)): number for project, number in fetch(Sql(statement, where.params))}
    return [(one, counts[one.pk]) for one in Project.objects.filter(pk__in=list(counts)).order_by("slug")]


def matching_runs(
    viewer: Actor,
    *,
    project: Project | None = None,
    experiments: Sequence[int] | None = None,
    text: str = "",
    dialect: Dialect = Dialect.FULL,
    view: View = View.ACTIVE_ONLY,
) -> tuple[Sql, Compiler]:
    """What `search_runs` looks for as a condition on `experiments_run r`, within the sight of the viewer."""
    asked = _Question(parse(text, dialect, RUNS), (), view, 1)
    compiler = _run_compiler(viewer, asked, _run_scope(viewer, project, experiments))
    return _run_where(asked, compiler), compiler


def start_of_newest(viewer: Actor, newest: int, where: Sql, compiler: Compiler) -> int | None:
    """When the first of the newest so many started, of what `matching_runs` gave; None if there are no others."""
    keys = sort_keys((), compiler, ties=_run_ties((), compiler), numeric_params=True)
    found = _runs_by(keys, where, _walks(viewer, keys[0], compiler, where), compiler).found(
        stages(keys)[0], None, newest + 1
    )
    beyond = f"SELECT m.v0 FROM ({found.text}) m ORDER BY m.v0 DESC LIMIT 2 OFFSET %s"  # noqa: S608
    rows = fetch(Sql(beyond, (*found.params, newest - 1)))
    return int(rows[0][0]) if len(rows) == 2 else None


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
    statement = Statement(
        table="experiments_experiment e",
        alias="e",
        columns=EXPERIMENT_COLUMNS,
        details=EXPERIMENT_DETAILS,
        width=len(FoundExperiment._fields),
        where=_where(asked, compiler, inside),
        keys=sort_keys(orders, compiler, ties=_experiment_ties(orders, compiler), numeric_params=False),
    )
    question = asked.digest((dialect, project and project.pk))
    return read_page(statement, question, limit=asked.limit, after=after, make=FoundExperiment._make)


# How a question becomes a page.


@dataclass(frozen=True, slots=True)
class _Question:
    node: Node
    order: tuple[OrderKey, ...]
    view: View
    limit: int

    def digest(self, scope: object) -> str:
        """What a page token is bound to."""
        return question_digest(str(self.node), [str(key) for key in self.order], self.view.value, scope)


def _runs_by(keys: list[SortKey], where: Sql, walks: Walks | None, compiler: Compiler) -> Statement:
    return Statement(
        table="experiments_run r",
        alias="r",
        columns=RUN_COLUMNS.format(uid=compiler.database.hex("r.uid")),
        details=RUN_DETAILS,
        width=len(FoundRun._fields),
        where=where,
        keys=keys,
        walks=walks,
    )


def _walks(viewer: Actor, first: SortKey, compiler: Compiler, where: Sql) -> Walks | None:
    """Where to follow the index of the first key.

    SQLite's statement has the filter once for each place, so there a very long one is left to a single SELECT.
    """
    walks = _walks_by_value(first, compiler) if first.table else _walks_by_start(viewer, first, compiler)
    return walks if walks is not None and _may_merge(len(walks.places), compiler, where) else None


def _may_merge(places: int, compiler: Compiler, where: Sql) -> bool:
    length = places * (len(where.text) + len(where.params))
    return compiler.plans_itself or (places <= MAX_MERGED and length <= MAX_MERGED_TEXT)


def _where_walked(asked: _Question, compiler: Compiler, first: SortKey) -> Sql | None:
    """The condition, where each run is looked at by the row that sorts it, before it is read itself: 12 of 13 that an
    order came by were read for nothing (5,000 runs by a loss, two conditions: 4.9 ms instead of 8.4)."""
    if not first.table:
        return None
    return _run_where(asked, replace(compiler, probed=f"{first.table.split()[-1]}.run_id"))


def _lanes(asked: _Question, compiler: Compiler, where: Sql) -> tuple[Lane, ...]:
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


def _ties_of(viewer: Actor, asked: _Question, compiler: Compiler, keys: Sequence[SortKey], where: Sql) -> Ties | None:
    """By one value alone, among many runs."""
    if len(asked.order) > 1 or asked.order[0].field.aggregate is not Aggregate.LAST or not is_among_many(compiler):
        return None
    return Ties(asked.order[0], asked.node, compiler, _walks(viewer, keys[1], compiler, where))


def _by_experiment(compiler: Compiler) -> Walks:
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


def _run_where(asked: _Question, compiler: Compiler) -> Sql:
    by_list = compiler.starts_from_list(asked.node)
    where = _where(asked, compiler, compiler.scope.condition(compiler.database, by_list=by_list))
    return where if asked.view is View.ACTIVE_ONLY else joined("AND", [where, still_there(compiler.alias)])


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
    if project is not None and sees_whole(viewer, Run.see_permission, project.pk):
        return _scope_in(project, experiments)
    visible = Experiment.objects.visible_to(viewer)
    if project is not None:
        visible = visible.filter(project=project)
    if experiments is not None:
        known = [pk for pk in dict.fromkeys(experiments) if -(2**63) <= pk < 2**63]
        return _these(visible.filter(pk__in=known))
    seen = sight(viewer, Run.see_permission)
    if project is not None and not (seen.everything or project.pk in seen.projects):
        return _these(visible)
    few = tuple(visible.order_by("pk").values_list("pk", flat=True)[: NAMED_EXPERIMENTS + 1])
    within = few if len(few) <= NAMED_EXPERIMENTS else ()
    if project is not None:
        return Scope(projects=(project.pk,), within=within)
    if seen.everything:
        return Scope(within=within)
    return Scope(tuple(sorted(seen.experiments)), tuple(sorted(seen.projects)), within)


def _scope_in(project: Project, experiments: Sequence[int] | None) -> Scope:
    """The whole project, or some of its experiments. Asked for by each search of a client: composed by the ORM it took
    longer than the search."""
    database = this_database()
    text, params = "SELECT e.id FROM experiments_experiment e WHERE e.project_id = %s", [database.uid(project.pk)]
    if experiments is None:
        found = fetch(Sql(f"{text} ORDER BY e.id LIMIT %s", (*params, NAMED_EXPERIMENTS + 1)))
        few = tuple(pk for (pk,) in found)
        return Scope(projects=(project.pk,), within=few if len(few) <= NAMED_EXPERIMENTS else ())
    known = database.among("e.id", [pk for pk in dict.fromkeys(experiments) if -(2**63) <= pk < 2**63])
    rows = fetch(Sql(f"{text} AND {known.text} ORDER BY e.id", (*params, *known.params)))
    return _scope_of(tuple(pk for (pk,) in rows))


def _these(experiments: QuerySet[Experiment]) -> Scope:
    return _scope_of(tuple(experiments.order_by("pk").values_list("pk", flat=True)))


def _scope_of(found: tuple[int, ...]) -> Scope:
    return Scope(experiments=found, within=found if len(found) <= NAMED_EXPERIMENTS else ())


def _run_compiler(viewer: Actor, asked: _Question, scope: Scope) -> Compiler:
    directions = _directions(viewer, asked, scope)
    return Compiler(RUNS, this_database(), now_ms(), "r", _RUN_VALUES, scope, directions, viewer=viewer.user_id)


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
