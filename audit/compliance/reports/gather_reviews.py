"""What people and rules said of runs by a place in the log: assessments, verdicts with signatures, findings."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import Signature
from audit.compliance.judging import results_in
from audit.compliance.models import Assessment, Finding, Review
from audit.compliance.reports import said
from audit.compliance.reports.asof import People, chunks, places_of, rows_at
from audit.compliance.reports.facts import FindingFact, RuleFact, SignatureFact, VerdictFact
from audit.compliance.reports.gather_events import Told
from audit.compliance.rules.engine import RULES, Judged, Outcome, Severity
from audit.compliance.signed import state_now
from audit.ledger.models import AuditEvent

ASSESSMENT = "compliance.assessment"


@dataclass(frozen=True, slots=True)
class Said:
    """What stood over one run. blocking: of the unmet rules those that block."""

    rules: Sequence[RuleFact]
    assessed: str
    blocking: int
    unmet: int
    verdicts: Sequence[VerdictFact]
    findings: Sequence[FindingFact]


def said_of(runs: Sequence[int], told: Mapping[int, Told], size: int, people: People) -> dict[int, Said]:
    """By run: what was said of it by a place in the log."""
    assessments = assessments_at(runs, told, size)
    verdicts, findings = _verdicts(runs, size, people), _findings(runs, size, people)
    found = {}
    for run in runs:
        newest = assessments.get(run)
        results = results_in(newest.results) if newest else []
        unmet = [one for one in results if not one.is_met and one.severity != Severity.INFORMS]
        found[run] = Said(
            rules=[rule_fact(one) for one in results],
            assessed=_assessed(newest),
            blocking=sum(one.blocks for one in unmet),
            unmet=len(unmet),
            verdicts=verdicts.get(run, []),
            findings=findings.get(run, []),
        )
    return found


def _assessed(newest: Assessment | None) -> str:
    if newest is None:
        return ""
    profile = f"profile {newest.profile} {newest.profile_version}, SHA-256 {newest.profile_digest}"
    return f"{said.moment(newest.at)} against {profile}"


def assessments_at(runs: Sequence[int], told: Mapping[int, Told], size: int) -> dict[int, Assessment]:
    """By run: the newest assessment whose event is among the first `size`.

    It is an act of its own, or part of one about the run, such as a verdict, whose changes tell it.
    """
    rows = Assessment.objects.filter(run__in=runs).order_by("at", "pk").values_list("pk", "run_id")
    ids = {pk.hex: (pk, run) for pk, run in rows}
    places: dict[str, int] = {}
    for some in chunks(ids):
        acts = AuditEvent.objects.filter(subject_type=ASSESSMENT, subject_id__in=some).values_list("id", "subject_id")
        by_event = dict(acts)
        places |= {by_event[event]: place for event, place in places_of(by_event, size=size).items()}
    for one in told.values():
        places |= {
            row.id: place for place, changes in one.rows for row in changes if row.type == ASSESSMENT and row.id in ids
        }
    newest: dict[int, tuple[int, UUID]] = {}
    for text, place in places.items():
        pk, run = ids[text]
        if run not in newest or newest[run][0] < place:
            newest[run] = (place, pk)
    kept = Assessment.objects.in_bulk([pk for _, pk in newest.values()])
    return {run: kept[pk] for run, (_, pk) in newest.items()}


def rule_fact(one: Judged) -> RuleFact:
    """A result with the words of its rule."""
    rule = RULES.get(one.rule)
    return RuleFact(
        rule=one.rule,
        title=rule.title if rule else "",
        clauses="; ".join(rule.clauses) if rule else "",
        severity=Severity(one.severity).label,
        outcome=one.outcome,
        outcome_words=Outcome(one.outcome).label,
        words=one.words,
        fix=one.fix,
        proof=one.proof,
        by=one.by,
        until=one.until,
    )


def _verdicts(runs: Sequence[int], size: int, people: People) -> dict[int, list[VerdictFact]]:
    rounds = rows_at(Review, size, run_id__in=runs)
    people.learn(one for row in rounds for one in (row.submitted_by_id, row.decided_by_id))
    signatures = signatures_of([row.signature_id for row in rounds if row.signature_id], size)
    found: dict[int, list[VerdictFact]] = defaultdict(list)
    for row in sorted(rounds, key=lambda one: one.number):
        found[row.run_id].append(_verdict(row, signatures.get(row.signature_id), people))
    return found


def _verdict(row: Any, signature: SignatureFact | None, people: People) -> VerdictFact:
    return VerdictFact(
        number=row.number,
        state=Review.State(row.state).label,
        submitted_by=people.name(row.submitted_by_id),
        submitted_at=said.moment(row.submitted_at),
        decided_by=people.name(row.decided_by_id),
        decided_at=said.moment(row.decided_at),
        reason=row.reason,
        signature=signature,
    )


def signatures_of(ids: Sequence[UUID], size: int) -> dict[UUID, SignatureFact]:
    """By id: signatures as they are printed. holds: compared with what is stored now."""
    rows = [row for some in chunks(ids) for row in Signature.objects.filter(pk__in=some)]
    events = {one.pk: one for one in AuditEvent.objects.filter(pk__in=[row.event_id for row in rows])}
    places = places_of(events, size=size)
    found = {}
    for row in rows:
        event = events.get(row.event_id)
        found[row.pk] = SignatureFact(
            printed_name=row.printed_name,
            roles=said.roles(event.actor_roles) if event else "",
            meaning=row.meaning,
            signed_at=said.moment(row.signed_at),
            comment=row.comment,
            digest=row.digest,
            proven_by=row.factors,
            seq=places.get(row.event_id),
            holds=_holds(row),
        )
    return found


def _holds(row: Signature) -> str:
    state = state_now(row)
    if state.matches:
        return "The record is as it was signed."
    first = ", ".join(state.differs[:3])
    more = f" and {len(state.differs) - 3:,} more" if len(state.differs) > 3 else ""
    return f"Does not match what is stored now: {first}{more}."


def _findings(runs: Sequence[int], size: int, people: People) -> dict[int, list[FindingFact]]:
    rows = rows_at(Finding, size, run_id__in=runs)
    people.learn(one for row in rows for one in (row.owner_id, row.opened_by_id, row.closed_by_id))
    found: dict[int, list[FindingFact]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: (one.opened_at, one.id)):
        found[row.run_id].append(
            FindingFact(
                text=row.text,
                kind=Finding.Kind(row.kind).label,
                rule=row.rule,
                state=Finding.State(row.state).label,
                owner=people.name(row.owner_id),
                due=row.due.isoformat() if row.due else "",
                opened_by=people.name(row.opened_by_id),
                opened_at=said.moment(row.opened_at),
                closure=row.closure,
                closed_by=people.name(row.closed_by_id),
                closed_at=said.moment(row.closed_at),
            )
        )
    return found
