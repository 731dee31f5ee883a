"""Reports: asked for on a page, built in the background, and kept with their digests."""

import uuid
from typing import ClassVar

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from artifacts.models import Blob
from audit.ledger.tracking import Evidence, Quiet, Tracked, history
from kernel.clock import now


class Report(ProjectScoped, Tracked):
    """One report: what was asked, the moment of the log that it speaks of, and what came out.

    It speaks of the first `log_size` events of the log, whose root was `log_root`; both are fixed when its building
    begins. digest: SHA-256 over its content, without who asked and when, so that the same question about the same
    moment has the same digest again. Files are recorded with the event that issues it.
    """

    class Kind(models.TextChoices):
        COMPLIANCE = "compliance", "Compliance report"
        TRAIL = "trail", "Audit-trail extract"
        REPRODUCIBILITY = "reproducibility", "Reproducibility summary"
        MODEL_CARD = "model_card", "Model card"
        ACCESS = "access", "Access review"

    class Scope(models.TextChoices):
        PROJECT = "project", "The whole project"
        RUNS = "runs", "The runs of a filter"
        RUN = "run", "One run"
        VERSION = "version", "One model version"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Being made"
        DONE = "done", "Finished"
        CANCELLED = "cancelled", "Stopped"
        FAILED = "failed", "Failed"

    OPEN = (State.WAITING, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="reports")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    title = models.CharField(max_length=200)
    reason = models.TextField(blank=True, default="", help_text="Why it is asked for.")
    scope = models.CharField(max_length=8, choices=Scope.choices)
    subject = models.CharField(max_length=64, blank=True, default="", help_text="The run or model version, by its id.")
    question = models.JSONField(default=dict, help_text="Query, experiments, lifecycle; or the log's filter.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=now)
    as_of = models.DateTimeField(null=True, help_text="The moment that was asked for; null: when it is built.")
    head_at = models.DateTimeField(null=True, help_text="When the head was signed that it speaks of.")
    log_size = models.BigIntegerField(null=True)
    log_root = models.CharField(max_length=64, blank=True, default="")
    profile = models.CharField(max_length=60, blank=True, default="")
    profile_digest = models.CharField(max_length=64, blank=True, default="")
    records = models.IntegerField(null=True, help_text="How many runs, events or people it speaks of.")
    digest = models.CharField(max_length=64, blank=True, default="")
    software = models.CharField(max_length=40, blank=True, default="")
    finished_at = models.DateTimeField(null=True)
    failure = models.TextField(blank=True, default="", help_text="What went wrong, and what to do.")
    done = models.IntegerField(default=0, help_text="How many of its records are gathered.")
    attempts = models.IntegerField(default=0)
    lease = models.UUIDField(null=True, help_text="Of the worker that builds it.")
    lease_until = models.DateTimeField(null=True)

    project_path = "project"
    owner_path = "requested_by"
    see_permission = "compliance.report"
    quiet_fields: ClassVar[frozenset[str]] = frozenset({"done", "attempts", "lease", "lease_until"})
    history = history(excluded_fields=["done", "attempts", "lease", "lease_until"])

    class Meta:
        indexes = [
            models.Index(fields=["project", "-requested_at"], name="report_newest"),
            models.Index(
                fields=["requested_at"], name="report_open", condition=models.Q(state__in=["waiting", "running"])
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether it is still being made."""
        return self.state in self.OPEN


class ReportPart(ProjectScoped, Quiet):
    """At most 200 runs of a report, which make one volume. Quiet: the digest of the report covers what comes out.

    digests: of each run's section, once the part is gathered; until then the part is made anew by whoever takes over.
    """

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="parts", db_index=False)
    number = models.IntegerField(help_text="1 for the first volume.")
    runs = models.JSONField(help_text="Run ids in the order of the report.")
    digests = models.JSONField(default=list)

    project_path = "report__project"
    owner_path = "report__requested_by"
    see_permission = "compliance.report"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="report_part_once")]

    def __str__(self) -> str:
        return f"part {self.number} of {self.report_id}"


class ReportFile(ProjectScoped, Evidence):
    """A file of a report. Recorded as 'compliance.reportfile' under the report's id, field by name."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="files", db_index=False)
    name = models.CharField(max_length=120)
    format = models.CharField(max_length=10, help_text="pdf, csv, json or mledlog")
    media_type = models.CharField(max_length=100)
    part = models.IntegerField(null=True, help_text="The volume that it is; null for one over the whole report.")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    size_bytes = models.BigIntegerField()
    made_at = models.DateTimeField(default=now)

    project_path = "report__project"
    owner_path = "report__requested_by"
    see_permission = "compliance.report"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "name"], name="report_file_once")]

    def __str__(self) -> str:
        return self.name
