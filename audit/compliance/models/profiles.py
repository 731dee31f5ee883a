"""What a project adds to the rule profile that it follows."""

from django.db import models

from accounts.models import Project
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Tracked, history
from kernel.clock import now


class ProfileCopy(ProjectScoped, Tracked):
    """A project's own copy of its profile: params, tags and metrics that every run has to have, and tolerances.

    tolerances: metric -> how far a reproduction may be off: an absolute number, or as `Tolerance.said` reads it.
    version grows with each change.
    """

    project = models.OneToOneField(Project, on_delete=models.PROTECT, primary_key=True, related_name="profile_copy")
    required_params = models.JSONField(default=list)
    required_tags = models.JSONField(default=list)
    required_metrics = models.JSONField(default=list)
    tolerances = models.JSONField(default=dict)
    version = models.IntegerField(default=1)
    changed_at = models.DateTimeField(default=now)

    project_path = "project"
    history = history()

    def __str__(self) -> str:
        return f"profile of {self.project_id}"
