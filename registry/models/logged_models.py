"""Logged models: what a run's `log_model` makes, with params, tags and metrics of its own."""

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from artifacts.models import ArtifactRoot, DatasetVersion
from audit.ledger.tracking import Evidence, Quiet, Tracked, history
from experiments.models import Experiment, Run
from kernel.clock import now, now_ms


class LoggedModel(ProjectScoped, Tracked):
    """A model that a client logged. model_id ('m-' and 32 hex digits) is its id on the wire."""

    class Status(models.TextChoices):
        PENDING = "PENDING", "Pending"
        READY = "READY", "Ready"
        FAILED = "FAILED", "Failed"

    model_id = models.CharField(max_length=34, unique=True)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="logged_models")
    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="logged_models")
    name = models.CharField(max_length=500)
    model_type = models.CharField(max_length=500, blank=True, default="")
    source_run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="made_models")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    is_deleted = models.BooleanField(default=False)
    created_ms = models.BigIntegerField(default=now_ms)
    updated_ms = models.BigIntegerField(default=now_ms)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    artifact_root = models.ForeignKey(ArtifactRoot, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "project"
    experiment_path = "experiment"
    history = history()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["PENDING", "READY", "FAILED"]), name="logged_model_status_known"
            )
        ]
        indexes = [
            models.Index(fields=["experiment", "is_deleted", "-created_ms", "model_id"], name="logged_model_newest")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def ledger_id(self) -> str:
        return self.model_id


class LoggedModelParam(ProjectScoped, Evidence):
    """A param of a logged model: set once. Recorded as 'registry.loggedmodelparam' under the model's id, by key."""

    model = models.ForeignKey(LoggedModel, on_delete=models.PROTECT, related_name="params", db_index=False)
    key = models.CharField(max_length=250)
    value = models.TextField(default="")

    project_path = "model__project"
    experiment_path = "model__experiment"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "key"], name="logged_model_param_once")]

    def __str__(self) -> str:
        return self.key


class LoggedModelTag(ProjectScoped, Evidence):
    """A tag of a logged model. Recorded as 'registry.loggedmodeltag' under the model's id, by key."""

    model = models.ForeignKey(LoggedModel, on_delete=models.PROTECT, related_name="tags", db_index=False)
    key = models.CharField(max_length=250)
    value = models.TextField(default="")

    project_path = "model__project"
    experiment_path = "model__experiment"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "key"], name="logged_model_tag_once")]

    def __str__(self) -> str:
        return self.key


class ModelMetric(ProjectScoped, Quiet):
    """A metric point that a run logged for a model, on a dataset where one is named.

    Quiet: the same point is in the run's own series, which the run's seal covers.
    """

    model = models.ForeignKey(LoggedModel, on_delete=models.PROTECT, related_name="metrics", db_index=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="model_metrics")
    key = models.CharField(max_length=250)
    value = models.FloatField(null=True)
    is_nan = models.BooleanField(default=False)
    step = models.BigIntegerField()
    at_ms = models.BigIntegerField()
    dataset_name = models.CharField(max_length=500, blank=True, default="")
    dataset_digest = models.CharField(max_length=64, blank=True, default="")
    dataset_version = models.ForeignKey(DatasetVersion, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "model__project"
    experiment_path = "model__experiment"

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "key", "at_ms", "step", "run", "dataset_name", "dataset_digest"],
                name="model_metric_once",
            )
        ]

    def __str__(self) -> str:
        return self.key


class RunModel(ProjectScoped, Evidence):
    """A model that went into a run or came out of it. Recorded as 'registry.runmodel' under the run's id."""

    class Way(models.TextChoices):
        INPUT = "input", "Input"
        OUTPUT = "output", "Output"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="model_links")
    model = models.ForeignKey(LoggedModel, on_delete=models.PROTECT, related_name="run_links")
    way = models.CharField(max_length=6, choices=Way.choices)
    step = models.BigIntegerField(default=0)

    project_path = "run__project"
    experiment_path = "run__experiment"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "model", "way"], name="run_model_once")]

    def __str__(self) -> str:
        return f"{self.model} {self.way}"
