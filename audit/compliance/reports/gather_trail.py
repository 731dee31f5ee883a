"""Sections of an audit-trail extract: the events of a project that match a filter, or those about runs and versions."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from audit.compliance.models import Report, ReportPart
from audit.compliance.queries.log_question import asked_of
from audit.compliance.reports.asked import requester_of
from audit.compliance.reports.asof import People, chunks
from audit.compliance.reports.facts import TrailSection
from audit.compliance.reports.gather_events import facts_of
from audit.compliance.rules.record import RUN
from audit.ledger.models import AuditEvent, Leaf
from audit.ledger.queries.history import with_payloads
from audit.ledger.queries.search import Question, matching
from experiments.models import Run
from registry.models import ModelVersion

IN_SECTION = 500
LEAVES_AT_ONCE = 2000
VERSION = "version:"


def trail_sections(report: Report, part: ReportPart, size: int) -> Iterator[TrailSection]:
    """The sections of a part: of a stretch of the log, or of single things."""
    people = People()
    if report.scope == Report.Scope.PROJECT:
        words = {name: text for name, text in report.question.items() if isinstance(text, str)}
        question = asked_of(requester_of(report), report.project, words).question
        first, last = int(part.runs[0]), int(part.runs[1])
        yield from _sections(_stretch(report, question, first, last), "events", "Events", people)
        return
    for name, kind, thing, label in _things(part.runs):
        yield from _sections(_about(kind, thing, size), name, label, people)


def _stretch(report: Report, question: Question, first: int, last: int) -> Iterator[AuditEvent]:
    """The project's events that match between two places, in the order of the log."""
    told = matching(question)
    for start in range(first, last + 1, LEAVES_AT_ONCE):
        leaves = Leaf.objects.filter(seq__gte=start, seq__lt=min(last + 1, start + LEAVES_AT_ONCE))
        places: dict[UUID, int] = dict(leaves.values_list("event_id", "seq"))
        events = AuditEvent.objects.filter(told, project_id=report.project_id, id__in=list(places))
        yield from sorted(events, key=lambda one: places[one.id])


def _things(ids: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    """Each thing as (id, kind, id in the log, name)."""
    versions = [int(one.removeprefix(VERSION)) for one in ids if one.startswith(VERSION)]
    found = {row.pk: row for row in ModelVersion.objects.filter(pk__in=versions).select_related("model")}
    uids = [UUID(hex=one) for one in ids if not one.startswith(VERSION)]
    runs = {run.uid.hex: run for run in Run.objects.filter(uid__in=uids).select_related("project")}
    for one in ids:
        if one.startswith(VERSION):
            row = found[int(one.removeprefix(VERSION))]
            yield one, row._meta.label_lower, row.ledger_id, f"{row.model.name} v{row.number}"
        elif one in runs:
            yield one, RUN, one, f"{runs[one].readable_id} {runs[one].name}"


def _about(kind: str, thing: str, size: int) -> Iterator[AuditEvent]:
    """The events about one thing under the head, in the order of the log."""
    ids = AuditEvent.objects.filter(subject_type=kind, subject_id=thing).order_by("id").values_list("id", flat=True)
    places: dict[UUID, int] = {}
    for some in chunks(ids.iterator(chunk_size=2000)):
        places |= dict(Leaf.objects.filter(event_id__in=some, seq__lt=size).values_list("event_id", "seq"))
    for some in chunks(sorted(places, key=places.__getitem__)):
        events = AuditEvent.objects.in_bulk(some)
        yield from (events[one] for one in some)


def _sections(events: Iterator[AuditEvent], name: str, words: str, people: People) -> Iterator[TrailSection]:
    """Events in portions; one empty section where there are none. Each is named by the places that it covers."""
    some: list[AuditEvent] = []
    for some in chunks(events, IN_SECTION):
        facts = facts_of(with_payloads(some), people)
        first, last = facts[0].seq, facts[-1].seq
        yield TrailSection(id=f"{name}:{first}-{last}", name=f"{words}, places {first} to {last}", events=facts)
    if not some:
        yield TrailSection(id=name, name=words, events=[])
