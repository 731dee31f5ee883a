"""What the rules said of a run, and which runs they have to look at again."""

import uuid

from django.db import models

from accounts.models import User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Evidence, Quiet
from experiments.models import Run
from kernel.clock import now


class Assessment(ProjectScoped, Evidence):
    """All rules of one profile over one run. Never changed; a new one is made only where a result is another.

    results: for each rule in the order of the profile {"rule", "severity", "outcome", "words", "fix", "proof"}; digest:
    SHA-256 of their canonical JSON; log_size: how many events the log had. Recorded as 'compliance.assessment'.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="assessments", db_index=False)
    profile = models.CharField(max_length=40)
    profile_version = models.CharField(max_length=20)
    profile_digest = models.CharField(max_length=64, help_text="SHA-256 of the profile with the project's additions.")
    results = models.JSONField()
    digest = models.CharField(max_length=64)
    log_size = models.BigIntegerField()
    at = models.DateTimeField(default=now)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    project_path = "run__project"
    experiment_path = "run__experiment"

    class Meta:
        indexes = [models.Index(fields=["run", "-at"], name="assessment_newest")]

    def __str__(self) -> str:
        return f"{self.profile} {self.profile_version} of {self.run_id}"


class RunStanding(ProjectScoped, Quiet):
    """How a run stands now: its newest assessment in a few numbers. Quiet: the assessment is on record.

    stale_at: something that the rules look at changed then, and nobody has looked since; null: as assessed.
    """

    run = models.OneToOneField(Run, on_delete=models.PROTECT, primary_key=True, related_name="standing")
    assessment = models.ForeignKey(Assessment, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    blocking = models.IntegerField(default=0, help_text="Rules that block approval and are not met.")
    open = models.IntegerField(default=0, help_text="Rules that must be fixed or waived and are not met.")
    met = models.IntegerField(default=0)
    of = models.IntegerField(default=0, help_text="Rules that apply.")
    checked_at = models.DateTimeField(null=True)
    stale_at = models.DateTimeField(null=True)

    project_path = "run__project"
    experiment_path = "run__experiment"

    class Meta:
        indexes = [
            models.Index(fields=["stale_at"], name="standing_stale", condition=models.Q(stale_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.met} of {self.of}"


class Watermark(Quiet):
    """How far a follower of the log has read. Quiet: it can start anew at any time."""

    name = models.CharField(primary_key=True, max_length=40)
    seq = models.BigIntegerField(default=-1, help_text="The last place in the log that was read.")

    def __str__(self) -> str:
        return f"{self.name} at {self.seq}"
