"""What those who keep a board do with entries and claim tokens of others."""

from accounts.decorators import action
from accounts.texts import storable
from boards.models import Board, ReaderPass, Submission
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Invalid

REASON_MAX = 1000


@action("boards.moderate", on="entry")
def show_entry(actor: Actor, entry: Submission, *, reason: str = "") -> Submission:
    """Let an entry show that waited or was taken off. Raises Conflict for a withdrawn one."""
    kept = _kept(entry)
    if kept.state == Submission.State.WITHDRAWN:
        raise Conflict("This entry was withdrawn by who gave it.", hint="They may submit another one.")
    if kept.state != Submission.State.SHOWN:
        kept.state, kept.state_why = Submission.State.SHOWN, ""
        kept.save()
    return kept


@action("boards.moderate", on="entry")
def hide_entry(actor: Actor, entry: Submission, *, reason: str) -> Submission:
    """Take an entry off the board; who gave it sees why. It opens the board no more."""
    words = _why(reason, "Say why it is taken off.")
    kept = _kept(entry)
    if kept.state == Submission.State.WITHDRAWN:
        raise Conflict("This entry was withdrawn by who gave it.")
    if kept.state != Submission.State.HIDDEN:
        kept.state, kept.state_why = Submission.State.HIDDEN, words
        kept.save()
    return kept


@action("boards.moderate", on="claim")
def end_claim(actor: Actor, claim: ReaderPass, *, reason: str) -> ReaderPass:
    """End a claim token: nothing more is submitted or read with it. Its entries stay as they are."""
    words = _why(reason, "Say why it ends.")
    held: ReaderPass = ReaderPass.objects.select_for_update(no_key=True).get(pk=claim.pk)
    if held.revoked_at is None:
        held.revoked_at, held.revoked_why = now(), words
        held.save()
    return held


@action("boards.submit", on="board")
def keep_claim(actor: Actor, board: Board) -> ReaderPass:
    """Link the claim token that a signed-in person holds to their account: then the account opens the board, in any
    browser. Raises Invalid without one, Conflict where it is another account's."""
    if not actor.is_person or actor.claim is None or actor.claim.is_new:
        raise Invalid("There is no claim token to keep.", hint="Enter the one that was shown.", field="claim_token")
    held: ReaderPass = ReaderPass.objects.select_for_update(no_key=True).get(pk=actor.claim.id)
    if held.user_id not in (None, actor.user_id):
        raise Conflict("This claim token is kept by another account.")
    if held.user_id is None:
        held.user_id = actor.user_id
        held.save()
    return held


def _kept(entry: Submission) -> Submission:
    kept: Submission = Submission.objects.select_for_update(no_key=True, of=("self",)).get(pk=entry.pk)
    return kept


def _why(reason: str, what: str) -> str:
    words = reason.strip()
    if not words:
        raise Invalid(what, hint="It is shown to who gave the entry, and kept.", field="reason")
    if len(words) > REASON_MAX:
        raise Invalid(f"A reason has at most {REASON_MAX:,} characters.", field="reason")
    return storable(words, "The reason", field="reason")
