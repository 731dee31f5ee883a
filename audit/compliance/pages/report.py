"""One report: everything that it names, its files, how to verify it, and whether building it again gives the same."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

import audit.ledger
from accounts.access import can, find_project
from accounts.pages.doors import actor_of, signed_in
from audit.compliance.actions.reports import cancel_report, request_again
from audit.compliance.giving import give_out
from audit.compliance.models import Report, ReportFile
from audit.compliance.pages.log import LABELS
from audit.compliance.pages.report_verify import HEADS, KEYS
from audit.compliance.pages.report_words import KINDS, Making, by_format, counted, making_of, pairs_of, with_pairs
from audit.compliance.pages.reports import url_of
from audit.compliance.queries.report_standing import began_of, subject_words
from audit.compliance.queries.reports import (
    files_of_report,
    get_report,
    issued_at_place,
    may_have,
    progress_of,
    reports_of,
)
from audit.compliance.reports.asked import BUNDLE, formats_of, question_of, saved_as
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import MledError, NotFound, Refused

VERIFIER = "mled_verify.py"
AGAIN_SHOWN = 20
LIFECYCLE_WORDS = {"active": "active", "deleted": "deleted", "all": "active and deleted"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of what was asked. mono: it is code."""

    label: str
    value: str
    mono: bool = False


@dataclass(frozen=True, slots=True)
class Twin:
    """Another report about the same question and the same head. same: its digest is the same."""

    report: Report
    same: bool


@require_safe
@signed_in
def page(request: HttpRequest, slug: str, report: UUID) -> HttpResponse:
    """Everything about one report."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    found = get_report(viewer, report, project=project)
    files = files_of_report(viewer, found)
    bundle = next((one for one in files if one.format == "mledlog"), None)
    context = {
        "at": "reports",
        "project": project,
        "report": found,
        "words": KINDS[found.kind],
        "asked": question_lines(viewer, found),
        "making": making(viewer, found),
        "files": by_format(files),
        "file_count": len(files),
        "bundle": bundle,
        "is_withheld": found.state == Report.State.DONE and bundle is None and BUNDLE in formats_of(found),
        "verify_line": verify_line(bundle) if bundle else "",
        "file_line": saved_as(files[0]) if files else "",
        "counted": counted(found.kind, found.records),
        "has_verifier": verifier_path().is_file(),
        "place": issued_at_place(viewer, found),
        "twins": twins_of(viewer, found),
        "again_url": with_pairs(reverse("compliance:new_report", args=[slug]), pairs_of(found)),
        "may_ask": may_ask_again(viewer, found),
    }
    return render(request, "compliance/report.html", context)


@require_safe
@signed_in
def state(request: HttpRequest, slug: str, report: UUID) -> HttpResponse:
    """How far it is: the page asks again until it is over, then it is drawn anew."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    found = get_report(viewer, report, project=project)
    how_far = making(viewer, found)
    if how_far is None:
        return HttpResponseClientRefresh()
    return render(request, "compliance/report_making.html", {"making": how_far, "project": project, "report": found})


def making(viewer: Actor, report: Report) -> Making | None:
    """How far it is; None once it is over and its files are given out."""
    progress = progress_of(viewer, report)
    if not report.is_open and not progress.waits_for:
        return None
    return making_of(report, progress, at=now(), began=began_of(viewer, [report]).get(report.pk))


def question_lines(viewer: Actor, report: Report) -> list[Line]:
    """What was asked, in the words of the form."""
    scope, asked = report.scope, question_of(report)
    lines = [Line("Of", str(Report.Scope(scope).label))]
    if report.subject:
        lines.append(Line("Which", subject_words(viewer, report) or f"{report.subject} (not there any more)"))
    if scope == Report.Scope.RUNS:
        lines.append(Line("Query", asked.get("query") or "none: all runs", mono=bool(asked.get("query"))))
        if asked.get("experiments"):
            lines.append(Line("Experiments", ", ".join(str(one) for one in asked["experiments"])))
        lines.append(
            Line("Runs", {"deleted": "deleted", "all": "active and deleted"}.get(asked["lifecycle"], "active"))
        )
    elif report.kind == Report.Kind.TRAIL:
        lines += [Line(LABELS[name], str(text)) for name, text in asked.items() if name in LABELS]
    return lines


def twins_of(viewer: Actor, report: Report) -> list[Twin]:
    """Other finished reports about the same question and the same head of the log, newest first."""
    if report.state != Report.State.DONE:
        return []
    rows = reports_of(viewer, report.project).filter(
        kind=report.kind, scope=report.scope, subject=report.subject, log_size=report.log_size, state=report.state
    )
    found = [one for one in rows.exclude(pk=report.pk)[: 5 * AGAIN_SHOWN] if question_of(one) == question_of(report)]
    return [Twin(one, one.digest == report.digest) for one in found[:AGAIN_SHOWN]]


def may_ask_again(viewer: Actor, report: Report) -> bool:
    """Whether this viewer may have a report like this built."""
    like = Report(project=report.project, requested_by_id=viewer.user_id)
    return bool(can(viewer, "compliance.report", like)) and may_have(viewer, report.project, report.kind)


# --- Acts


ACTS: dict[str, tuple[Callable[[Actor, Report], Report], str]] = {
    "stop": (cancel_report, "Stopped."),
    "again": (request_again, "It is built again for the same moment. Below it says whether its digest is the same."),
}


@require_POST
@signed_in
def act(request: HttpRequest, slug: str, report: UUID, verb: str) -> HttpResponse:
    """Stop it, or build it again for the same moment."""
    viewer = actor_of(request)
    found = get_report(viewer, report, project=find_project(viewer, slug))
    if verb not in ACTS:
        raise NotFound(f"A report has no act '{verb[:40]}'.")
    do, told = ACTS[verb]
    back = reverse("compliance:reports", args=[slug]) if request.POST.get("back") == "list" else url_of(found)
    try:
        made = do(viewer, found)
    except (NotFound, Refused):
        raise
    except MledError as error:
        messages.error(request, str(error))
        return redirect(back)
    messages.success(request, told)
    return redirect(url_of(made) if verb == "again" else back)


# --- Files


@require_safe
@signed_in
def file(request: HttpRequest, slug: str, report: UUID, report_file: str) -> HttpResponseBase:
    """One file of a report, as an attachment; that it was taken out is on record."""
    viewer = actor_of(request)
    return give_out(request, viewer, get_report(viewer, report, project=find_project(viewer, slug)), report_file)


def verify_line(bundle: ReportFile) -> str:
    """What verifies a bundle, with a key and an anchor that did not come with it."""
    return f"python {VERIFIER} {saved_as(bundle)} --key {KEYS} --anchor {HEADS}"


def verifier_path() -> Path:
    """Where the verifier lies that people take along."""
    return Path(audit.ledger.__path__[0]) / "offline" / VERIFIER


@require_safe
@signed_in
def verifier(request: HttpRequest) -> HttpResponseBase:
    """The offline verifier: one file that needs nothing but Python. Everybody may have it."""
    path = verifier_path()
    if not path.is_file():
        raise NotFound("This server has no verifier to give out.")
    return FileResponse(path.open("rb"), as_attachment=True, filename=VERIFIER, content_type="text/x-python")
