"""P: what the work is for, and how much depends on it."""

from audit.compliance.rules.engine import Result, failed, missing, passed, rule
from audit.compliance.rules.record import Record
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import with_payloads
from kernel.actor import ActorKind

TELL = "Tell the administrator: the database was changed past MLED."
PURPOSE_MIN = 40  # characters: less names a thing, but states no purpose


@rule("P1", "Intended purpose and limits of use are stated", "AI Act Annex IV 1", "NIST RMF MAP 1.1")
def purpose_is_stated(record: Record) -> Result:
    purpose = record.project.purpose.strip()
    fix = "Describe in the project's settings what it is for, for whom, and what it must not be used for."
    if not purpose:
        return missing("The project states no purpose.", fix=fix, proof=record.settings_page)
    if wrong := record.project_differs("purpose"):
        return failed(f"Not as recorded: {wrong}.", fix=TELL, proof=record.settings_page)
    if len(purpose) < PURPOSE_MIN:
        words = f"The project's purpose has {len(purpose)} characters; a statement takes at least {PURPOSE_MIN}."
        return failed(words, fix=fix, proof=record.settings_page)
    return passed(f"“{purpose[:120]}{'…' if len(purpose) > 120 else ''}”", proof=record.settings_page)


@rule("P2", "The risk class was chosen by a named person", "AI Act Article 6", "SR 26-2 materiality")
def risk_class_is_chosen(record: Record) -> Result:
    project = record.project
    if not project.risk_class:
        fix = "Choose the risk class in the project's settings."
        return missing("No risk class is chosen.", fix=fix, proof=record.settings_page)
    if wrong := record.project_differs("risk_class"):
        return failed(f"Not as recorded: {wrong}.", fix=TELL, proof=record.settings_page)
    chosen = project.RiskClass(project.risk_class).label
    told = AuditEvent.objects.filter(subject_type="accounts.project", subject_id=project.ledger_id)
    for past in with_payloads(list(told.order_by("-id")[:500])):
        values = [change.fields["risk_class"][1] for change in past.changes if "risk_class" in change.fields]
        if project.risk_class in values:
            if past.event.actor_kind != ActorKind.USER:
                return failed(f"{chosen}, but no person chose it.", fix="Let the manager choose it anew.")
            if wrong := record.broken(past):
                return failed(f"{chosen}, but the log is broken there: {wrong}.", fix=TELL)
            return passed(f"{chosen}, chosen on {past.event.at:%Y-%m-%d}.", proof=record.settings_page)
    return failed(f"{chosen}, but the log does not say who chose it.", fix="Let the manager choose it anew.")
