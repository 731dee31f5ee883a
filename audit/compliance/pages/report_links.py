"""What leads to the form of a report from elsewhere, filled in: runs, a run, a model version, the queue, the log."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from accounts.models import Project
from accounts.roles import Reach
from artifacts.pages.slots import Panel
from audit.compliance.models import Report
from audit.compliance.pages.report_words import LOG, with_pairs
from audit.compliance.queries.report_standing import reach_of
from audit.compliance.queries.reports import reports_of
from experiments.models import Run
from experiments.pages.slots import RunsPage
from kernel.actor import Actor
from registry.models import ModelVersion
from registry.pages.slots import VersionLink

SHOWN = 3
Kind, Scope = Report.Kind, Report.Scope


def form_url(project: Project, pairs: Sequence[tuple[str, str]]) -> str:
    """The form of a new report with these fields filled in."""
    return with_pairs(reverse("compliance:new_report", args=[project.slug]), pairs)


def runs_url(project: Project, pairs: Sequence[tuple[str, str]]) -> str:
    """The form for the runs that a question finds, given as in the address of the run table."""
    return form_url(project, [("kind", Kind.COMPLIANCE), ("scope", Scope.RUNS), *pairs])


def may_report(viewer: Actor, project: Project) -> bool:
    """Whether the viewer may ask for reports in a project, be it of their own runs only."""
    return reach_of(viewer, project) is not None


RUNS_PAGE = RunsPage("Report", "report", may_report, runs_url)


def run_button(viewer: Actor, run: Run) -> Panel | None:
    """In the head of a run."""
    reach = reach_of(viewer, run.project)
    if reach is None or (reach is Reach.OWN and run.created_by_id != viewer.user_id):
        return None
    url = form_url(run.project, [("kind", Kind.COMPLIANCE), ("scope", Scope.RUN), ("run", run.readable_id)])
    return Panel("compliance/report_button.html", {"url": url})


def version_link(viewer: Actor, version: ModelVersion) -> VersionLink | None:
    """In the head of a model version: its card as a report."""
    project = version.model.project
    reach = reach_of(viewer, project)
    if reach is None or (reach is Reach.OWN and version.created_by_id != viewer.user_id):
        return None
    named = f"{version.model.name} v{version.number}"
    pairs = [("kind", Kind.MODEL_CARD), ("scope", Scope.VERSION), ("version", named)]
    return VersionLink("Report", "report", form_url(project, pairs))


def queue_url(viewer: Actor, project: Project, verdicts: Sequence[str]) -> str:
    """The form for the runs that stand so, as the review queue lists them; '' for who may not ask."""
    if not may_report(viewer, project):
        return ""
    listed = ", ".join(f"'{word}'" for word in verdicts)
    return runs_url(project, [("q", f"verdict IN ({listed})")])


def log_url(project: Project, words: Mapping[str, str]) -> str:
    """The form for an extract of the log, narrowed as its page is."""
    narrowed = [(f"{LOG}{name}", text) for name, text in words.items()]
    return form_url(project, [("kind", Kind.TRAIL), ("scope", Scope.PROJECT), *narrowed])


def project_panel(viewer: Actor, project: Project) -> Panel | None:
    """On a project's first page: its newest reports, where there are any."""
    if not may_report(viewer, project):
        return None
    newest = list(reports_of(viewer, project)[:SHOWN])
    return Panel("compliance/report_panel.html", {"project": project, "reports": newest}) if newest else None
