"""What a report will speak of, fixed when its building begins: the head of the log, the profile then, its records."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from accounts.models import Project
from audit.compliance.models import ProfileCopy, Report
from audit.compliance.profile import ADDITIONS, digest_of, profile_of
from audit.compliance.queries.log_question import asked_of
from audit.compliance.queries.report_scope import refuse_others, runs_asked, versions_asked
from audit.compliance.reports.asked import requester_of
from audit.compliance.reports.asof import chunks, rows_at
from audit.ledger.models import AuditEvent, Checkpoint, Leaf
from audit.ledger.queries.search import matching
from experiments.models import Run

PART = 200
EVENTS_IN_PART = 5000
LEAVES_AT_ONCE = 2000
Kind = Report.Kind


def profile_at(report: Report, head: Checkpoint) -> tuple[str, str]:
    """The profile that the project followed under the head, and its digest with what the project added."""
    rows = rows_at(Project, head.size, id=report.project_id)
    name = rows[-1].profile if rows else report.project.profile
    profile = profile_of(name)
    copies = rows_at(ProfileCopy, head.size, project_id=report.project_id)
    copy = ProfileCopy(**{field: getattr(copies[-1], field) for field in ADDITIONS}) if copies else None
    return profile.name, digest_of(profile, copy)


def parts_of(report: Report, head: Checkpoint) -> tuple[list[list[str]], int]:
    """The ids of each part in their order, and how many records the report speaks of.

    Within the sight of its requester, as their rights are now. Raises Refused, NotFound, Invalid.
    """
    viewer = requester_of(report)
    if report.kind == Kind.MODEL_CARD:
        versions = versions_asked(viewer, report)
        refuse_others(viewer, report, versions)
        return _cut([str(pk) for pk in versions])
    if report.kind == Kind.ACCESS:
        from audit.compliance.reports.gather_access import people_at

        return _cut(people_at(report.project, head.size))
    if report.kind == Kind.TRAIL and report.scope == Report.Scope.PROJECT:
        asked = asked_of(viewer, report.project, {k: v for k, v in report.question.items() if isinstance(v, str)})
        return _stretches(list(_places(report, head, asked.question)))
    if report.kind == Kind.TRAIL and report.scope == Report.Scope.VERSION:
        return _cut([f"version:{pk}" for pk in versions_asked(viewer, report)])
    runs = runs_asked(viewer, report)
    refuse_others(viewer, report, runs)
    return _cut(list(_there(runs, head.size)))


def _cut(ids: Sequence[str]) -> tuple[list[list[str]], int]:
    return list(chunks(ids, PART)), len(ids)


def _there(runs: Sequence[int], size: int) -> Iterator[str]:
    """The ids of those runs that were there under the head; what has no history was put in before there was any."""
    for some in chunks(runs):
        uids: dict[int, UUID] = dict(Run.objects.filter(pk__in=some).values_list("pk", "uid"))
        there = {row.id for row in rows_at(Run, size, id__in=some)}
        past = Run.history.filter(id__in=some)  # type: ignore[attr-defined]  # simple-history's manager
        there |= set(some) - set(past.values_list("id", flat=True))
        yield from (uids[pk].hex for pk in some if pk in there)


def _places(report: Report, head: Checkpoint, question: object) -> Iterator[int]:
    """The places of the project's events that match, in the order of the log."""
    told = matching(question)  # type: ignore[arg-type]  # a Question
    for start in range(0, head.size, LEAVES_AT_ONCE):
        leaves = Leaf.objects.filter(seq__gte=start, seq__lt=min(head.size, start + LEAVES_AT_ONCE))
        places = dict(leaves.values_list("event_id", "seq"))
        events = AuditEvent.objects.filter(told, project_id=report.project_id, id__in=list(places))
        yield from sorted(places[one] for one in events.values_list("id", flat=True))


def _stretches(places: Sequence[int]) -> tuple[list[list[str]], int]:
    """Parts as [first place, last place, how many events]: the filter finds them again."""
    parts = [[str(some[0]), str(some[-1]), str(len(some))] for some in chunks(places, EVENTS_IN_PART)]
    return parts, len(places)
