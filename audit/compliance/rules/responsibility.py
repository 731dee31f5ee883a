"""R and S: who answers for a run, who approved it, and what the approval is worth.

Approved means: signed, in a verdict that found the run compliant or in an approved promotion of a version that it made.
"""

from datetime import timedelta
from uuid import UUID

from accounts.identity import VERB as PROVED
from accounts.models import Signature, User
from accounts.roles import THE_TABLE, Role
from accounts.signing import RECORDED_AS, recorded_fields
from audit.compliance.rules.engine import Result, failed, missing, passed, rule
from audit.compliance.rules.record import Record, listed, unlike
from audit.compliance.signed import state_now
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import PastEvent, with_payloads
from audit.ledger.queries.soundness import replayed
from registry.promoting.makers import makers_of

WINDOW = timedelta(minutes=5)
APPROVING = {"compliance.review": "compliance.decide_review", "registry.promotionrequest": "registry.decide_promotion"}
ASK = "Submit the run for review."
USER = "accounts.user"


def unsigned(record: Record) -> Result:
    """What rules about approvals say where there is none."""
    return missing("Nobody has approved it with a signature.", fix=ASK, proof=record.page())


@rule("R1", "A responsible person is named and was active", "AI Act 17(1)(m)", "NIST RMF GOVERN 2.1", "42001 A.3.2")
def somebody_is_responsible(record: Record) -> Result:
    author, first = record.run.created_by, next(iter(record.events), None)
    if first is not None and first.event.actor_id != record.run.created_by_id:
        words = f"{author or 'Somebody unknown'} stands as the author, but the log names somebody else."
        return failed(words, fix="Tell the administrator.", proof=record.page("history"))
    if author is None:
        fix = "Log runs with the token of a person or of a named service account."
        return missing("The run has no author.", fix=fix, proof=record.page("history"))
    if not _was_active(author, first):
        fix = "Let somebody take the run over in a new one."
        return failed(f"{author}'s account was not active then.", fix=fix, proof=record.page("history"))
    roles = f", {first.event.actor_roles} then" if first is not None and first.event.actor_roles else ""
    left = "" if author.is_active else "; the account is not active any more"
    return passed(f"{author}{roles}{left}.", proof=record.page("history"))


def _was_active(author: User, first: PastEvent | None) -> bool:
    """Whether the account was active when the run began: people leave, and what they did stays theirs."""
    if first is None or author.is_active:
        return author.is_active
    events = AuditEvent.objects.filter(subject_type=USER, subject_id=author.ledger_id, id__lt=first.event.id)
    told = replayed(USER, author.ledger_id, with_payloads(list(events.order_by("id"))))
    return bool(told.get("is_active", True))


@rule(
    "R2",
    "Four eyes: who approved it had no hand in it",
    "21 CFR 11.10(g)",
    "SR 11-7 effective challenge",
    "SOC 2 CC8.1",
)
def approver_is_another(record: Record) -> Result:
    if not record.signatures:
        return unsigned(record)
    for signature in record.signatures:
        if signature.signed_by_id in hands_in(record, signature):
            words = f"{signature.printed_name} signed “{signature.meaning}” and had a hand in it."
            return failed(words, fix="Let somebody else decide.", proof=record.page("history"))
    return passed(f"Signed by {listed(sorted({one.printed_name for one in record.signatures}))}.")


def hands_in(record: Record, signature: Signature) -> set[UUID]:
    """Authors, contributors and submitters of what was signed, by the log."""
    submitters = {one.event.actor_id for one in record.events_of("compliance.submit_run")}
    found: set[UUID | None] = {*record.contributors, *submitters}
    for request in record.promotions:
        if request.ledger_id == signature.subject_id:
            found |= {request.created_by_id, *makers_of(request.version)}
    return {user for user in found if user is not None}


@rule("R3", "Who approved it held the approving role then", "21 CFR 11.10(d),(g)")
def approver_had_the_role(record: Record) -> Result:
    if not record.signatures:
        return unsigned(record)
    for signature in record.signatures:
        event = AuditEvent.objects.filter(pk=signature.event_id).first()
        if event is None or event.actor_id != signature.signed_by_id:
            return failed(f"The log does not have the signature of {signature.printed_name}.", fix="Sign again.")
        if wrong := record.broken(*with_payloads([event])):
            return failed(f"The log is broken where it was signed: {wrong}.", fix="Tell the administrator.")
        held = {role.strip() for role in event.actor_roles.split(",") if role.strip()}
        wanted = {role.value for role in able(APPROVING.get(signature.subject_type, ""))}
        if not held & wanted:
            words = f"{signature.printed_name} was {', '.join(sorted(held)) or 'without a role'} when signing."
            return failed(words, fix="Let somebody with the role decide.", proof=record.page("history"))
    return passed("Each signer held the role at that place of the log.")


def able(permission: str) -> set[Role]:
    """The roles that may give this approval."""
    return {role for role, grants in THE_TABLE.items() if permission in grants}


@rule("S1", "The approval is signed with name, time and meaning", "21 CFR 11.50", "AI Act Annex IV 2(g)")
def signature_says_what_it_means(record: Record) -> Result:
    if not record.signatures:
        return unsigned(record)
    for signature in record.signatures:
        if not (signature.printed_name.strip() and signature.meaning.strip()):
            return failed("A signature lacks its name or meaning.", fix="Sign again.")
        if off := _not_as_signed(signature):
            words = f"The signature of {signature.printed_name} is not as the log has it: {listed(off)}."
            return failed(words, fix="Tell the administrator.", proof=record.page("history"))
    last = record.signatures[-1]
    return passed(f"{last.printed_name}, {last.signed_at:%Y-%m-%d %H:%M} UTC: {last.meaning}.")


def _not_as_signed(signature: Signature) -> list[str]:
    """The fields of a signature that are not those of the event that carries it."""
    event = AuditEvent.objects.filter(pk=signature.event_id)
    recorded = replayed(RECORDED_AS, signature.pk.hex, with_payloads(list(event)))
    return unlike(recorded, recorded_fields(signature)) if recorded else ["all of it"]


@rule("S2", "The signature matches the record as it is", "21 CFR 11.70", "EU GMP Annex 11 §14")
def signature_matches(record: Record) -> Result:
    if not record.signatures:
        return unsigned(record)
    places = []
    # The newest of each kind: a promotion says nothing of what only the verdict covers, and the other way round.
    for last in {one.subject_type: one for one in record.signatures}.values():
        state = state_now(last)
        if not state.matches or {"record", "digest"} & set(_not_as_signed(last)):
            off = listed(state.differs) or "the signed record itself"
            words = f"Changed since {last.printed_name} signed: {off}."
            fix = "Submit it again: what changed has to be signed anew."
            return failed(words, fix=fix, proof=record.page("history"))
        if not state.is_covered:
            return missing("The signature waits for its place in the log.", fix="Wait some seconds.")
        places.append(f"{last.printed_name} at place {state.seq} of the log")
    return passed(f"As signed by {', '.join(places)}.")


@rule("S3", "The signer proved who they are when signing", "21 CFR 11.200(a)")
def signer_was_there(record: Record) -> Result:
    if not record.signatures:
        return unsigned(record)
    for signature in record.signatures:
        age = signature.signed_at - signature.proven_at
        if not timedelta(0) <= age <= WINDOW or not signature.factors.strip():
            words = f"{signature.printed_name} proved who they are {age} before signing; allowed are five minutes."
            return failed(words, fix="Sign again.")
        proofs = AuditEvent.objects.filter(
            verb=PROVED, outcome="done", actor_id=signature.signed_by_id,
            at__gte=signature.proven_at - WINDOW, at__lte=signature.signed_at,
        )  # fmt: skip
        if not proofs.exists():
            return failed(f"The log has no proof of identity of {signature.printed_name} then.", fix="Sign again.")
    return passed(f"By {record.signatures[-1].factors}, within five minutes.")
