"""How a project's runs stand before its auditors, on the project's first page."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse

from accounts.access import can
from accounts.models import Project
from artifacts.pages.slots import Panel
from audit.compliance.pages.queue import WAITING, filters_of, url_of
from audit.compliance.queries.reviews import counts_by_state, open_findings
from kernel.actor import Actor
from kernel.clock import now

BAD = frozenset({"flagged", "changed"})


@dataclass(frozen=True, slots=True)
class Stand:
    """So many runs stand so; url: their list."""

    label: str
    number: int
    url: str
    is_bad: bool


def project_panel(viewer: Actor, project: Project) -> Panel | None:
    """Runs to review, flagged, changed since and found compliant, and open findings; for who reads all of them."""
    if not can(viewer, "experiments.see", project):
        return None
    findings = open_findings(viewer, project).order_by()
    overdue = findings.filter(due__lt=now().date()).count()
    context = {
        "project": project,
        "stands": stands_of(project, counts_by_state(viewer, project)),
        "findings": findings.count(),
        "overdue": overdue,
        "queue_url": url_of(project),
        "runs_url": reverse("experiments:runs", args=[project.slug]),
    }
    return Panel("compliance/assurance_panel.html", context)


def stands_of(project: Project, counts: Mapping[str, int]) -> list[Stand]:
    """The states of the queue, each with its number and its list; none where no run was ever sent to review."""
    here = url_of(project)
    found = [
        Stand(one.label, one.number, here if one.key == WAITING else f"{here}?state={one.key}", one.key in BAD)
        for one in filters_of(counts)
    ]
    return found if any(one.number for one in found) else []
