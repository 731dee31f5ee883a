"""The stars of a viewer: nobody else sees them."""

from collections.abc import Sequence
from typing import cast

from django.db.models import Q, QuerySet

from experiments.models import Run, Star
from experiments.queries.overview import newest_of
from experiments.values import Lifecycle
from kernel.actor import Actor


def starred_among(viewer: Actor, runs: Sequence[int]) -> frozenset[int]:
    """Those of these runs (by primary key) that the viewer starred: one query."""
    return frozenset(_own_stars(viewer).filter(run__in=runs).values_list("run_id", flat=True)) if runs else frozenset()


def starred_runs(viewer: Actor, *, limit: int) -> list[Run]:
    """The runs that the viewer starred and may still see, the last starred first; deleted ones are left out."""
    stars = _own_stars(viewer).filter(run__lifecycle=Lifecycle.ACTIVE)
    found = stars.select_related("run__project", "run__experiment", "run__created_by").order_by("-id")
    return [star.run for star in found[:limit]]


def with_star(viewer: Actor, *, is_on: bool) -> Q:
    """The runs that the viewer starred, or the others, as a condition on runs that were read for them."""
    own = Q(pk__in=_own_stars(viewer).values("run"))
    return own if is_on else ~own


def runs_of_viewer(viewer: Actor, *, limit: int) -> list[Run]:
    """The runs that the viewer logged and may still see, newest first."""
    if viewer.user_id is None:
        return []
    runs = Run.objects.visible_to(viewer).filter(lifecycle=Lifecycle.ACTIVE, created_by_id=viewer.user_id)
    return newest_of(runs, limit)


def _own_stars(viewer: Actor) -> "QuerySet[Star]":
    stars = Star.objects.visible_to(viewer)
    return cast("QuerySet[Star]", stars.filter(user_id=viewer.user_id) if viewer.user_id else stars.none())
