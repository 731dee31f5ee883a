"""Reports: asked for and stopped by people, begun, issued and given up by the system that builds them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.access import can, not_found, require
from accounts.decorators import action
from accounts.models import Project
from accounts.notices import tell
from accounts.texts import checked_line
from artifacts.blobs import know
from artifacts.storage import StoredBlob
from audit.compliance.models import Report, ReportFile, ReportPart
from audit.compliance.queries.log_question import asked_of
from audit.compliance.queries.report_scope import require_reach
from audit.compliance.queries.reports import may_stop, require_given, require_issued
from audit.compliance.reports import asked as words
from audit.compliance.reports.hooks import wake
from audit.compliance.texts import kept_text
from audit.ledger.acting import current_act
from audit.ledger.models import Checkpoint
from experiments.queries.overview import experiments_of
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Invalid, TooMany

FILE = "compliance.reportfile"
OPEN_MAX = 20


class NotOurs(Conflict):
    """Somebody else makes the report by now, or it was stopped."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that is in the store and waits for its name. part: the volume that it is."""

    name: str
    format: str
    media_type: str
    stored: StoredBlob
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a report will speak of: the head of the log, the profile then, and the ids of each part in their order."""

    head: Checkpoint
    profile: str
    profile_digest: str
    parts: Sequence[Sequence[str]]
    records: int


def request_report(
    actor: Actor,
    project: Project,
    *,
    kind: str,
    scope: str,
    title: str = "",
    reason: str = "",
    subject: str = "",
    question: Mapping[str, Any] | None = None,
    as_of: dt.datetime | None = None,
    formats: Sequence[str] = words.FORMATS,
) -> Report:
    """Ask for a report, which is built in the background. The event is 'compliance.open_report'.

    subject: the run (32 hex digits or readable id) or the model version (its number in the database) where the scope is
    one. question: {"query", "experiments", "lifecycle"} for runs of a project; the filter of the audit log for a trail.
    Whoever may report on their own runs alone is refused where one of the runs is somebody else's. Raises NotFound,
    Refused, Invalid with the field that is wrong, TooMany.
    """
    require(actor, "projects.see", project)
    report = Report(
        project=project,
        kind=words.checked_choice(kind, Report.Kind.values, field="kind"),
        scope=scope,
        title=checked_line(title or Report.Kind(kind).label, "A title", words.TITLE_MAX, field="title"),
        reason=kept_text(reason, field="reason"),
        as_of=words.checked_moment(as_of),
        requested_by_id=actor.user_id,
    )
    words.checked_choice(scope, words.SCOPES[kind], field="scope")
    require(actor, "compliance.report", report)
    for right in words.NEEDS.get(kind, ()):
        require(actor, right, project)
    report.question = _question(actor, report, question or {}, formats) | _bundle_holds(actor, project, formats)
    report.subject = require_reach(actor, report, subject)
    return open_report(actor, report, reason=report.reason)


def request_again(actor: Actor, report: Report) -> Report:
    """Ask for the same report for the same moment, to compare the digests. Raises Conflict where it never began."""
    if report.head_at is None:
        raise Conflict("This report never began, so it speaks of no moment.", hint="Ask for it anew.")
    return request_report(
        actor,
        report.project,
        kind=report.kind,
        scope=report.scope,
        title=report.title,
        reason=f"Built again to compare its digest with that of {report.pk}.",
        subject=report.subject,
        question=words.question_of(report),
        as_of=report.head_at,
        formats=words.formats_of(report),
    )


def _question(actor: Actor, report: Report, given: Mapping[str, Any], formats: Sequence[str]) -> dict[str, Any]:
    wanted = words.checked_formats(formats)
    if report.scope not in (Report.Scope.PROJECT, Report.Scope.RUNS) or report.kind == Report.Kind.ACCESS:
        return {"formats": wanted}
    if report.kind == Report.Kind.TRAIL and report.scope == Report.Scope.PROJECT:
        said = {str(name): str(text) for name, text in given.items()}
        return {**asked_of(actor, report.project, said).words, "formats": wanted}
    question = words.checked_runs_question(given)
    _refuse_elsewhere(actor, report.project, question["experiments"])
    return {**question, "formats": wanted}


def _refuse_elsewhere(actor: Actor, project: Project, asked: Sequence[int]) -> None:
    """Raise Invalid where one of these experiments is not of the project: a report names none of another."""
    here = set(experiments_of(actor, project, lifecycle=None).filter(pk__in=asked).values_list("pk", flat=True))
    strange = next((one for one in asked if one not in here), None)
    if strange is not None:
        words = f"This project has no experiment {strange}."
        raise Invalid(words, hint="Take the numbers from the addresses of its pages.", field="experiments")


def _bundle_holds(actor: Actor, project: Project, formats: Sequence[str]) -> dict[str, Any]:
    """What of the log goes into the bundle: as much as whoever asks may read."""
    if words.BUNDLE not in formats:
        return {}
    return {words.BUNDLE_HOLDS: [one for one in (words.READ_LOG, words.SEE_ACCESS) if can(actor, one, project)]}


@action("compliance.report", on="report")
def open_report(actor: Actor, report: Report, *, reason: str = "") -> Report:
    """Keep a checked request, and wake whoever builds it. `request_report` is what checks it. Raises TooMany."""
    mine = Report.objects.filter(project=report.project, requested_by_id=actor.user_id, state__in=Report.OPEN)
    if mine.count() >= OPEN_MAX:
        raise TooMany(f"You have {OPEN_MAX} reports under way here.", hint="Wait for one, or stop one.")
    report.save()
    transaction.on_commit(wake)
    return report


@action("compliance.report", on="report")
def cancel_report(actor: Actor, report: Report, *, reason: str = "") -> Report:
    """Stop a report that is not finished. Its requester may, and managers and auditors. Raises Conflict, Refused."""
    may_stop(actor, report)
    held = _held(report.pk)
    if not held.is_open:
        raise Conflict("This report is not being made any more.", hint="Ask for a new one if you need it.")
    held.state, held.finished_at, held.lease, held.lease_until = Report.State.CANCELLED, now(), None, None
    held.save()
    return held


@action("compliance.report", on="report")
def begin_report(actor: Actor, report: Report, *, lease: UUID, frozen: Frozen) -> Report:
    """Fix what a report speaks of: its head and its records. Called by the system; Conflict for who lost the lease."""
    held = _leased(report, lease, Report.State.WAITING)
    head = frozen.head
    held.log_size, held.log_root, held.head_at = head.size, head.root, head.at
    held.profile, held.profile_digest = frozen.profile, frozen.profile_digest
    held.records, held.done = frozen.records, 0
    held.state = Report.State.RUNNING
    ReportPart.objects.bulk_create(
        [ReportPart(report=held, number=at, runs=list(ids)) for at, ids in enumerate(frozen.parts, 1)], batch_size=50
    )
    held.save()
    return held


@action("compliance.report", on="report")
def issue_report(
    actor: Actor, report: Report, *, lease: UUID, files: Sequence[Made], digest: str, software: str
) -> Report:
    """Put out a finished report with its files, at once and once. Called by the system; Conflict for a lost lease."""
    held = _leased(report, lease, Report.State.RUNNING)
    for made in files:
        know(made.stored)
        ReportFile(
            report=held,
            name=made.name,
            format=made.format,
            media_type=made.media_type,
            part=made.part,
            blob_id=made.stored.digest,
            size_bytes=made.stored.size_bytes,
        ).save(force_insert=True)
    told = {one.name: (None, {"digest": one.stored.digest, "size_bytes": one.stored.size_bytes}) for one in files}
    current_act().record(FILE, held.ledger_id, "set", told)
    held.state, held.finished_at, held.digest, held.software = Report.State.DONE, now(), digest, software
    held.lease, held.lease_until, held.done = None, None, held.records or 0
    held.save()
    _tell(held, f"Your report '{held.title}' is finished.")
    return held


@action("compliance.report", on="report")
def fail_report(actor: Actor, report: Report, *, lease: UUID, failure: str) -> Report:
    """Give a report up, and say why and what to do. Called by the system; Conflict for a lost lease."""
    held = _leased(report, lease, *Report.OPEN)
    held.state, held.finished_at, held.failure = Report.State.FAILED, now(), failure
    held.lease, held.lease_until = None, None
    held.save()
    _tell(held, f"Your report '{held.title}' could not be made: {failure}")
    return held


@action("compliance.report", on="report")
def download_report(actor: Actor, report: Report, *, file: ReportFile) -> None:
    """One event without a change: that the actor took this file of a report out.

    Raises Conflict before it counts, NotFound and Refused for who may not have it.
    """
    require_given(actor, file)
    require_issued(actor, report)
    act = current_act()
    act.always = True
    act.speaks_of(report.ledger_subject)
    act.reason = f"{file.name}, SHA-256 {file.blob_id}"


def _tell(report: Report, text: str) -> None:
    if report.requested_by is not None:
        url = f"/p/{report.project.slug}/reports/{report.pk}/"
        kind = f"report.{report.state}"
        tell([report.requested_by], kind=kind, text=text, url=url, project=report.project)


def _held(report_id: UUID) -> Report:
    rows = Report.objects.select_for_update(of=("self",), no_key=True).select_related("project", "requested_by")
    held: Report | None = rows.filter(pk=report_id).first()
    if held is None:
        raise not_found(Report)
    return held


def _leased(report: Report, lease: UUID, *states: str) -> Report:
    held = _held(report.pk)
    if held.lease != lease or held.state not in states:
        raise NotOurs("Somebody else makes this report, or it was stopped.")
    return held


__all__ = [
    "Frozen",
    "Made",
    "NotOurs",
    "begin_report",
    "cancel_report",
    "download_report",
    "fail_report",
    "issue_report",
    "open_report",
    "request_report",
]
