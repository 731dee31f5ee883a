"""R and S: who answers for a run, who approved it, and what the approval is worth.

Approved means: signed, in a verdict that found the run compliant or in an approved promotion of a version that it made.
"""

from datetime import timedelta
from uuid import UUID

from accounts.identity import VERB as PROVED
from accounts.models import Signature
from accounts.roles import THE_TABLE, Role
from audit.compliance.rules.engine import Result, failed, missing, passed, rule
from audit.compliance.rules.record import Record, listed
from audit.compliance.signed import state_now
from audit.ledger.models import AuditEvent
from registry.promoting.makers import makers_of

WINDOW = timedelta(minutes=5)
APPROVING = {"compliance.review": "compliance.decide_review", "registry.promotionrequest": "registry.decide_promotion"}
ASK = "Submit the run for review."


def unsigned(record: Record) -> Result:
    """What rules about approvals say where there is none."""
    return missing("Nobody has approved it with a signature.", fix=ASK, proof=record.page())


@rule("R1", "A responsible person is named and was active", "AI Act 17(1)(m)", "NIST RMF GOVERN 2.1", "42001 A.3.2")
def somebody_is_responsible(record: Record) -> Result:
    author = record.run.created_by
    if author is None:
        fix = "Log runs with the token of a person or of a named service account."
        return missing("The run has no author.", fix=fix, proof=record.page("history"))
    first = next(iter(record.events), None)
    if first is not None and first.event.actor_id != author.pk:
        words = f"{author} stands as the author, but the log names somebody else."
        return failed(words, fix="Tell the administrator.", proof=record.page("history"))
    if not author.is_active:
        return failed(f"{author}'s account is not active.", fix="Let somebody take the run over in a new one.")
    roles = first.event.actor_roles if first is not None else ""
    return passed(f"{author}{f', {roles} then' if roles else ''}.", proof=record.page("history"))


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
    last = record.signatures[-1]
    return passed(f"{last.printed_name}, {last.signed_at:%Y-%m-%d %H:%M} UTC: {last.meaning}.")


@rule("S2", "The signature matches the record as it is", "21 CFR 11.70", "EU GMP Annex 11 §14")
def signature_matches(record: Record) -> Result:
    if not record.signatures:
        return unsigned(record)
    last = record.signatures[-1]
    state = state_now(last)
    if not state.matches:
        words = f"Changed since {last.printed_name} signed: {listed(state.differs)}."
        return failed(words, fix="Submit it again: what changed has to be signed anew.", proof=record.page("history"))
    if not state.is_covered:
        return missing("The signature waits for its place in the log.", fix="Wait some seconds.")
    return passed(f"As {last.printed_name} signed it, place {state.seq} of the log.")


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
