"""How much the files of a project may take, and how much they do."""

from django.db import models

from accounts.models import Project
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Quiet, Tracked, history
from kernel.clock import now


class ProjectQuota(ProjectScoped, Tracked):
    """How many bytes the files of a project may have together. Absent: as many as there is room for."""

    project = models.OneToOneField(Project, on_delete=models.PROTECT, related_name="quota")
    limit_bytes = models.BigIntegerField(help_text="Of all files by name; the same content twice counts twice.")

    project_path = "project"
    see_permission = "projects.see"
    history = history()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(limit_bytes__gt=0), name="quota_above_zero")]

    def __str__(self) -> str:
        return f"quota of {self.project}"


class QuotaUse(ProjectScoped, Quiet):
    """What the files of a project with a quota have together. Quiet: it follows from files that are on record.

    A row of its own, held by whoever adds a file: so two never both take the last room.
    """

    project = models.OneToOneField(Project, primary_key=True, on_delete=models.PROTECT, related_name="+")
    used_bytes = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField(default=now, help_text="When the files were last added up.")

    project_path = "project"
    see_permission = "projects.see"

    def __str__(self) -> str:
        return f"{self.project_id}: {self.used_bytes} bytes"
