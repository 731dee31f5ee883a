"""Runs for lists, with what a list shows of each."""

from collections.abc import Sequence

from django.db.models import QuerySet

from experiments.gone import without_gone
from experiments.models import Run
from kernel.actor import Actor


def runs_to_list(viewer: Actor) -> QuerySet[Run]:
    """Every run that the viewer may see, deleted ones too, with its project, experiment, user and parent."""
    seen = without_gone(Run.objects.visible_to(viewer))
    return seen.select_related("project", "experiment", "created_by", "parent")


def runs_by_key(viewer: Actor, keys: Sequence[int]) -> list[Run]:
    """These runs (by primary key) in this order; those out of sight are left out."""
    found = runs_to_list(viewer).in_bulk(keys)
    return [found[key] for key in keys if key in found]
