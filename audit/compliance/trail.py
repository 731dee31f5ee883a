"""How far a project's audit trail goes."""

from accounts.models import Project
from audit.ledger.models import AuditEvent, Leaf


def last_place(project: Project) -> int | None:
    """The last place in the log that speaks of a project, whoever asks."""
    newest = AuditEvent.objects.filter(project_id=project.pk).order_by("-id").values_list("id", flat=True)[:200]
    place: int | None = (
        Leaf.objects.filter(event_id__in=list(newest)).order_by("-seq").values_list("seq", flat=True).first()
    )
    return place
