"""Runs with their params, tags and inputs."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Left

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from artifacts.models import ArtifactRoot, DatasetVersion
from audit.ledger.tracking import Evidence, Tracked, history
from experiments.models.experiments import Experiment
from experiments.values import Lifecycle, ReviewState, RunStatus
from kernel.clock import now
from kernel.ids import uuid7

UNFINISHED = ~models.Q(status="FINISHED")  # in the words of the index: SQLite uses it where a query says the same
UNDER_REVIEW = ~models.Q(review_state="not_reviewed")


class Run(ProjectScoped, Tracked):
    """One try. uid is its id on every wire (32 hex digits); KEY-number is the one that people say, never reused."""

    uid = models.UUIDField(unique=True, default=uuid7, editable=False)
    # Where no index of its own is wanted, one below begins with it or leaves out the many runs that have none.
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="runs", db_index=False)
    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="runs", db_index=False)
    number = models.BigIntegerField()
    name = models.CharField(max_length=500)
    status = models.CharField(max_length=9, choices=RunStatus.choices, default=RunStatus.RUNNING)
    lifecycle = models.CharField(max_length=8, choices=Lifecycle.choices, default=Lifecycle.ACTIVE)
    review_state = models.CharField(max_length=12, choices=ReviewState.choices, default=ReviewState.NOT_REVIEWED)
    started_ms = models.BigIntegerField(null=True)
    ended_ms = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="runs")
    claimed_user = models.CharField(max_length=256, blank=True, default="", help_text="What the client says.")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children", db_index=False)
    source_name = models.CharField(max_length=1000, blank=True, default="")
    source_type = models.CharField(max_length=40, blank=True, default="")
    git_commit = models.CharField(max_length=64, blank=True, default="")
    artifact_root = models.ForeignKey(
        ArtifactRoot, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    heartbeat_at = models.DateTimeField(null=True, help_text="When its client was last heard; none of runs from afar.")
    lost_at = models.DateTimeField(null=True, help_text="When it was taken for dead; gone when it speaks again.")
    deleted_at = models.DateTimeField(null=True)
    locked_at = models.DateTimeField(null=True)
    locked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    sealed_at = models.DateTimeField(null=True)
    seal = models.CharField(max_length=64, blank=True, default="", help_text="SHA-256 over everything in the run.")

    project_path = "project"
    experiment_path = "experiment"
    quiet_fields: ClassVar[frozenset[str]] = frozenset({"heartbeat_at"})
    history = history(
        excluded_fields=["heartbeat_at"],
        # Earlier states are read by the run's key alone; each index more is a page more to write for each new run.
        no_db_index=["uid", "project", "experiment", "created_by", "parent", "artifact_root", "locked_by"],
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="run_number_once"),
            models.CheckConstraint(condition=models.Q(status__in=RunStatus.values), name="run_status_known"),
            models.CheckConstraint(condition=models.Q(lifecycle__in=Lifecycle.values), name="run_lifecycle_known"),
            models.CheckConstraint(condition=models.Q(review_state__in=ReviewState.values), name="run_review_known"),
        ]
        indexes = [
            models.Index(fields=["experiment", "lifecycle", "-started_ms", "uid"], name="run_newest"),
            models.Index(fields=["project", "lifecycle", "-started_ms", "uid"], name="run_project_newest"),
            # What goes on or ended badly, in every order that is asked for by state. A sign of life touches no index.
            models.Index(
                fields=["status", "lifecycle", "experiment", "-started_ms", "uid"],
                name="run_unfinished",
                condition=UNFINISHED,
            ),
            # Those that were sent to review, which are counted by how they stand.
            models.Index(fields=["project", "review_state", "lifecycle"], name="run_reviewed", condition=UNDER_REVIEW),
            models.Index(fields=["parent"], name="run_parent", condition=models.Q(parent__isnull=False)),
            models.Index(fields=["artifact_root"], name="run_root", condition=models.Q(artifact_root__isnull=False)),
            models.Index(fields=["locked_by"], name="run_locked_by", condition=models.Q(locked_by__isnull=False)),
            models.Index(fields=["experiment", "parent"], name="run_nested", condition=models.Q(parent__isnull=False)),
            # Loops of parents begin at one of these: there is hardly any, so this costs a comparison to keep.
            models.Index(
                fields=["experiment"], name="run_below_younger", condition=models.Q(parent__gt=models.F("id"))
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def ledger_id(self) -> str:
        return self.uid.hex

    @property
    def readable_id(self) -> str:
        """As people say it: VIS-123. Needs the project loaded."""
        return f"{self.project.key}-{self.number}"

    @property
    def is_locked(self) -> bool:
        """Locked runs refuse every write."""
        return self.locked_at is not None

    @property
    def is_deleted(self) -> bool:
        """Softly: its data is all there."""
        return self.lifecycle == Lifecycle.DELETED


class RunRow(ProjectScoped):
    """Base of the narrow rows of a run. experiment_id is a copy, so that a search reads (experiment, key, value)."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="%(class)ss", db_index=False)
    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=250)

    project_path = "run__project"
    experiment_path = "experiment"

    class Meta:
        abstract = True


class Param(RunRow, Evidence):
    """A parameter: set once. number is the value where the text is a finite number, so that lr < 1e-3 is a range.

    Recorded as 'experiments.param' under the run's id, field by key.
    """

    value = models.TextField(default="")
    number = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="param_once")]
        indexes = [
            models.Index("experiment", "key", Left("value", 200), name="param_text"),
            models.Index(
                fields=["experiment", "key", "number"], name="param_number", condition=models.Q(number__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.value[:40]}"


class RunTag(RunRow, Evidence):
    """A tag: overwritten freely; the ledger keeps what it was ('experiments.runtag' under the run's id, by key)."""

    value = models.TextField(default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="run_tag_once")]
        indexes = [models.Index("experiment", "key", Left("value", 200), name="run_tag_text")]

    def __str__(self) -> str:
        return f"{self.key}={self.value[:40]}"


class RunInput(ProjectScoped, Evidence):
    """A dataset version that went into a run, in a context such as 'train'.

    Recorded as 'experiments.runinput' under the run's id, by dataset digest.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="inputs")
    dataset_version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="used_by")
    context = models.CharField(max_length=500, blank=True, default="", help_text="Tag mlflow.data.context.")
    tags = models.JSONField(default=dict)

    project_path = "run__project"
    experiment_path = "run__experiment"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "dataset_version"], name="run_input_once")]

    def __str__(self) -> str:
        return f"{self.dataset_version} in {self.context or 'a run'}"
