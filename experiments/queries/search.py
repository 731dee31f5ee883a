"""Search runs: what the viewer may see, filtered, sorted and cut into pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypedDict, TypeVar, Unpack
from uuid import UUID

from accounts.models import Project
from experiments.queries.search_scope import run_compiler, run_scope
from experiments.queries.search_walks import ties_for, walks_for
from experiments.search.columns import Dialect
from experiments.search.compile import Compiler
from experiments.search.databases import Sql, fetch, this_database
from experiments.search.errors import TakesTooLong
from experiments.search.grammar import parse
from experiments.search.lanes import by_experiment, lanes_for, where_walked
from experiments.search.limits import COUNT_STOP
from experiments.search.nesting import Nesting
from experiments.search.ordering import SortKey, parse_orders, sort_keys, stages
from experiments.search.question import Question, View, checked_limit, run_tie_keys, run_where
from experiments.search.rare import with_rare_conditions
from experiments.search.records import RECORD_DETAILS, RunRecord, record_columns, with_data
from experiments.search.rows import RUN_COLUMNS, RUN_DETAILS, FoundRun, load_run_data
from experiments.search.statement import Page, Statement, Walks, read_page
from experiments.search.vocabularies import RUNS
from kernel.actor import Actor

__all__ = [
    "Dialect",
    "FoundCount",
    "FoundRun",
    "Page",
    "View",
    "count_runs",
    "load_run_data",
    "matching_runs",
    "runs_by_project",
    "search_records",
    "search_runs",
    "start_of_newest",
]
T = TypeVar("T")


class Asked(TypedDict, total=False):
    """What is asked of a search for runs.

    project, experiments (by primary key): where to look; unknown ones and those out of sight hold nothing. order: keys
    such as `metrics.loss DESC`; after them newest start first. after: the token of the page before. nesting: which part
    of the tree of nested runs.
    """

    project: Project | None
    experiments: Sequence[int] | None
    text: str
    dialect: Dialect
    order: Sequence[str]
    view: View
    limit: int
    after: str | None
    nesting: Nesting | None


def search_runs(viewer: Actor, **asked: Unpack[Asked]) -> Page[FoundRun]:
    """The runs that the viewer may see and that satisfy a filter, one page of them.

    At most two statements after those that find the scope. Raises QueryError for filter and order, Invalid for limit
    and token.
    """
    columns = RUN_COLUMNS.format(uid=this_database().hex("r.uid"))
    return _page(viewer, _Shown(columns, RUN_DETAILS, len(FoundRun._fields), FoundRun._make), **asked)


def search_records(viewer: Actor, *, holding: str = "FALSE", **asked: Unpack[Asked]) -> Page[RunRecord]:
    """The same runs with what they hold. holding: a condition on a run `r`, true where another room has more of it."""
    shown = _Shown(record_columns(holding), RECORD_DETAILS, len(RunRecord._fields), RunRecord._make)
    return with_data(_page(viewer, shown, **asked))


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
    asked = Question(parse(text, dialect, RUNS), (), view, 1)
    compiler = run_compiler(viewer, asked, run_scope(viewer, project, experiments))
    try:
        number = _counted(asked, with_rare_conditions(compiler, asked.node, few=COUNT_STOP))
    except TakesTooLong:
        return FoundCount(0, at_least=True)
    return FoundCount.of(number)


def _counted(asked: Question, compiler: Compiler) -> int:
    where = run_where(asked, compiler)
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
    asked = Question(parse(text, dialect, RUNS), (), view, 1)
    compiler = run_compiler(viewer, asked, run_scope(viewer, project, experiments))
    return run_where(asked, compiler), compiler


def start_of_newest(viewer: Actor, newest: int, where: Sql, compiler: Compiler) -> int | None:
    """When the first of the newest so many started, of what `matching_runs` gave; None if there are no others."""
    keys = sort_keys((), compiler, ties=run_tie_keys((), compiler), numeric_params=True)
    found = _runs_by(keys, where, walks_for(viewer, keys[0], compiler, where), _IDS).found(
        stages(keys)[0], None, newest + 1
    )
    beyond = f"SELECT m.v0 FROM ({found.text}) m ORDER BY m.v0 DESC LIMIT 2 OFFSET %s"  # noqa: S608
    rows = fetch(Sql(beyond, (*found.params, newest - 1)))
    return int(rows[0][0]) if len(rows) == 2 else None


# How a question becomes a page.


@dataclass(frozen=True, slots=True)
class _Shown(Generic[T]):
    """What a page has of each run: so many columns, joined by details, and what is made of them."""

    columns: str
    details: str
    width: int
    make: Callable[[Sequence[Any]], T]


_IDS = _Shown("r.id", "", 1, tuple)


def _page(
    viewer: Actor,
    shown: _Shown[T],
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
) -> Page[T]:
    asked = Question(parse(text, dialect, RUNS), parse_orders(order, dialect, RUNS), view, checked_limit(limit))
    scope = run_scope(viewer, project, experiments)
    compiler = with_rare_conditions(run_compiler(viewer, asked, scope), asked.node)
    keys = sort_keys(
        asked.order, compiler, ties=run_tie_keys(asked.order, compiler), numeric_params=dialect is Dialect.FULL
    )
    where = run_where(asked, compiler) if nesting is None else nesting.where(compiler, compiler.where(asked.node))
    is_of_few = compiler.is_of_few(asked.node)
    lanes = () if is_of_few else lanes_for(asked, compiler, where)
    walks = None if is_of_few else by_experiment(compiler) if lanes else walks_for(viewer, keys[0], compiler, where)
    walked = where_walked(asked, compiler, keys[0]) if walks and nesting is None else None
    statement = replace(_runs_by(keys, where, walks, shown), where_walked=walked, lanes=lanes)
    asked_scope = (dialect, project and project.pk, experiments if experiments is None else sorted(experiments))
    question = asked.digest(asked_scope if nesting is None else (*asked_scope, nesting.name))
    ties = ties_for(viewer, asked, compiler, keys, where) if walks and keys[0].table else None
    return read_page(
        statement, question, limit=asked.limit, after=after, make=shown.make, first=ties.rows if ties else None
    )


def _runs_by(keys: list[SortKey], where: Sql, walks: Walks | None, shown: _Shown[Any]) -> Statement:
    return Statement(
        table="experiments_run r",
        alias="r",
        columns=shown.columns,
        details=shown.details,
        width=shown.width,
        where=where,
        keys=keys,
        walks=walks,
    )
