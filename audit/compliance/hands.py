"""Four eyes: who had a hand in a run, so that somebody else decides about it."""

from typing import TYPE_CHECKING
from uuid import UUID

from audit.compliance.models import Finding, Review, Waiver
from audit.compliance.rules.record import Record
from experiments.models import Run
from experiments.values import ReviewState
from kernel.actor import Actor
from kernel.errors import Conflict, MledError, Refused

if TYPE_CHECKING:
    from django.db.models import QuerySet

DECIDING = frozenset({"compliance.decide_review", "compliance.find", "compliance.cosign_waiver"})


def hands_in(run: Run) -> set[UUID]:
    """Authors and contributors of a run, and whoever submitted it, by the log."""
    submitters = Review.objects.filter(run=run).exclude(submitted_by=None).values_list("submitted_by", flat=True)
    return Record(run).contributors | set(submitters)


def refuse_hands(actor: Actor, permission: str, subject: Review | Finding | Waiver | Run) -> MledError | None:
    """What somebody who had a hand in a run is told when deciding about it."""
    if permission not in DECIDING or not actor.is_person or actor.user_id is None:
        return None
    run = subject if isinstance(subject, Run) else subject.run
    if actor.user_id not in hands_in(run):
        return None
    return Refused(
        f"You had a hand in {run.readable_id}, so somebody else decides about it.", hint="Ask another auditor."
    )


def refuse_unlocking(actor: Actor, permission: str, run: Run) -> MledError | None:
    """What was submitted in a governed project stays locked, whoever asks."""
    if permission != "experiments.lock_run" or not actor.is_person or not run.is_locked:
        return None
    rounds = Review.objects.filter(run=run, draw=None).exclude(state=Review.State.WITHDRAWN)
    # What its author had locked before was not locked by the submission, and stays locked all the same.
    if not (rounds.exists() if run.project.is_governed else rounds.filter(locks=True).exists()):
        return None
    return Refused(
        f"{run.readable_id} was submitted for review, so it stays locked.",
        hint="Amend it with a reason, or withdraw the submission while nobody has decided.",
    )


def refuse_deletion(actor: Actor, runs: "QuerySet[Run]") -> None:
    """Raise Conflict where one of the runs was submitted or approved: nobody deletes those."""
    reviewed = runs.exclude(review_state=ReviewState.NOT_REVIEWED).select_related("project").first()
    if reviewed is not None:
        words = f"{reviewed.readable_id} is {ReviewState(reviewed.review_state).label.lower()}, so it stays."
        raise Conflict(words, hint="What was submitted for review is never deleted.")
