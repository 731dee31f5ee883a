"""People who see one experiment without a role in its project."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.access import require
from accounts.models import User
from experiments.models import Experiment, ExperimentUserObjectPermission
from kernel.actor import Actor
from kernel.errors import NotFound


def guests_of(viewer: Actor, experiment: Experiment) -> QuerySet[User]:
    """The guests of an experiment, for those who let them in. Raises Refused, NotFound."""
    require(viewer, "experiments.grant_access", experiment)
    grants = ExperimentUserObjectPermission.objects.filter(content_object=experiment)
    guests: QuerySet[User] = User.objects.filter(pk__in=grants.values("user_id"))
    return guests


def find_guest(viewer: Actor, experiment: Experiment, user_id: UUID) -> User:
    """One guest of an experiment. Raises NotFound."""
    guest = guests_of(viewer, experiment).filter(pk=user_id).first()
    if guest is None:
        raise NotFound("No such guest was found.")
    return guest
