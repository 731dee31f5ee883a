"""How much a project may hold and how much it does, for those who see the project."""

from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from accounts.access import require
from accounts.models import Project
from artifacts.models import ProjectQuota, QuotaUse
from artifacts.quotas import NEARLY_FULL, quota_of, size_of_files
from kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Room:
    """What a project may hold, None where it has no quota, and what its files have together."""

    limit_bytes: int | None
    used_bytes: int

    @property
    def share(self) -> float:
        """How much of the quota is used; 0 without one."""
        return self.used_bytes / self.limit_bytes if self.limit_bytes else 0.0

    @property
    def percent(self) -> int:
        """The same for people."""
        return round(100 * self.share)

    @property
    def is_nearly_full(self) -> bool:
        """Whether somebody should do something about it."""
        return self.share > NEARLY_FULL


def room_of(viewer: Actor, project: Project) -> Room:
    """The quota of a project and what its files have now, counted. Raises NotFound."""
    require(viewer, "projects.see", project)
    quota: ProjectQuota | None = quota_of(project)
    return Room(quota.limit_bytes if quota else None, size_of_files(project.pk))


def nearly_full(viewer: Actor) -> list[tuple[str, Room]]:
    """The names of projects above nine tenths of their quota, the fullest first. For whoever looks after the site."""
    require(viewer, "site.diagnose")
    used = QuotaUse.objects.filter(project_id=OuterRef("project_id")).values("used_bytes")
    rows = ProjectQuota.objects.annotate(used=Subquery(used)).values_list("project__name", "limit_bytes", "used")
    rooms = [(name, Room(limit, held or 0)) for name, limit, held in rows]
    return sorted(((n, room) for n, room in rooms if room.is_nearly_full), key=lambda one: -one[1].share)
