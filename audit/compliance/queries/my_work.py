"""What waits for an auditor in all their projects, and what became of the reports that somebody asked for."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Max, QuerySet

from accounts.access import roles_in, sight
from accounts.models import Project
from accounts.roles import roles_with
from audit.compliance.access_table import DUE_DAYS
from audit.compliance.models import AccessReview, Finding, Report, Review, TrailReview
from audit.compliance.queries.reviews import open_findings
from audit.compliance.trail import trail_is_overdue
from kernel.actor import Actor
from kernel.clock import now

LATELY = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Duties:
    """What waits in one project for those who audit it."""

    project: Project
    waiting: int
    trail_overdue: bool
    access_overdue: bool

    @property
    def is_any(self) -> bool:
        return bool(self.waiting or self.trail_overdue or self.access_overdue)


def is_auditing(viewer: Actor) -> bool:
    """Whether the viewer audits anything at all. Asks no database."""
    seen = sight(viewer, "compliance.decide_review")
    return seen.everything or bool(seen.projects)


def duties_of(viewer: Actor) -> list[Duties]:
    """Of each project that the viewer audits where something waits, the fullest queue first. Four questions in all."""
    deciding = set(roles_with("compliance.decide_review"))  # a token decides nothing, yet may read what waits
    projects = [one for one in Project.objects.visible_to(viewer) if deciding & roles_in(viewer, one.pk)]
    if not projects:
        return []
    open_rounds = Review.objects.visible_to(viewer).filter(state__in=Review.OPEN).order_by()
    waiting = dict(open_rounds.values_list("run__project").annotate(n=Count("pk")))
    trails = dict(TrailReview.objects.visible_to(viewer).order_by().values_list("project").annotate(at=Max("at")))
    signed = dict(AccessReview.objects.visible_to(viewer).order_by().values_list("project").annotate(at=Max("at")))
    access_from = now() - dt.timedelta(days=DUE_DAYS)
    found = [
        Duties(
            project=one,
            waiting=waiting.get(one.pk, 0),
            trail_overdue=trail_is_overdue(one, trails.get(one.pk)),
            access_overdue=signed.get(one.pk, one.created_at) < access_from,
        )
        for one in projects
    ]
    return sorted((one for one in found if one.is_any), key=lambda one: (-one.waiting, one.project.name.lower()))


def answers_to(viewer: Actor) -> QuerySet[Finding]:
    """The findings that the viewer opened and somebody answered: to be closed or asked again."""
    return open_findings(viewer).filter(opened_by=viewer.user_id, state=Finding.State.ANSWERED)


def reports_lately(viewer: Actor) -> QuerySet[Report]:
    """The viewer's own reports of the last days, the newest first."""
    rows = Report.objects.visible_to(viewer).filter(requested_by=viewer.user_id, requested_at__gte=now() - LATELY)
    return rows.select_related("project").order_by("-requested_at", "-pk")
