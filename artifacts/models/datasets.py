"""Datasets, their versions, and what people write about a version."""

import uuid

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from artifacts.models.blobs import ArtifactRoot
from audit.ledger.tracking import Evidence, Quiet, Tracked, history
from audit.ledger.values import Subject
from kernel.clock import now


class Dataset(ProjectScoped, Tracked):
    """A named body of data within a project."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="datasets")
    name = models.CharField(max_length=500)
    description = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "project"
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="dataset_name_once")]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(ProjectScoped, Evidence):
    """One state of a dataset, told apart by its digest. Never changed. Recorded as 'artifacts.datasetversion'.

    root: the tree of its files, if MLED keeps them; else source names where the data lie outside.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 over the file tree, or as the client computes it.")
    root = models.ForeignKey(ArtifactRoot, null=True, on_delete=models.PROTECT, related_name="+")
    file_count = models.IntegerField(null=True)
    size_bytes = models.BigIntegerField(null=True)
    source_type = models.CharField(max_length=200, blank=True, default="")
    source = models.TextField(blank=True, default="")
    schema = models.TextField(blank=True, default="")
    profile = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "dataset__project"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "digest"], name="dataset_digest_once"),
            models.UniqueConstraint(fields=["dataset", "number"], name="dataset_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset.name} v{self.number}"

    @property
    def ledger_id(self) -> str:
        """What the ledger calls this version."""
        return self.id.hex

    @property
    def ledger_subject(self) -> Subject:
        """This version as the subject of an event: what is written about it and its recalls."""
        return Subject("artifacts.datasetversion", self.ledger_id)


class VersionRecord(ProjectScoped, Tracked):
    """What may change about a version: whether it is in use, and what people write about it. Absent: nothing yet."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        WITHDRAWN = "withdrawn", "Recalled"

    class PersonalData(models.TextChoices):
        NOT_SET = "", "Not recorded"
        NONE = "none", "None"
        PSEUDONYMOUS = "pseudonymous", "Pseudonymous"
        PERSONAL = "personal", "Personal"
        SPECIAL = "special", "Special category"

    class SplitRole(models.TextChoices):
        NOT_SET = "", "Not recorded"
        TRAIN = "train", "Train"
        VALIDATION = "validation", "Validation"
        TEST = "test", "Test"
        MIXED = "mixed", "Several, split in the files"

    version = models.OneToOneField(DatasetVersion, on_delete=models.PROTECT, related_name="record")
    state = models.CharField(max_length=9, choices=State.choices, default=State.ACTIVE)
    state_reason = models.TextField(blank=True, default="")
    state_at = models.DateTimeField(null=True)
    state_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    licence = models.CharField(max_length=500, blank=True, default="")
    purpose = models.TextField(blank=True, default="")
    collected = models.CharField(max_length=500, blank=True, default="", help_text="When and where.")
    preparation = models.TextField(blank=True, default="")
    split_role = models.CharField(max_length=10, choices=SplitRole.choices, blank=True, default="")
    personal_data = models.CharField(max_length=12, choices=PersonalData.choices, blank=True, default="")
    lawful_basis = models.CharField(max_length=500, blank=True, default="")
    bias_note = models.TextField(blank=True, default="")
    known_gaps = models.TextField(blank=True, default="")
    note = models.TextField(blank=True, default="")

    project_path = "version__dataset__project"
    history = history()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=["active", "withdrawn"]), name="version_state_known"),
        ]

    def __str__(self) -> str:
        return f"record of {self.version_id}"


class DatasetAlias(ProjectScoped, Tracked):
    """A name for a version of a dataset that may move: 'current', 'paper-2026'."""

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="aliases")
    name = models.CharField(max_length=100)
    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="aliases")
    set_at = models.DateTimeField(default=now)
    set_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "dataset__project"
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "name"], name="dataset_alias_once")]

    def __str__(self) -> str:
        return self.name


class VersionProfile(ProjectScoped, Quiet):
    """What MLED read out of a version's files. Quiet: it follows from content that the recorded digest covers.

    columns: a list of {name, type, missing, distinct, min, max, mean, std, histogram…}, see artifacts.profiling.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Reading"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        NOT_TABULAR = "none", "No table in it"

    version = models.OneToOneField(DatasetVersion, on_delete=models.PROTECT, related_name="computed")
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    error = models.TextField(blank=True, default="")
    row_count = models.BigIntegerField(null=True)
    columns = models.JSONField(default=list)
    notes = models.JSONField(default=list, help_text="Limits that were met, files that were left out.")
    lease_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    done_at = models.DateTimeField(null=True)

    project_path = "version__dataset__project"

    def __str__(self) -> str:
        return f"profile of {self.version_id}: {self.state}"
