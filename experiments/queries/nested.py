"""The tree of nested runs: a page of its top, or of what is right below a run, and how much matches below each."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F

from accounts.models import Project
from experiments.models import Experiment, Run
from experiments.queries.search import FoundRun, Page, View, matching_runs, search_runs
from experiments.search import nesting
from experiments.search.nesting import Nesting, Reach
from experiments.values import Lifecycle
from kernel.actor import Actor

LIFE = {View.ACTIVE_ONLY: Lifecycle.ACTIVE, View.DELETED_ONLY: Lifecycle.DELETED, View.ALL: None}


@dataclass(frozen=True, slots=True)
class TreePage:
    """Rows in order. matching: those that fit the filter themselves, the others stand over one that does; below: how
    many runs fit it below each row, at any depth, where there are any."""

    page: Page[FoundRun]
    matching: frozenset[int]
    below: dict[int, int]


def has_nested(viewer: Actor, *, project: Project | None = None, experiments: Sequence[int] | None = None) -> bool:
    """Whether a run in scope is nested in another."""
    places = Experiment.objects.visible_to(viewer)
    if project is not None:
        places = places.filter(project=project)
    if experiments is not None:
        places = places.filter(pk__in=[pk for pk in experiments if -(2**63) <= pk < 2**63])
    found: bool = Run.objects.filter(experiment__in=places, parent__isnull=False).exists()
    return found


def count_left_behind(viewer: Actor, moved: Sequence[Run]) -> int:
    """How many runs are nested in one of these and are in another experiment than it."""
    below = Run.objects.visible_to(viewer).filter(parent__in=[run.pk for run in moved], lifecycle=Lifecycle.ACTIVE)
    return int(below.exclude(experiment=F("parent__experiment")).count())


def search_tree(
    viewer: Actor,
    *,
    project: Project | None = None,
    experiments: Sequence[int] | None = None,
    text: str = "",
    order: Sequence[str] = (),
    view: View = View.ACTIVE_ONLY,
    limit: int,
    after: str | None = None,
    parent: int | None = None,
) -> TreePage:
    """One page of the tree, sorted as asked: of its top, or of what is right below a run (by primary key).

    A run whose parent is out of scope, of another life or out of sight stands at the top. A handful of statements,
    however many runs there are. Raises as `search_runs`.
    """
    where, compiler = matching_runs(viewer, project=project, experiments=experiments, text=text, view=view)
    reach = Reach(compiler, LIFE[view])
    cut = nesting.loops(reach)
    over = nesting.over(reach, where, cut) if text.strip() else None
    page = search_runs(
        viewer,
        project=project,
        experiments=experiments,
        text=text,
        order=order,
        view=view,
        limit=limit,
        after=after,
        nesting=Nesting(LIFE[view], parent, over, cut),
    )
    shown = [run.id for run in page.rows]
    if not shown:
        return TreePage(page, frozenset(), {})
    matching = frozenset(shown) if over is None else nesting.holding(reach, where, shown)
    return TreePage(page, matching, nesting.below(reach, where, shown, cut))
