"""Exports and imports: long work, asked for on a page, done in the background, safe to stop and to repeat."""

import uuid
from typing import ClassVar

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from artifacts.models import Blob
from audit.ledger.tracking import Evidence, Quiet, Tracked, history
from kernel.clock import now


class Transfer(ProjectScoped, Tracked):
    """One export or import: what was asked, how far it is, and what came of it.

    counts: how many of each kind were moved, and how many were there already; problems: what could not be moved and
    why, at most 200, in the order of the source. digest: of an export, SHA-256 over what it holds of the project and
    not of who asked or when; of an import, that of its source.
    """

    class Kind(models.TextChoices):
        EXPORT = "export", "Export as an archive"
        ARCHIVE = "archive", "Import of an archive"
        MLFLOW = "mlflow", "Import from MLflow"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Under way"
        DONE = "done", "Finished"
        CANCELLED = "cancelled", "Stopped"
        FAILED = "failed", "Failed"

    OPEN = (State.WAITING, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="transfers")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    source = models.CharField(
        max_length=2000, blank=True, default="", help_text="Of an import: a file's name or an address, without secrets."
    )
    origin = models.CharField(
        max_length=64, blank=True, default="", help_text="Names the source through repeated imports: a digest."
    )
    options = models.JSONField(default=dict, help_text="What was asked: which experiments, with files or without.")
    blob = models.ForeignKey(Blob, null=True, on_delete=models.PROTECT, related_name="+", help_text="What came in.")
    artifacts_blob = models.ForeignKey(
        Blob, null=True, on_delete=models.PROTECT, related_name="+", help_text="Of an import from MLflow: its files."
    )
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=now)
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    digest = models.CharField(max_length=64, blank=True, default="")
    failure = models.TextField(blank=True, default="", help_text="What went wrong, and what to do.")
    removed_at = models.DateTimeField(null=True, help_text="When its files went, or what it was brought in from.")
    removed_why = models.CharField(max_length=100, blank=True, default="")
    stage = models.CharField(max_length=60, blank=True, default="", help_text="What it is at: runs, files.")
    done = models.BigIntegerField(default=0, help_text="How many steps of `total` are done.")
    total = models.BigIntegerField(null=True)
    attempts = models.IntegerField(default=0, help_text="How often in a row it did not get further.")
    got_to = models.BigIntegerField(default=0, help_text="How many things were moved when its last attempt began.")
    lease = models.UUIDField(null=True, help_text="Of the worker that does it.")
    lease_until = models.DateTimeField(null=True)

    project_path = "project"
    see_permission = "transfer.see"
    quiet_fields: ClassVar[frozenset[str]] = frozenset(
        {"stage", "done", "total", "attempts", "got_to", "lease", "lease_until"}
    )
    history = history(excluded_fields=["stage", "done", "total", "attempts", "got_to", "lease", "lease_until"])

    class Meta:
        indexes = [
            models.Index(fields=["project", "-requested_at"], name="transfer_newest"),
            models.Index(
                fields=["requested_at"], name="transfer_open", condition=models.Q(state__in=["waiting", "running"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.source or self.project_id}"

    @property
    def is_open(self) -> bool:
        """Whether it is still under way."""
        return self.state in self.OPEN


class TransferFile(ProjectScoped, Evidence):
    """A file that an export made. Recorded as 'transfer.transferfile' under the transfer's id, field by name."""

    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="files", db_index=False)
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=100)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    size_bytes = models.BigIntegerField()
    made_at = models.DateTimeField(default=now)

    project_path = "transfer__project"
    see_permission = "transfer.see"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["transfer", "name"], name="transfer_file_once")]

    def __str__(self) -> str:
        return self.name


class Moved(ProjectScoped, Quiet):
    """What one thing of a source became here: how an import goes on where it stopped, and skips what is there.

    Quiet: the event of the act that made the thing tells of it. digest: of what was read of the source, so that a
    later import sees what changed there since.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+", db_index=False)
    origin = models.CharField(max_length=64, help_text="The source, as in Transfer.")
    kind = models.CharField(max_length=40, help_text="experiment, run, dataset, model, version, file …")
    source_id = models.CharField(max_length=500)
    target = models.CharField(max_length=500, help_text="Its id here.")
    digest = models.CharField(max_length=64, blank=True, default="")
    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="moved")
    at = models.DateTimeField(default=now)

    project_path = "project"
    see_permission = "transfer.see"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "origin", "kind", "source_id"], name="moved_once"),
        ]
        indexes = [
            # Each page of a run asks whether an import made it.
            models.Index(fields=["target"], name="moved_runs", condition=models.Q(kind__in=["run", "runs"])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source_id} is {self.target}"
