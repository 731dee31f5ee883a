"""Around reports: how far a viewer's reach, when making began, how many runs one would speak of, of which head."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Min

from accounts.access import require, sight
from accounts.models import Project
from accounts.roles import Reach
from audit.compliance.models import Report, ReportFile
from audit.compliance.queries.reports import is_given
from audit.compliance.reports.asked import LIFECYCLES, head_at
from audit.ledger.models import Checkpoint
from audit.ledger.queries.proofs import newest_checkpoint
from experiments.queries.runs import get_run
from experiments.queries.search import View, count_runs
from kernel.actor import Actor
from kernel.errors import NotFound
from registry.models import ModelVersion

REPORTS = "compliance.report"


@dataclass(frozen=True, slots=True)
class Matching:
    """How many runs a report would speak of. at_least: there are more (0: counting took too long); others: runs that
    are not the viewer's own."""

    number: int
    at_least: bool = False
    others: bool = False

    @property
    def words(self) -> str:
        """Such as "96 runs"."""
        if self.at_least and not self.number:
            return "Many runs"
        noun = "run" if self.number == 1 and not self.at_least else "runs"
        return f"{'more than ' if self.at_least else ''}{self.number:,} {noun}"


def reach_of(viewer: Actor, project: Project) -> Reach | None:
    """How far the viewer's reports reach: over every run of the project, over their own, or not at all."""
    seen = sight(viewer, REPORTS)
    if seen.everything or project.pk in seen.projects:
        return Reach.ANY
    return Reach.OWN if project.pk in seen.own_in else None


def required_reach(viewer: Actor, project: Project) -> Reach:
    """The same. Raises Refused where the viewer asks for no reports here, NotFound."""
    reach = reach_of(viewer, project)
    if reach is None:
        require(viewer, REPORTS, project)
    return reach or Reach.ANY


def began_of(viewer: Actor, reports: Sequence[Report]) -> dict[UUID, dt.datetime]:
    """When the making of each report began, by its id; of those that have not begun nothing."""
    seen = Report.objects.visible_to(viewer).filter(pk__in=[one.pk for one in reports]).values_list("pk", flat=True)
    rows = Report.history.filter(id__in=list(seen), state=Report.State.RUNNING)
    return dict(rows.order_by().values_list("id").annotate(began=Min("history_date")))


def runs_matching(
    viewer: Actor, project: Project, *, text: str, experiments: Sequence[int] | None, lifecycle: str
) -> Matching:
    """How many runs a filter finds now. Raises QueryError."""
    view = LIFECYCLES.get(lifecycle, View.ACTIVE_ONLY)
    scope = {"project": project, "experiments": experiments or None, "view": view}
    found = count_runs(viewer, text=text, **scope)  # type: ignore[arg-type]
    if reach_of(viewer, project) is not Reach.OWN:
        return Matching(found.number, found.at_least)
    mine = "mine = true"
    own = count_runs(viewer, text=f"({text}) AND {mine}" if text.strip() else mine, **scope)  # type: ignore[arg-type]
    is_known = bool(found.number or not found.at_least) and bool(own.number or not own.at_least)
    return Matching(found.number, found.at_least, others=is_known and own.number != found.number)


def signed_head(viewer: Actor, project: Project, at: dt.datetime | None = None) -> Checkpoint | None:
    """The last head that was signed by then, the newest for None; None before the first. Raises NotFound, Refused."""
    required_reach(viewer, project)
    return newest_checkpoint() if at is None else head_at(at)


def files_of_reports(viewer: Actor, reports: Sequence[Report]) -> dict[UUID, list[ReportFile]]:
    """The files of many reports that the viewer may have at once, by the report's id."""
    of = {one.pk: one for one in reports}
    given: dict[tuple[UUID, str], bool] = {}
    found: dict[UUID, list[ReportFile]] = {}
    for file in ReportFile.objects.visible_to(viewer).filter(report__in=list(of)):
        key = (file.report_id, file.format)
        if key not in given:
            given[key] = is_given(viewer, of[file.report_id], file.format)
        if given[key]:
            found.setdefault(file.report_id, []).append(file)
    return found


def subject_words(viewer: Actor, report: Report) -> str:
    """What the run or version of a report is called; '' for none, or none that is there for the viewer."""
    try:
        if report.scope == Report.Scope.RUN:
            run = get_run(viewer, report.subject, project=report.project)
            return f"{run.name} ({run.readable_id})"
        if report.scope == Report.Scope.VERSION:
            return version_words(viewer, report.project, report.subject)
    except NotFound:
        return ""
    return ""


def version_words(viewer: Actor, project: Project, key: str) -> str:
    """The name of a version that is given by its number in the database, as reports keep it; '' for none in sight."""
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        return ""
    rows = ModelVersion.objects.visible_to(viewer).filter(model__project=project, pk=int(key))
    found = rows.select_related("model").first()
    return f"{found.model.name} v{found.number}" if found else ""
