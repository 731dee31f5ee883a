"""Where a viewer's search for runs looks, and what is known there before it is compiled."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import sees_whole, sight
from accounts.models import Project
from audit.ledger.inserting import compiling_cursor
from experiments.models import Experiment, MetricDirection, Run
from experiments.search.compile import Compiler, Directions, KeyedTable, Scope
from experiments.search.databases import Sql, fetch, this_database
from experiments.search.limits import NAMED_EXPERIMENTS
from experiments.search.question import Question
from experiments.search.tree import Aggregate, Entity, comparisons
from experiments.search.vocabularies import RUNS
from kernel.actor import Actor
from kernel.clock import now_ms

_RUN_VALUES: Final = {
    Entity.METRIC: KeyedTable("experiments_metricseries", "run_id"),
    Entity.PARAM: KeyedTable("experiments_param", "run_id"),
    Entity.TAG: KeyedTable("experiments_runtag", "run_id"),
}


def run_compiler(viewer: Actor, asked: Question, scope: Scope) -> Compiler:
    """What makes SQL of a question for this viewer."""
    directions = _directions(viewer, asked, scope)
    return Compiler(RUNS, this_database(), now_ms(), "r", _RUN_VALUES, scope, directions, viewer=viewer.user_id)


def _directions(viewer: Actor, asked: Question, scope: Scope) -> Directions:
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


def run_scope(viewer: Actor, project: Project | None, experiments: Sequence[int] | None) -> Scope:
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
    text = "SELECT e.id FROM experiments_experiment e WHERE e.project_id = %s"
    params: tuple[Any, ...] = (database.uid(project.pk),)
    if experiments is None:
        found = fetch(Sql(f"{text} ORDER BY e.id LIMIT %s", (*params, NAMED_EXPERIMENTS + 1)))
        few = tuple(pk for (pk,) in found)
        return Scope(projects=(project.pk,), within=few if len(few) <= NAMED_EXPERIMENTS else ())
    known = database.among("e.id", [pk for pk in dict.fromkeys(experiments) if -(2**63) <= pk < 2**63])
    with compiling_cursor() as cursor:
        cursor.execute(f"{text} AND {known.text} ORDER BY e.id", [*params, *known.params])
        return _scope_of(tuple(pk for (pk,) in cursor.fetchall()))


def _these(experiments: QuerySet[Experiment]) -> Scope:
    return _scope_of(tuple(experiments.order_by("pk").values_list("pk", flat=True)))


def _scope_of(found: tuple[int, ...]) -> Scope:
    return Scope(experiments=found, within=found if len(found) <= NAMED_EXPERIMENTS else ())
