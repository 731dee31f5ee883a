"""How people like their pages: kept on the server, so that another browser shows the same."""

from typing import ClassVar

from django.db import models

from accounts.models.projects import Project
from accounts.models.users import User
from audit.ledger.tracking import Quiet
from kernel.clock import now


class PersonalSetting(Quiet):
    """One setting of one person, for all projects or for one. Quiet: nobody else sees it and it proves nothing."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="settings", db_index=False)
    project = models.ForeignKey(Project, null=True, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60, help_text="Which one: 'runs.widths'. Rooms register theirs.")
    value = models.JSONField()
    changed_at = models.DateTimeField(default=now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "project", "name"], name="setting_once", condition=models.Q(project__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["user", "name"], name="setting_everywhere_once", condition=models.Q(project__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name
