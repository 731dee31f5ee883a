"""Claim tokens: what a contributor without an account holds, and what it opens.

The secret is `claim_` and 43 characters of 256 random bits. Whoever submits first may bring one of their own making,
so that a call whose answer was lost can be sent again with the same; else one is made. Only its digest is kept.
"""

import re
import secrets
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid5

from django.db.models import Q

from boards.models import Board, ReaderPass, Submission
from kernel.actor import Actor, ActorKind, ClaimGrant
from kernel.digests import sha256_hex
from kernel.errors import Invalid, MledError, Refused

PREFIX: Final = "claim_"
_SECRET = re.compile(r"claim_[A-Za-z0-9_-]{43}")
KEEPS_OPEN: Final = frozenset({Submission.State.SHOWN, Submission.State.HELD})


class SubmissionRequired(Refused):
    """The board opens to those who gave an entry: nothing of its content is told before."""

    code = "SUBMISSION_REQUIRED"


def new_secret() -> str:
    """A claim token that nobody has."""
    return PREFIX + secrets.token_urlsafe(32)


def checked_secret(secret: str) -> str:
    """The claim token without what was pasted around it. Raises Invalid for what is none."""
    text = secret.strip()
    if not _SECRET.fullmatch(text):
        raise Invalid(
            "This is no claim token.",
            hint=f"It begins with {PREFIX} and was shown when the entry was stored.",
            field="claim_token",
        )
    return text


def digest_of(secret: str) -> str:
    """What is kept of a claim token."""
    return sha256_hex(secret.encode())


def with_claim(actor: Actor, board: Board, secret: str) -> Actor:
    """The actor as the holder of this claim token, or of the one that their account keeps; else as they came.

    A person with a role in the project needs none: they act in their own name.
    """
    held = _held(actor, board, secret)
    if held is None:
        return actor
    return _holding(actor, ClaimGrant(held.pk, board.project_id, held.digest))


def as_contributor(actor: Actor, board: Board, secret: str) -> Actor:
    """The same for whoever submits: a claim token that is not known yet is a new one, known once its entry is kept.

    Its id follows from it, so that two calls with the same one at the same moment are of one contributor.
    """
    known = with_claim(actor, board, secret)
    if known.claim is not None:
        return known
    digest = digest_of(secret)
    return _holding(actor, ClaimGrant(uuid5(board.pk, digest), board.project_id, digest, is_new=True))


def _held(actor: Actor, board: Board, secret: str) -> ReaderPass | None:
    passes = ReaderPass.objects.filter(board=board)
    held: ReaderPass | None = passes.filter(digest=digest_of(secret)).first() if _SECRET.fullmatch(secret) else None
    if held is None and actor.is_person:
        held = passes.filter(user=actor.user_id).order_by("-created_at").first()
    return held


def _holding(actor: Actor, claim: ClaimGrant) -> Actor:
    kind = ActorKind.GUEST if actor.kind is ActorKind.ANONYMOUS else actor.kind
    return replace(actor, kind=kind, claim=claim, memo={})


# --- What accounts asks


def why_not(actor: Actor, permission: str, subject: Any) -> MledError | None:
    """Why somebody without a role may not; None where they may. See accounts.claims."""
    board = subject if isinstance(subject, Board) else getattr(subject, "board", None)
    if board is None:
        return Refused("A claim token is good for entries of its board only.")
    claim = actor.claim if actor.claim is not None and actor.claim.project == board.project_id else None
    if claim is not None and _revoked(actor, claim.id):
        return Refused("This claim token was ended by those who keep the board.", hint="Ask them why.")
    if permission == "boards.submit":
        return None
    if permission == "boards.keep_entry":
        is_own = isinstance(subject, Submission) and claim is not None and subject.claim_id == claim.id
        return None if is_own else Refused("This is not an entry of yours.", hint="Use the claim token of that entry.")
    return None if claim is not None and _opens(actor, claim, board) else submission_required()


def submission_required() -> SubmissionRequired:
    """The invitation."""
    return SubmissionRequired(
        "This board opens when you submit an entry.",
        hint="Submit one, or send the claim token of an entry that you gave.",
    )


def opened_projects(actor: Actor) -> Collection[UUID]:
    """The project that the actor's claim token opens, if it does."""
    claim = actor.claim
    if claim is None or claim.is_new or _revoked(actor, claim.id):
        return ()
    board = Board.objects.filter(project=claim.project).first()
    return (claim.project,) if board is not None and _opens(actor, claim, board) else ()


def _revoked(actor: Actor, claim: UUID) -> bool:
    key = ("revoked", claim)
    if key not in actor.memo:
        actor.memo[key] = ReaderPass.objects.filter(pk=claim, revoked_at__isnull=False).exists()
    return bool(actor.memo[key])


def _opens(actor: Actor, claim: ClaimGrant, board: Board) -> bool:
    key = ("opens", claim.id)
    if key not in actor.memo:
        kept = Q(state__in=KEEPS_OPEN)
        if board.stays_open:  # but for what was taken off before it was withdrawn
            kept |= Q(state=Submission.State.WITHDRAWN, state_why="")
        actor.memo[key] = Submission.objects.filter(kept, claim=claim.id, is_test=False).exists()
    return bool(actor.memo[key])
