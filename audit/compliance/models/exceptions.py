"""Where people say that a rule does not apply to a run, or may stay unmet for a while."""

import uuid

from django.db import models

from accounts.models import User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Tracked, history
from experiments.models import Run
from kernel.clock import now


class NotApplicable(ProjectScoped, Tracked):
    """That a rule does not apply to a run: why, and who says so."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+", db_index=False)
    rule = models.CharField(max_length=40)
    reason = models.TextField()
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)

    project_path = "run__project"
    experiment_path = "run__experiment"
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "rule"], name="not_applicable_once")]

    def __str__(self) -> str:
        return f"{self.rule} does not apply to {self.run_id}"


class Waiver(ProjectScoped, Tracked):
    """That a rule may stay unmet by a run until a day. Where the rule blocks approval, an auditor signs along."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="waivers", db_index=False)
    rule = models.CharField(max_length=40)
    reason = models.TextField()
    until = models.DateField()
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    cosigned_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    cosigned_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    project_path = "run__project"
    experiment_path = "run__experiment"
    history = history()

    class Meta:
        indexes = [models.Index(fields=["run", "rule"], name="waiver_of_run")]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "rule"], name="waiver_once", condition=models.Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} waived for {self.run_id} until {self.until}"
