"""How long records stay: legal holds, purges by two people, and reviews of who may do what."""

import uuid

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Tracked, history
from experiments.models import Run
from kernel.clock import now


class LegalHold(ProjectScoped, Tracked):
    """That nothing of a project, or of one run, is deleted or purged until the hold is lifted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="holds")
    run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="holds")
    reason = models.TextField()
    placed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(default=now)
    lifted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_reason = models.TextField(blank=True, default="")

    project_path = "project"
    history = history()

    class Meta:
        indexes = [models.Index(fields=["project"], name="hold_standing", condition=models.Q(lifted_at__isnull=True))]

    def __str__(self) -> str:
        return self.reason[:60]


class Purge(ProjectScoped, Tracked):
    """Runs whose retention ran out, to be removed for good: asked for by one person, carried out by another."""

    class State(models.TextChoices):
        ASKED = "asked", "Asked for"
        DONE = "done", "Carried out"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="purges")
    runs = models.JSONField(help_text="Run ids, sorted.")
    reason = models.TextField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.ASKED)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=now)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision = models.TextField(blank=True, default="", help_text="Why it was carried out or refused.")

    project_path = "project"
    history = history()

    def __str__(self) -> str:
        return f"{len(self.runs)} runs"


class Tombstone(ProjectScoped, Tracked):
    """What is left of a purged run: that it was there, who removed it, and the digest of what it held."""

    run = models.OneToOneField(Run, on_delete=models.PROTECT, primary_key=True, related_name="tombstone")
    purge = models.ForeignKey(Purge, on_delete=models.PROTECT, related_name="tombstones")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the run's facts before they went.")
    removed = models.JSONField(help_text="How many params, tags, metrics, points, files and bytes went.")
    at = models.DateTimeField(default=now)

    project_path = "run__project"
    experiment_path = "run__experiment"
    history = history()

    def __str__(self) -> str:
        return f"tombstone of {self.run_id}"


class AccessReview(ProjectScoped, Tracked):
    """That somebody looked at who may do what in a project and signed it off (SOC 2 CC6.2, CC6.3)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="access_reviews")
    table = models.JSONField(help_text="Who had which rights why, as it was shown.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the table's canonical JSON.")
    note = models.TextField(blank=True, default="")
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)

    project_path = "project"
    see_permission = "compliance.see_access"
    history = history()

    class Meta:
        indexes = [models.Index(fields=["project", "-at"], name="access_review_newest")]

    def __str__(self) -> str:
        return f"access to {self.project_id} on {self.at:%Y-%m-%d}"
