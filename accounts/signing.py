"""Electronic signatures: proving who one is, signing a frozen record, and whether a signature still holds.

A signature follows 21 CFR 11.50 (printed name, time, meaning), 11.70 (bound to its record) and 11.200(a) (two
components). It works in three steps:

    proof = prove(actor, password, email=email, session=request.session)
    decide_promotion(actor, request, approve=True, comment="…", proof=proof) # the action signs within its own act
    state_of(signature, record_now)                                          # does it still hold, is it in the log

The first proof of a series takes e-mail and password, those that follow within five minutes of the one before the
password alone; each act of signing asks for one. The session on the server holds when the last was given; the series
ends with the session, with a change of the password and with the account.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db.models import QuerySet

from accounts.access import roles_text
from accounts.identity import PASSWORD, VERB, checked_identity
from accounts.models import Project, Signature, User
from accounts.texts import storable
from audit.ledger.acting import acting, current_act, open_act
from audit.ledger.models import Checkpoint, Leaf
from audit.ledger.tracking import Tracked
from audit.ledger.values import Subject, plain
from kernel.actor import Actor
from kernel.clock import now
from kernel.digests import canonical_json, sha256_hex
from kernel.errors import Invalid, NotFound, Refused

WINDOW = dt.timedelta(minutes=5)
RECORDED_AS = "accounts.signature"
COMMENT_MAX = 4000
SessionStore = MutableMapping[str, Any]

_KEPT = "signing"


class ProofNeeded(Refused):
    """The signer has to prove who they are first: with the password, or with e-mail and password."""

    code = "PROOF_NEEDED"


@dataclass(frozen=True, slots=True)
class Proof:
    """That a person was there: who, when, by what. Good for what one act signs, for five minutes at most."""

    user_id: UUID
    at: dt.datetime
    factors: tuple[str, ...]

    @property
    def is_fresh(self) -> bool:
        """Whether it may still sign."""
        return _is_fresh(self.at)


@dataclass(frozen=True, slots=True)
class SignatureState:
    """What a signature is worth now.

    matches: the record is as it was signed; differs: the names of the fields that are not. is_covered: a signed
    checkpoint of the log covers it, at place seq; until then it waits and has no effect.
    """

    matches: bool
    differs: tuple[str, ...]
    is_covered: bool
    seq: int | None


def _is_fresh(moment: dt.datetime) -> bool:
    return dt.timedelta(0) <= now() - moment <= WINDOW


def needs_email(actor: Actor, session: SessionStore | None) -> bool:
    """Whether the next proof takes the e-mail address, too: the first of a series does."""
    kept = _kept(actor, session)
    return kept is None or not _is_fresh(dt.datetime.fromisoformat(kept["at"]))


def prove(
    actor: Actor,
    password: str,
    *,
    email: str = "",
    further: Mapping[str, str] | None = None,
    session: SessionStore | None = None,
    ip: str = "",
) -> Proof:
    """Prove that the actor is who they are, and note in the session that they did.

    email: needed where `needs_email` says so; further: answers to factors beside the password, by their names. Call it
    outside of any act: a failure is recorded on its own. Raises Refused for tokens and whoever is no person, Invalid
    for a wrong answer (one for all), TooMany, Unavailable where attempts cannot be counted.
    """
    if open_act() is not None:
        raise RuntimeError("Somebody proves who they are before the act, or a failure would go with the act.")
    refuse_unless_in_person(actor)
    answers = {**(further or {}), PASSWORD: password}
    asked = email if session is None or needs_email(actor, session) else None
    user, factors = checked_identity(actor, answers, email=asked, ip=ip or actor.ip)
    proof = Proof(user.pk, now(), factors)
    with acting(actor, VERB, roles=roles_text(actor, None)) as act:
        act.always = True
        act.reason = f"Proved by {' and '.join(factors)}, to sign."
        act.speaks_of(user.ledger_subject)
    if session is not None:
        session[_KEPT] = {
            "user": user.pk.hex,
            "at": proof.at.isoformat(),
            "password": user.get_session_auth_hash(),
        }
    return proof


def forget_proof(session: SessionStore) -> None:
    """End the series: the next signature asks again for e-mail and password."""
    session.pop(_KEPT, None)


def _kept(actor: Actor, session: SessionStore | None) -> dict[str, Any] | None:
    """What the session holds of a proof of this actor with the password that counts now, however old."""
    kept = session.get(_KEPT) if session is not None else None
    if not isinstance(kept, dict) or actor.user_id is None or actor.token is not None:
        return None
    user = User.objects.filter(pk=actor.user_id, is_active=True).first()
    if user is None or kept["user"] != user.pk.hex or kept["password"] != user.get_session_auth_hash():
        return None
    return kept


def refuse_unless_in_person(actor: Actor) -> None:
    """Raise Refused for tokens, background tasks and commands: a signature is given in person."""
    if actor.token is not None:
        raise Refused(
            f"The token '{actor.token.name}' cannot sign: a signature is given in person.",
            hint="Sign in on the pages of MLED and sign there.",
        )
    if not actor.is_person:
        raise Refused("Only a signed-in person can sign.", hint="Sign in with your own account.")


def sign(
    actor: Actor,
    project: Project,
    *,
    subject: Subject | Tracked,
    record: Mapping[str, Any],
    meaning: str,
    comment: str,
    proof: Proof,
) -> Signature:
    """Sign a frozen record, as part of the action that it belongs to. Raises ProofNeeded, Refused.

    record: JSON values, as `state_of` gets them again later. meaning: as printed, such as 'approved for champion'.
    """
    act = current_act()
    refuse_unless_in_person(actor)
    if proof.user_id != actor.user_id or not proof.is_fresh:
        raise ProofNeeded("Your proof of who you are has run out.", hint="Give your password again.", field="password")
    user = User.objects.select_for_update(no_key=True).get(pk=actor.user_id)
    if not user.is_active or user.is_service:
        raise Refused("This account cannot sign.", hint="Ask an administrator.")
    named, text = _subject(subject), frozen_text(record)
    signature = Signature(
        project=project,
        subject_type=named.kind,
        subject_id=named.id,
        meaning=meaning,
        signed_by=user,
        printed_name=user.name or user.email,
        proven_at=proof.at,
        factors=", ".join(proof.factors),
        comment=comment,
        record=text,
        digest=sha256_hex(text.encode()),
        event_id=act.event_id,
    )
    signature.save(force_insert=True)
    recorded = {name: (None, value) for name, value in recorded_fields(signature).items()}
    act.record(RECORDED_AS, signature.pk.hex, "create", recorded)
    return signature


def recorded_fields(signature: Signature) -> dict[str, Any]:
    """What the ledger holds of a signature; of the record its digest, taken over the text as it is stored."""
    values = {field.attname: getattr(signature, field.attname) for field in signature._meta.concrete_fields}
    return values | {"record": f"sha256:{sha256_hex(signature.record.encode())}"}


def frozen_text(record: Mapping[str, Any]) -> str:
    """The record as canonical JSON (RFC 8785), whose SHA-256 is signed."""
    return canonical_json(plain(dict(record))).decode()


def state_of(signature: Signature, record_now: Mapping[str, Any] | None) -> SignatureState:
    """Whether the record is as it was signed, and whether the log covers the signature.

    record_now: the record made anew from what is stored; None where what was signed is gone.
    """
    seq, differs = covered_at(signature), _differs(signature, record_now)
    return SignatureState(not differs, differs, seq is not None, seq)


def covered_at(signature: Signature) -> int | None:
    """The place in the log of the signature's event; None until a signed checkpoint covers it."""
    seq: int | None = Leaf.objects.filter(event_id=signature.event_id).values_list("seq", flat=True).first()
    return seq if seq is not None and Checkpoint.objects.filter(size__gt=seq).exists() else None


def _differs(signature: Signature, record_now: Mapping[str, Any] | None) -> tuple[str, ...]:
    if sha256_hex(signature.record.encode()) != signature.digest:
        return ("the signed record itself",)
    if record_now is None:
        return ("everything: what was signed is gone",)
    then, today = orjson.loads(signature.record), orjson.loads(frozen_text(record_now))
    return tuple(dict.fromkeys(_different_fields(then, today)))


def _different_fields(then: Any, today: Any, at: str = "") -> Iterator[str]:
    """The paths of the fields that differ, such as 'files › model.pkl › sha256'."""
    if isinstance(then, dict) and isinstance(today, dict):
        for name in sorted(then.keys() | today.keys()):
            below = f"{at} › {name}" if at else name
            if name in then and name in today:
                yield from _different_fields(then[name], today[name], below)
            else:
                yield below
    elif then != today:
        yield at


def signatures_of(viewer: Actor, subject: Subject | Tracked) -> QuerySet[Signature]:
    """The signatures under a record that the viewer may see, oldest first."""
    named = _subject(subject)
    seen: QuerySet[Signature] = Signature.objects.visible_to(viewer)
    mine = seen.filter(subject_type=named.kind, subject_id=named.id)
    return mine.select_related("signed_by", "project").order_by("signed_at", "pk")


def get_signature(viewer: Actor, signature_id: UUID) -> Signature:
    """One signature. Raises NotFound."""
    seen: QuerySet[Signature] = Signature.objects.visible_to(viewer)
    found = seen.filter(pk=signature_id).select_related("signed_by", "project").first()
    if found is None:
        raise NotFound("No such signature was found.")
    return found


def checked_comment(comment: str, *, needed: str = "") -> str:
    """The comment without outer blanks. needed: why there has to be one. Raises Invalid."""
    text = storable(comment.strip(), "The comment", field="comment")
    if needed and not text:
        raise Invalid(needed, field="comment")
    if len(text) > COMMENT_MAX:
        raise Invalid(f"A comment has at most {COMMENT_MAX:,} characters.", field="comment")
    return text


def _subject(subject: Subject | Tracked) -> Subject:
    return subject.ledger_subject if isinstance(subject, Tracked) else subject
