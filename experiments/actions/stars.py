"""Stars: runs that somebody wants to find again, for themselves alone."""

from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.decorators import action
from audit.ledger.acting import current_act
from experiments.models import Run, Star
from kernel.actor import Actor
from kernel.errors import Refused

STAR = "experiments.star"


@action(STAR, on="run")
def star_run(actor: Actor, run: Run) -> Star:
    """Star a run, in whatever state it is. Starring it again changes nothing. Raises Refused for who is no person."""
    user_id = _person(actor)
    held = _star(run, user_id)
    if held is not None:
        return held
    star = Star(run=run, user_id=user_id)
    try:
        with transaction.atomic():
            star.save()
    except IntegrityError:  # starred in another window meanwhile
        return Star.objects.get(run=run, user_id=user_id)
    return star


@action(STAR, on="run")
def unstar_run(actor: Actor, run: Run) -> None:
    """Take one's star back; without one nothing changes. The event speaks of the star, not of the run."""
    held = _star(run, _person(actor))
    if held is not None:
        current_act().speaks_of(held.ledger_subject)
        held.delete()


def _star(run: Run, user_id: UUID) -> Star | None:
    found: Star | None = Star.objects.select_for_update(of=("self",)).filter(run=run, user_id=user_id).first()
    return found


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise Refused("Only people have stars.", hint="Sign in, or send a token.")
    return actor.user_id
