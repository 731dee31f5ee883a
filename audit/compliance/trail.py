"""How far a project's audit trail goes, and when somebody has to look through it again."""

import datetime as dt
from typing import Final

from accounts.models import Project
from audit.ledger.models import AuditEvent, Leaf
from kernel.clock import now

TRAIL_DAYS: Final = 90


def trail_is_overdue(project: Project, last: dt.datetime | None) -> bool:
    """Whether nobody looked through the trail for a quarter of a year. last: when somebody did; None for never."""
    return (last or project.created_at) < now() - dt.timedelta(days=TRAIL_DAYS)


def last_place(project: Project) -> int | None:
    """The last place in the log that speaks of a project, whoever asks."""
    newest = AuditEvent.objects.filter(project_id=project.pk).order_by("-id").values_list("id", flat=True)[:200]
    place: int | None = (
        Leaf.objects.filter(event_id__in=list(newest)).order_by("-seq").values_list("seq", flat=True).first()
    )
    return place
