"""Completion of the query line, and of the fields of its forms."""

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from accounts.queries.settings import setting_of
from experiments.offers import Scope, of_field, offers
from experiments.pages.asked import numbers_in
from experiments.pages.questions import asked_of
from experiments.query_history import NAME as HISTORY
from experiments.refs import number_in
from experiments.search.completion import place_at
from experiments.search.vocabularies import RUNS

TYPED_MAX = 4_000


@require_safe
@signed_in
def of_project(request: HttpRequest, slug: str) -> HttpResponse:
    """Completion among a project's runs."""
    project, asked = asked_of(request, slug)
    return _answer(request, project, asked.experiment_ids)


@require_safe
@signed_in
def of_all(request: HttpRequest) -> HttpResponse:
    """Completion among all runs that one sees."""
    return _answer(request, None, numbers_in(request.GET.getlist("experiment")))


def _answer(request: HttpRequest, project: Project | None, experiments: tuple[int, ...]) -> HttpResponse:
    asked = request.GET
    viewer = actor_of(request)
    if "history" in asked:
        return JsonResponse({"history": setting_of(viewer, HISTORY, project)})
    scope = Scope(viewer, project, experiments)
    if "field" in asked:
        return JsonResponse({"items": [asdict(one) for one in of_field(scope, asked["field"], asked.get("q", ""))]})
    text = asked.get("q", "")[:TYPED_MAX]
    at = number_in(asked.get("at", ""))
    place = place_at(text, len(text) if at is None else at, RUNS)
    items = offers(scope, place) if place else []
    where = {"start": place.start, "end": place.end} if place else {"start": 0, "end": 0}
    return JsonResponse({**where, "items": [asdict(one) for one in items]})
