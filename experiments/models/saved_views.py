"""Ways of looking at the run table that people keep: filter, columns, sort."""

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Tracked, history
from kernel.clock import now


class SavedView(ProjectScoped, Tracked):
    """What the run table's address asks, under a name. Seen by its owner alone unless it is shared with the project.

    version grows with each change, so that of two people who edit the same view the second is told.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="saved_views")
    name = models.CharField(max_length=120)
    query = models.TextField(blank=True, default="", help_text="The query string of the table's address.")
    is_shared = models.BooleanField(default=False)
    is_default = models.BooleanField(default=False, help_text="What the project's table opens with.")
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(default=now)
    updated_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "project"
    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "created_by", "name"], name="saved_view_once"),
            models.UniqueConstraint(
                fields=["project"], name="saved_view_one_default", condition=models.Q(is_default=True)
            ),
            models.CheckConstraint(
                condition=models.Q(is_default=False) | models.Q(is_shared=True), name="saved_view_default_is_shared"
            ),
        ]

    def __str__(self) -> str:
        return self.name
