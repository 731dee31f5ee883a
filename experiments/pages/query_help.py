"""How a query is written: examples made of the runs' own keys for the bar, and the whole language as a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts.markdown import as_html
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from experiments.pages.asked import numbers_in
from experiments.pages.questions import asked_of
from experiments.queries.experiments import metric_directions
from experiments.queries.suggestions import figures_of, keys_of, values_of
from experiments.queries.table import newest_in
from experiments.search.literals import is_number
from experiments.search.tree import Aggregate, Entity, Field, written_text
from kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Example:
    """A query and what it finds."""

    text: str
    means: str


@require_safe
@signed_in
def of_project(request: HttpRequest, slug: str) -> HttpResponse:
    """Examples of a project's own keys: the inside of the help."""
    project, asked = asked_of(request, slug)
    return _answer(request, project, asked.experiment_ids)


@require_safe
@signed_in
def of_all(request: HttpRequest) -> HttpResponse:
    """The same of all runs that one sees."""
    return _answer(request, None, numbers_in(request.GET.getlist("experiment")))


def _answer(request: HttpRequest, project: Project | None, experiments: Sequence[int]) -> HttpResponse:
    examples = examples_of(actor_of(request), project, experiments)
    return render(request, "experiments/query_examples.html", {"examples": examples})


def examples_of(viewer: Actor, project: Project | None, experiments: Sequence[int]) -> list[Example]:
    """Queries that the newest runs in scope answer, one of each kind."""
    runs = newest_in(viewer, project, experiments or None)
    keys = keys_of(viewer, runs)
    found = [*_of_metrics(viewer, project, runs, list(keys.metrics))]
    found += _of_params(viewer, runs, list(keys.params))
    tag = next(iter(values_of(viewer, Field(Entity.ATTRIBUTE, "tag"), runs)), "")
    data = next(iter(values_of(viewer, Field(Entity.ATTRIBUTE, "data"), runs)), "")
    found += [Example(f"tag = {written_text(tag)}", "carry this tag")] if tag else []
    found += [Example(f"data = {written_text(data)}", "were built on this dataset")] if data else []
    return [
        *found,
        Example("created > 7d AND status != 'failed'", "of the last seven days, without failures"),
        Example("mine = true", "logged by oneself"),
        Example("NOT (duration > 2h OR status = 'running')", "neither long nor still running"),
    ]


def _of_metrics(viewer: Actor, project: Project | None, runs: list[int], keys: list[str]) -> list[Example]:
    own = [key for key in keys if not key.startswith("system/")]
    directions = metric_directions(viewer, project) if project else {}
    own.sort(key=lambda key: key not in directions)
    if not own:
        return []
    key = own[0]
    figure = Aggregate.BEST if key in directions else Aggregate.LAST
    figures = figures_of(viewer, Field(Entity.METRIC, key), runs)
    middle = f"{figures[len(figures) // 2]:.3g}" if figures else "0.5"
    sign = "<" if directions.get(key) is False else ">"
    words = "whose best value is beyond this" if figure is Aggregate.BEST else "whose last value is beyond this"
    return [Example(f"{Field(Entity.METRIC, key, figure)} {sign} {middle}", words)]


def _of_params(viewer: Actor, runs: list[int], keys: list[str]) -> list[Example]:
    """One of words, one of numbers."""
    found: dict[str, Example] = {}
    for key in keys[:12]:
        field = Field(Entity.PARAM, key)
        values = list(values_of(viewer, field, runs))[:2]
        if not values:
            continue
        if all(is_number(value) for value in values):
            found.setdefault(
                "number", Example(f"{field} <= {max(values, key=float)}", "with at most this, as a number")
            )
        elif len(values) > 1:
            listed = ", ".join(written_text(value) for value in values)
            found.setdefault("words", Example(f"{field} IN ({listed})", "with one of these"))
    return [found[kind] for kind in ("words", "number") if kind in found]


@require_safe
@signed_in
def language(request: HttpRequest) -> HttpResponse:
    """The whole language, from the manual."""
    return render(request, "experiments/query_language.html", {"manual": _manual()})


@cache
def _manual() -> SafeString:
    """The manual without its title, which the page has itself."""
    text = (Path(settings.BASE_DIR) / "docs" / "query-language.md").read_text(encoding="utf-8")
    return as_html(text.partition("\n")[2])
