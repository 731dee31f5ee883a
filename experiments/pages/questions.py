"""What an address asks of a project's runs, answered: the run table, its charts and its files all begin here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from accounts.access import find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, sees_experiments
from experiments.models import Run
from experiments.pages.asked import Asked
from experiments.queries.overview import experiments_of
from experiments.queries.runs import runs_in_order
from experiments.queries.search import FoundRun, Page, search_runs
from experiments.queries.selection import chosen_runs
from experiments.search.errors import QueryError, TakesTooLong
from kernel.actor import Actor

A_PAGE = 100
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a query, with the text around the place. suggestion: what may stand there instead, or ""."""

    before: str
    wrong: str
    after: str
    message: str
    hint: str
    suggestion: str = ""

    @classmethod
    def of(cls, error: QueryError, text: str) -> "Problem":
        start, end = error.start, error.start + max(1, error.length)
        return cls(text[:start], text[start:end] or " ", text[end:], error.message, error.hint, error.suggestion)


def over_to(page: str, project: Project, pairs: Sequence[tuple[str, str]]) -> str:
    """The address of another page about the runs of the same question."""
    return f"{reverse(f'experiments:{page}', args=[project.slug])}?{urlencode(list(pairs))}"


def asked_of(request: HttpRequest, slug: str) -> tuple[Project, Asked]:
    """The project and what an address asks of its runs. Raises NotFound, and Refused for who reads no experiments."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    if not sees_experiments(viewer, project):
        require(viewer, "experiments.see", project)
    asked = Asked.parse(reverse("experiments:runs", args=[project.slug]), request.GET)
    return project, with_default_experiment(viewer, project, asked)


def with_default_experiment(viewer: Actor, project: Project, asked: Asked) -> Asked:
    """MLflow's clients call a project's Default experiment 0, also in the links that they print."""
    if 0 not in asked.experiment_ids:
        return asked
    default = experiments_of(viewer, project, lifecycle=None).filter(is_default=True).values_list("pk", flat=True)
    return replace(asked, experiment_ids=(*(pk for pk in asked.experiment_ids if pk), *default))


def find(
    viewer: Actor, project: Project | None, asked: Asked, searched: Callable[[Actor, Project | None, Asked, str], T]
) -> tuple[T, Problem | None, str]:
    """The page asked for, what is wrong with the query, and the query that was answered: the last good one."""
    try:
        return searched(viewer, project, asked, asked.query), None, asked.query
    except QueryError as error:
        problem = Problem.of(error, asked.query)
        is_slow = isinstance(error, TakesTooLong)
    first = replace(asked, after="")
    if is_slow:  # and whatever else is asked for may be, but the newest runs
        return searched(viewer, project, replace(first, sort=""), ""), problem, ""
    try:
        return searched(viewer, project, first, asked.good), problem, asked.good
    except QueryError:
        return searched(viewer, project, first, ""), problem, ""


def search(
    viewer: Actor, project: Project | None, asked: Asked, text: str, *, limit: int, after: str = ""
) -> Page[FoundRun]:
    """So many of the runs that an address asks for, in its order. Raises QueryError."""
    return search_runs(
        viewer,
        project=project,
        experiments=asked.experiment_ids or None,
        text=text,
        order=asked.order,
        view=asked.lives,
        limit=limit,
        after=after or None,
    )


def search_list(viewer: Actor, project: Project | None, asked: Asked, text: str) -> Page[FoundRun]:
    """A page of the runs, one after the other; of grouped ones only whether there are any. Raises QueryError."""
    if asked.group:
        return search(viewer, project, asked, text, limit=1)
    return search(viewer, project, asked, text, limit=A_PAGE, after=asked.after)


def charted(viewer: Actor, project: Project, asked: Asked, text: str) -> tuple[list[Run], bool]:
    """The runs that charts list, and whether more match: the first `count` in the table's order, then those of `show`.

    Those of `hide` are among them; see Asked.draws. Raises QueryError.
    """
    found = search(viewer, project, asked, text, limit=asked.count)
    runs = runs_in_order(viewer, [run.id for run in found.rows])
    listed = {run.pk for run in runs}
    also = [run for run in chosen_runs(viewer, project, asked.show) if run.pk not in listed]
    return [*runs, *also], found.next_token is not None
