"""Runs for lists, with what a list shows of each."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet
from django.db.models.functions import Left

from accounts.models import User
from experiments.gone import without_gone
from experiments.models import Experiment, Run, RunTag
from kernel.actor import Actor

EMAIL = "mled.email"


def runs_to_list(viewer: Actor) -> QuerySet[Run]:
    """Every run that the viewer may see, deleted ones too, with its project, experiment, user and parent."""
    seen = without_gone(Run.objects.visible_to(viewer))
    return seen.select_related("project", "experiment", "created_by", "parent")


def runs_in(viewer: Actor, parent: Run) -> QuerySet[Run]:
    """The runs right below one, deleted ones too."""
    return runs_to_list(viewer).filter(parent=parent)


def with_email(viewer: Actor, address: str) -> Q:
    """The condition of runs whose author has this address, or whose tag `mled.email` says it.

    The tag says it in small letters, as recording writes it, or as the address is spelled here: so the index finds it.
    """
    places = Experiment.objects.visible_to(viewer)  # as the index of tags is by experiment
    labelled = RunTag.objects.alias(text=Left("value", 200)).filter(
        experiment__in=places.values("pk"),
        key=EMAIL,
        text__in={address[:200], address[:200].lower()},
        value__iexact=address,
    )
    people = list(User.objects.filter(email=address.lower()).values_list("pk", flat=True))
    return Q(created_by__in=people) | Q(pk__in=labelled.values("run"))


def runs_by_key(viewer: Actor, keys: Sequence[int]) -> list[Run]:
    """These runs (by primary key) in this order; those out of sight are left out."""
    found = runs_to_list(viewer).in_bulk(keys)
    return [found[key] for key in keys if key in found]
