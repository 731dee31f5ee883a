"""Reports, for those who may see them: which there are, their files, how far they are."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import can, can_see, not_found, require, roles_in
from accounts.models import Project
from accounts.roles import Role
from accounts.workers import is_worker_alive
from audit.compliance.models import Report, ReportFile
from audit.compliance.reports.asked import BUNDLE, NEEDS, bundle_holds
from audit.ledger.models import AuditEvent, Checkpoint, Leaf
from audit.ledger.queries.health import ledger_lag
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Refused

ISSUED = "compliance.issue_report"
LEADING = frozenset({Role.PROJECT_MANAGER, Role.AUDITOR})
BEHIND_SECONDS = 10
JUDGED = (Report.Kind.COMPLIANCE, Report.Kind.REPRODUCIBILITY)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a report is. words: in a sentence; since: when it began to stand so; of: None before it is known.

    waits_for: 'worker' where none is running, 'log' for the head that it will speak of, 'checkpoint' where it is
    finished and its files wait until the log covers that; else ''.
    """

    state: str
    words: str
    done: int
    of: int | None
    since: dt.datetime
    waits_for: str
    is_worker_alive: bool
    may_stop: bool
    may_download: bool

    @property
    def percent(self) -> int:
        """0 to 100."""
        return 100 if self.state == Report.State.DONE else int(100 * self.done / self.of) if self.of else 0


def may_have(viewer: Actor, project: Project, kind: str) -> bool:
    """Whether the viewer has the rights that this kind of report takes beside that to report."""
    return all(can(viewer, right, project) for right in NEEDS.get(kind, ()))


def readable(viewer: Actor, report: Report) -> bool:
    """Whether the viewer may read a report, as their rights are now."""
    return bool(can_see(viewer, report)) and may_have(viewer, report.project, report.kind)


def is_given(viewer: Actor, report: Report, form: str) -> bool:
    """Whether the viewer may have the files of this format: a bundle may hold more of the log than they may read."""
    if not readable(viewer, report):
        return False
    return form != BUNDLE or all(can(viewer, right, report.project) for right in bundle_holds(report))


def reports_of(viewer: Actor, project: Project) -> QuerySet[Report]:
    """The reports of a project that the viewer may read, the newest request first."""
    closed = [kind for kind in NEEDS if not may_have(viewer, project, kind)]
    rows = Report.objects.visible_to(viewer).filter(project=project).exclude(kind__in=closed)
    return rows.select_related("project", "requested_by").order_by("-requested_at", "-pk")


def get_report(viewer: Actor, report_id: UUID, *, project: Project | None = None) -> Report:
    """One report. Raises NotFound, the same for absent, invisible and not readable any more."""
    rows = Report.objects.visible_to(viewer).select_related("project", "requested_by")
    found: Report | None = (rows if project is None else rows.filter(project=project)).filter(pk=report_id).first()
    if found is None or not readable(viewer, found):
        raise not_found(Report)
    return found


def files_of_report(viewer: Actor, report: Report) -> list[ReportFile]:
    """The files of a report that the viewer may have: volumes first, in their order, then the annexes."""
    rows = ReportFile.objects.visible_to(viewer).filter(report=report).select_related("blob", "report__project")
    given = [one for one in rows if is_given(viewer, report, one.format)]
    return sorted(given, key=lambda one: (one.part is None, one.part or 0, one.name))


def get_report_file(viewer: Actor, report: Report, name: str) -> ReportFile:
    """One file of a report by its name. Raises NotFound; Refused where its events take more rights."""
    rows = ReportFile.objects.visible_to(viewer).filter(report=report, name=name)
    found: ReportFile | None = rows.select_related("blob", "report__project").first()
    if found is None:
        raise not_found(ReportFile, name[:80])
    require_given(viewer, found)
    return found


def require_given(viewer: Actor, file: ReportFile) -> None:
    """Raise NotFound, or Refused for a bundle, where the viewer may not have this file as their rights are now."""
    if not readable(viewer, file.report):
        raise not_found(Report)
    if not is_given(viewer, file.report, file.format):
        raise Refused(
            "This bundle holds events of the project's log that your role does not read.",
            hint="Ask for a report of your own: its bundle holds what you may read.",
        )


def issued_at_place(viewer: Actor, report: Report) -> int | None:
    """The place in the log of the event that issued a report; None until a signed head covers it."""
    if not readable(viewer, report):
        return None
    subject = report.ledger_subject
    told = AuditEvent.objects.filter(subject_type=subject.kind, subject_id=subject.id, verb=ISSUED, outcome="done")
    seq = Leaf.objects.filter(event_id__in=list(told.values_list("id", flat=True)[:1])).values_list("seq", flat=True)
    place: int | None = seq.first()
    return place if place is not None and Checkpoint.objects.filter(size__gt=place).exists() else None


def require_issued(viewer: Actor, report: Report) -> None:
    """Raise Conflict while no signed head of the log covers that a report was issued."""
    if issued_at_place(viewer, report) is None:
        words = "This report awaits its checkpoint: its files are given out once the log covers them."
        raise Conflict(words, hint="Try again in some seconds.")


def progress_of(viewer: Actor, report: Report) -> Progress:
    """How far a report is, and what it waits for. Raises NotFound."""
    require(viewer, "compliance.report", report)
    if not readable(viewer, report):
        raise not_found(Report)
    alive = is_worker_alive()
    covered = report.state == Report.State.DONE and issued_at_place(viewer, report) is not None
    waits_for = _waits_for(report, alive=alive, covered=covered)
    return Progress(
        state=report.state,
        words=_words(report, waits_for),
        done=report.done,
        of=report.records,
        since=report.finished_at or report.requested_at,
        waits_for=waits_for,
        is_worker_alive=alive,
        may_stop=report.is_open and _may_stop(viewer, report),
        may_download=covered,
    )


def _waits_for(report: Report, *, alive: bool, covered: bool) -> str:
    if report.state == Report.State.DONE:
        return "" if covered else "checkpoint"
    if not report.is_open:
        return ""
    leased = report.lease_until is not None and report.lease_until > now()
    if not alive and not leased:
        return "worker"
    is_behind = report.state == Report.State.WAITING and report.as_of is None and ledger_lag().seconds > BEHIND_SECONDS
    return "log" if is_behind else ""


def _words(report: Report, waits_for: str) -> str:
    match report.state:
        case Report.State.WAITING if waits_for == "worker":
            return "Waiting: no worker is running. It begins by itself when one does."
        case Report.State.WAITING if waits_for == "log":
            return "Waiting for the log, which is behind: it speaks of a head that covers all that was there."
        case Report.State.WAITING if report.lease_until is not None and report.lease_until > now():
            asks = "Asking the rules about runs that changed, and waiting" if report.kind in JUDGED else "Waiting"
            return f"{asks} for the log's next head."
        case Report.State.WAITING:
            return "Waiting for its turn."
        case Report.State.RUNNING if waits_for == "worker":
            done = f"Interrupted at {report.done:,} of {report.records or 0:,}"
            return f"{done}: no worker is running. It goes on by itself when one does."
        case Report.State.RUNNING if report.done >= (report.records or 0):
            return "Everything is gathered. Writing the files."
        case Report.State.RUNNING:
            return f"{report.done:,} of {report.records or 0:,} gathered."
        case Report.State.DONE if waits_for == "checkpoint":
            return "Finished, awaiting its checkpoint: its files are given out once the log covers them."
        case Report.State.DONE:
            return "Finished."
        case Report.State.CANCELLED:
            return "Stopped."
    return report.failure or "It could not be made."


def may_stop(viewer: Actor, report: Report) -> None:
    """Raise Refused for who neither asked for a report nor leads or audits its project."""
    require(viewer, "compliance.report", report)
    if not _may_stop(viewer, report):
        raise Refused("Somebody else asked for this report.", hint="Ask them, or a manager of the project, to stop it.")


def _may_stop(viewer: Actor, report: Report) -> bool:
    if not can(viewer, "compliance.report", report):
        return False
    if not viewer.is_person or viewer.user_id == report.requested_by_id:
        return True
    return bool(roles_in(viewer, report.project_id) & LEADING)


def require_still(viewer: Actor, report: Report) -> None:
    """Raise Refused where who asked for a report may no longer have it, as their rights are now."""
    may = can(viewer, "compliance.report", report)
    if not may or not may_have(viewer, report.project, report.kind):
        raise Refused("Whoever asked for it may no longer report on this project.", hint="Somebody who may asks anew.")
