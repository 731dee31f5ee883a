"""What a report says: its first page, and the sections of each of its parts, from the records alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from accounts.access import roles_in
from accounts.models import Project
from audit.compliance.models import Report, ReportPart
from audit.compliance.profile import profiles
from audit.compliance.reports import said
from audit.compliance.reports.asked import question_of, requester_of
from audit.compliance.reports.asof import rows_at
from audit.compliance.reports.chain import Chain
from audit.compliance.reports.facts import Fact, Head, Section
from audit.ledger import checkpoints
from audit.ledger.keys import trusted_keys
from audit.ledger.models import Checkpoint
from audit.ledger.queries.anchored import anchor_words, is_anchored
from experiments.queries.experiments import experiment_names
from experiments.queries.runs import get_run
from kernel.errors import NotFound

NOT_LEGAL = (
    "It was checked against the named profile, and supports evidence for its clauses. Whether anything complies with a "
    "law is not said here."
)
NO_ANCHOR = "No outside anchor: whoever runs this server could have rewritten all of it."
_RECORDS = {
    Report.Kind.COMPLIANCE: "Runs",
    Report.Kind.REPRODUCIBILITY: "Runs",
    Report.Kind.MODEL_CARD: "Model versions",
    Report.Kind.ACCESS: "People",
}


def sections_of(report: Report, part: ReportPart, chain: Chain) -> Iterator[Section]:
    """The sections of one part in their order, as things stood under the report's head."""
    size = report.log_size or 0
    if report.kind == Report.Kind.TRAIL:
        from audit.compliance.reports.gather_trail import trail_sections

        yield from trail_sections(report, part, size)
    elif report.kind == Report.Kind.MODEL_CARD:
        from audit.compliance.reports.gather_cards import card_sections

        yield from card_sections(report, part.runs, size, chain)
    elif report.kind == Report.Kind.ACCESS:
        from audit.compliance.reports.gather_access import access_sections

        yield from access_sections(report, part.runs, size)
    else:
        from audit.compliance.reports.gather_runs import run_sections

        again = report.kind == Report.Kind.REPRODUCIBILITY
        yield from run_sections(part.runs, size, chain, for_reproducing=again)


def chain_of(report: Report) -> Chain:
    """The log under the report's head, checked up to its root."""
    return Chain(report.log_size or 0, report.log_root)


def head_of(report: Report, *, counts: Sequence[Fact] = (), notes: Sequence[str] = (), volumes: int = 1) -> Head:
    """The first page. counts, notes: what came out of gathering. Call it once the report has begun."""
    checkpoint = _checkpoint(report)
    signed = checkpoints.parse(checkpoint.note).head if checkpoint else None
    viewer = requester_of(report)
    roles = ", ".join(sorted(role.label for role in roles_in(viewer, report.project_id)))
    named = profiles().get(report.profile)
    return Head(
        kind=report.kind,
        kind_words=Report.Kind(report.kind).label,
        title=report.title,
        project=_project(report).name,
        project_slug=report.project.slug,
        about=_about(report),
        question=_question(report),
        requested_by=str(report.requested_by or viewer.user_name),
        requested_roles=roles,
        requested_at=said.moment(report.requested_at),
        reason=report.reason,
        as_of=said.moment(report.head_at),
        log_size=report.log_size or 0,
        log_root=report.log_root,
        key_id=checkpoint.key_id if checkpoint else "",
        origin=signed.origin if signed else "",
        anchored=anchor_words(checkpoint),
        profile=f"{named.title} (version {named.version})" if named else report.profile,
        profile_digest=report.profile_digest,
        software=software(),
        counts=[Fact(_RECORDS.get(Report.Kind(report.kind), "Events"), f"{report.records or 0:,}"), *counts],
        notes=[*notes, *_standing_notes(report, checkpoint)],
        volumes=volumes,
    )


def software() -> str:
    """This program with its version."""
    from django.conf import settings

    return f"MLED {settings.MLED_VERSION}"


def _checkpoint(report: Report) -> Checkpoint | None:
    if report.log_size is None or report.head_at is None:
        return None
    rows = Checkpoint.objects.filter(size=report.log_size, root=report.log_root, at=report.head_at)
    return rows.order_by("-id").first()


def _standing_notes(report: Report, checkpoint: Checkpoint | None) -> list[str]:
    found = [] if report.kind in (Report.Kind.TRAIL, Report.Kind.ACCESS) else [NOT_LEGAL]
    if report.kind == Report.Kind.ACCESS:
        from audit.compliance.reports.gather_access import sign_off_note

        found.append(sign_off_note(report))
    if not is_anchored(checkpoint):
        found.append(NO_ANCHOR)
    keys = trusted_keys()
    try:
        if checkpoint is None or checkpoints.verify(checkpoint.note, keys).size != report.log_size:
            found.append("The signed head that it speaks of is not there any more.")
    except checkpoints.BadCheckpoint as error:
        found.append(f"The signature of the head does not verify: {error}")
    return found


def _project(report: Report) -> Project:
    """The project as it was under the head, as a row of its history; what has none, as it is."""
    past = rows_at(Project, report.log_size or 0, id=report.project_id)
    return past[-1] if past else report.project


def _about(report: Report) -> list[Fact]:
    project = _project(report)
    return [
        Fact("Project", f"{project.name} ({project.slug})"),
        Fact("Purpose", project.purpose),
        Fact("Governed", "yes" if project.is_governed else "no"),
        Fact("Retention", project.retention_class),
    ]


def _question(report: Report) -> list[Fact]:
    facts = [Fact("Scope", Report.Scope(report.scope).label)]
    if report.scope in (Report.Scope.RUN, Report.Scope.VERSION):
        return [*facts, Fact("Subject", _subject(report))]
    told: Mapping[str, Callable[[Any], str]] = {
        "query": str,
        "experiments": lambda ids: _experiments(report, ids),
        "lifecycle": str,
    }
    words = {"query": "Query", "experiments": "Experiments", "lifecycle": "Runs that are"}
    for name, given in question_of(report).items():
        if given not in ("", []):
            facts.append(Fact(words.get(name, name.capitalize()), told.get(name, str)(given)))
    return facts


def _experiments(report: Report, ids: Sequence[int]) -> str:
    names = experiment_names(requester_of(report), ids)
    return ", ".join(names.get(one, str(one)) for one in ids)


def _subject(report: Report) -> str:
    if report.scope == Report.Scope.VERSION:
        from audit.compliance.queries.report_scope import version_asked

        try:
            version = version_asked(requester_of(report), report)
        except NotFound:
            return report.subject
        return f"{version.model.name} v{version.number}"
    try:
        run = get_run(requester_of(report), report.subject, project=report.project)
    except NotFound:
        return report.subject
    return f"{run.readable_id} {run.name}"
