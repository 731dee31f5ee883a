"""Into which experiment something is launched: one that is there, or a new one that is made together with it."""

from collections.abc import Callable
from typing import TypeVar

from django.db import transaction

from accounts.models import Project
from experiments.actions.experiments import create_experiment
from experiments.models import Experiment
from experiments.queries.experiments import get_experiment_by_name
from kernel.actor import Actor
from kernel.errors import AlreadyExists, Invalid, NotFound

T = TypeVar("T")


def in_experiment(actor: Actor, project: Project, named: Experiment | str, do: Callable[[Experiment], T]) -> T:
    """Do it in this experiment, or in the one of this name. A new one stays only where what is done is not refused.

    Raises what making one and doing it raise; then nothing was written.
    """
    if isinstance(named, Experiment):
        return do(named)
    with transaction.atomic():
        return do(_found_or_made(actor, project, named))


def _found_or_made(actor: Actor, project: Project, name: str) -> Experiment:
    try:
        return get_experiment_by_name(actor, name, project=project)
    except NotFound:
        pass
    try:
        return create_experiment(actor, project, name=name)
    except AlreadyExists:  # somebody else made it just now
        return get_experiment_by_name(actor, name, project=project)
    except Invalid as error:
        raise Invalid(error.message, hint=error.hint, field="experiment") from None
