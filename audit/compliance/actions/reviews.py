"""Reviews of runs: submitted by their authors, decided by auditors with a signature, amended with a reason."""

import datetime as dt
from collections.abc import Mapping

from django.db import IntegrityError, transaction

from accounts.access import not_found
from accounts.decorators import action
from accounts.models import User
from accounts.notices import tell
from accounts.signing import Proof, covered_at, sign
from audit.compliance.actions.assessments import assess_run
from audit.compliance.actions.findings import Flag, open_finding_in
from audit.compliance.judging import results_in
from audit.compliance.models import Finding, Review
from audit.compliance.reviewers import may_review
from audit.compliance.rules.engine import RULES, Judged
from audit.compliance.texts import kept_text
from audit.compliance.verdict import digest_of_facts, is_as_signed, record_of
from audit.ledger.acting import current_act
from experiments.actions.batches import write_params
from experiments.actions.runs import RUN_NAME, amend_tags
from experiments.actions.writable import reopen
from experiments.metrics.seal import seal_of
from experiments.models import Run
from experiments.values import ENDED, ReviewState, checked_key, checked_text
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import AlreadyExists, Conflict, Invalid

NOTE_TAG = "mlflow.note.content"
# Rules that speak of the approval itself: they can only be met by it.
AFTER_APPROVAL = frozenset({"R2", "R3", "S1", "S2", "S3", "A2", "X1"})


@action("compliance.submit", on="run")
def submit_run(actor: Actor, run: Run, *, comment: str = "") -> Run:
    """Ask the auditors to review a run: a new round. In a governed project it is locked from now on.

    Raises Conflict for a run that has not ended, is deleted, or has findings that nobody has answered; AlreadyExists
    where it is in review already.
    """
    run = _held(run)
    if run.status not in ENDED or run.is_deleted:
        raise Conflict("Only a run that has ended is reviewed." if not run.is_deleted else "This run is deleted.")
    if Finding.objects.filter(run=run, state=Finding.State.OPEN).exists():
        raise Conflict("There are findings that nobody has answered.", hint="Answer them on the run's review page.")
    governed = run.project.is_governed
    review = Review(
        run=run,
        number=_next_round(run),
        comment=kept_text(comment, field="comment"),
        submitted_by_id=actor.user_id,
        locks=governed and not run.is_locked,
    )
    _save_round(review)
    if governed and not run.is_locked:
        run.locked_at, run.locked_by_id = now(), actor.user_id
    run.review_state = ReviewState.SUBMITTED
    run.save()
    return run


def _next_round(run: Run) -> int:
    last = Review.objects.filter(run=run).order_by("-number").values_list("number", flat=True).first()
    return (last or 0) + 1


def _save_round(review: Review) -> None:
    try:
        with transaction.atomic():
            review.save()
    except IntegrityError:
        raise AlreadyExists(f"{review.run.readable_id} is in review already.") from None


@action("compliance.submit", on="run")
def withdraw_submission(actor: Actor, run: Run, *, reason: str = "") -> Review:
    """Take a run out of review while nobody has decided; it is unlocked if the submission locked it."""
    run = _held(run)
    review: Review | None = Review.objects.filter(run=run, state__in=Review.OPEN).first()
    if review is None or review.draw_id is not None:
        raise Conflict("There is no submission to withdraw.")
    review.state, review.decided_at, review.reason = Review.State.WITHDRAWN, now(), kept_text(reason, field="reason")
    review.save()
    if review.locks:
        run.locked_at, run.locked_by_id = None, None
    run.review_state = _state_before(run)
    run.save()
    return review


@action("compliance.assign", on="review")
def withdraw_drawn(actor: Actor, review: Review, *, reason: str) -> Review:
    """Take a run that a sample put into the queue out of it again, with a reason; it stands as it did before.

    Raises Conflict once it is decided, or for what its author submitted; Invalid without a reason.
    """
    review = _open(review)
    if review.draw_id is None:
        raise Conflict("Its author submitted it, so its author withdraws it.")
    run = _held(review.run)
    review.reason = kept_text(reason, field="reason", ask="Say why it is taken out of the sample; it is kept.")
    review.state, review.decided_at = Review.State.WITHDRAWN, now()
    review.save()
    if run.review_state != ReviewState.COMPLIANT:  # an earlier verdict stood all the while
        run.review_state = _state_before(run)
        run.save()
    current_act().speaks_of(run.ledger_subject)
    return review


def _state_before(run: Run) -> ReviewState:
    """What the last verdict said, as far as it still holds."""
    decided = (Review.State.COMPLIANT, Review.State.FLAGGED)
    last = Review.objects.filter(run=run, state__in=decided).order_by("-number").first()
    if last is None:
        return ReviewState.NOT_REVIEWED
    return ReviewState.FLAGGED if last.state == Review.State.FLAGGED else ReviewState.CHANGED


@action("compliance.assign", on="review")
def assign_review(actor: Actor, review: Review, *, assigned_to: User | None, due: dt.date | None) -> Review:
    """Say who reviews it, until when. Raises Conflict once it is decided, Invalid for who cannot read the project."""
    review = _open(review)
    if assigned_to is not None and not may_review(assigned_to, review.run.project):
        raise Invalid(f"{assigned_to} is no auditor of this project.", field="assigned_to")
    review.assigned_to = assigned_to
    review.due = due
    review.save()
    current_act().speaks_of(review.run.ledger_subject)
    if assigned_to is not None and assigned_to.pk != actor.user_id:
        words = f"{review.run.readable_id} waits for your review" + (f" until {due}." if due else ".")
        tell([assigned_to], kind="review.assigned", text=words, url=page_of(review), project=review.run.project)
    return review


@action("compliance.decide_review", on="review")
def start_review(actor: Actor, review: Review) -> Review:
    """Begin: the author sees that somebody reads it. Raises Conflict once it is decided."""
    review = _open(review)
    run = _held(review.run)
    if review.state == Review.State.SUBMITTED:
        review.state = Review.State.IN_REVIEW
        review.assigned_to_id = review.assigned_to_id or actor.user_id
        review.save()
        if run.review_state != ReviewState.COMPLIANT:  # a drawn round leaves an earlier verdict as it is
            run.review_state = ReviewState.IN_REVIEW
        run.save()
        current_act().speaks_of(run.ledger_subject)
    return review


@action("compliance.decide_review", on="review")
def decide_review(
    actor: Actor,
    review: Review,
    *,
    compliant: bool,
    reason: str,
    proof: Proof,
    flags: tuple[Flag, ...] = (),
    seen: str = "",
) -> Review:
    """Give a signed verdict. It counts once the log covers it. Flagging takes a finding at least.

    seen: the digest of the run that the decider looked at (verdict.digest_of_facts), where a page showed it.

    Raises Conflict once it is decided, where the run changed since it was looked at, or where rules of a governed
    project block; Invalid without a reason or finding; ProofNeeded.
    """
    review = _open(review)
    run = _held(review.run)
    if seen and seen != digest_of_facts(run):
        raise Conflict("The run changed since you looked at it.", hint="Look at what changed, then decide.")
    if not compliant and not flags:
        raise Invalid("Say what was found: a flag has at least one finding.", field="text")
    if not compliant and not reason.strip():
        raise Invalid("Say why it is flagged.", field="reason")
    assessment = assess_run(actor, run)  # before the seal, whose event is not in the log yet
    if compliant and run.project.is_governed and (in_the_way := blocking(results_in(assessment.results))):
        titles = ", ".join(f"{one.rule} {RULES[one.rule].title.lower()}" for one in in_the_way[:3])
        raise Conflict(f"{len(in_the_way)} rules block it: {titles}.", hint="Flag it, or let them be fixed or waived.")
    _seal(run)
    review.state = Review.State.COMPLIANT if compliant else Review.State.FLAGGED
    review.reason, review.assessment = kept_text(reason, field="reason"), assessment
    review.decided_at, review.decided_by_id = now(), actor.user_id
    review.save()
    for flag in flags:
        open_finding_in(actor, run, flag, review=review)
    meaning = "reviewed and found compliant" if compliant else "reviewed and flagged"
    review.signature = sign(
        actor,
        run.project,
        subject=review,
        record=record_of(review),
        meaning=meaning,
        comment=review.reason,
        proof=proof,
    )
    review.save()
    current_act().speaks_of(run.ledger_subject)
    return review


def _seal(run: Run) -> None:
    """Seal the run as it is decided about, so that no later change goes unnoticed."""
    if run.sealed_at is None:
        run.seal, run.sealed_at = seal_of(run), now()
        run.save()


def blocking(results: list[Judged]) -> list[Judged]:
    """The results that stand in the way of a verdict; what only the verdict itself can meet does not."""
    return [one for one in results if one.blocks and one.rule not in AFTER_APPROVAL]


@action("compliance.decide_review", on="review")
def apply_verdict(actor: Actor, review: Review) -> Review:
    """Let a verdict count, once the log covers its signature. Called by the system; again changes nothing."""
    held = _locked_round(review)
    signature = held.signature
    if signature is None or held.effective_at is not None or covered_at(signature) is None:
        return held
    run = _held(held.run)
    held.effective_at = now()
    held.save()
    if not Review.objects.filter(run=run, number__gt=held.number).exists():
        changed = run.sealed_at is None or not is_as_signed(held)
        found = ReviewState.CHANGED if changed and held.state == Review.State.COMPLIANT else ReviewState(held.state)
        run.review_state = found
        run.save()
    current_act().speaks_of(run.ledger_subject)
    _tell_author(held)
    return held


def _tell_author(review: Review) -> None:
    people = [one for one in (review.run.created_by, review.submitted_by) if one is not None]
    found = "found compliant" if review.state == Review.State.COMPLIANT else "flagged"
    words = f"{review.run.readable_id} was {found} by {review.decided_by}."
    tell(people, kind="review.decided", text=words, url=page_of(review), project=review.run.project)


@action("compliance.submit", on="run")
def amend_run(
    actor: Actor,
    run: Run,
    *,
    reason: str,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    name: str | None = None,
    note: str | None = None,
) -> Run:
    """Change a run that was submitted: add params, set tags, name or note, with a reason that is kept.

    Params that are there stay as they are. What was found compliant is 'changed since review' from then on. Raises
    Conflict for a run that nobody submitted, Invalid.
    """
    held = _held(run)
    if held.review_state == ReviewState.NOT_REVIEWED:
        raise Conflict("This run was not submitted for review.", hint="Change it as any other run.")
    kept_text(reason, field="reason", ask="Say why it is amended: auditors read it.")
    changes = dict(tags or {}) | ({RUN_NAME: name} if name is not None else {})
    changes |= {NOTE_TAG: note} if note is not None else {}
    for field, pairs in (("tags", changes), ("params", dict(params or {}))):
        for key, value in pairs.items():
            checked_key(key, field)
            checked_text(value, field)
    if not changes and not params:
        raise Invalid("Nothing is amended.", hint="Give a param, a tag, a name or a note.", field="tags")
    if held.sealed_at is not None:
        reopen(held)
    if params:
        write_params(held, list(params.items()))
    amend_tags(held, changes)
    return held


# --- What is held


def _held(run: Run) -> Run:
    rows = Run.objects.select_for_update(of=("self",), no_key=True).select_related("project", "created_by")
    held: Run = rows.get(pk=run.pk)
    return held


def _locked_round(review: Review) -> Review:
    rows = Review.objects.select_for_update(of=("self",), no_key=True).select_related(
        "run__project", "run__created_by", "submitted_by", "decided_by", "signature", "assessment"
    )
    held: Review | None = rows.filter(pk=review.pk).first()
    if held is None:
        raise not_found(Review)
    return held


def _open(review: Review) -> Review:
    held = _locked_round(review)
    if not held.is_open:
        raise Conflict("This review has its verdict already.", hint="What changes since needs a new round.")
    return held


def page_of(review: Review) -> str:
    """Path of the page of a review."""
    return f"/p/{review.run.project.slug}/reviews/{review.pk}/"
