"""Experiments: named groups of runs. Slashes in a name show as folders."""

from django.db import models
from guardian.models import UserObjectPermissionBase

from accounts.models import Project, User
from accounts.scoping import GrantManager, ProjectScoped
from audit.ledger.tracking import Evidence, Tracked, history
from experiments.values import Lifecycle
from kernel.clock import now, now_ms


class Experiment(ProjectScoped, Tracked):
    """A named group of runs within a project. The id is its id on the MLflow wire, but the Default one's is '0'."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="experiments")
    name = models.CharField(max_length=500)
    is_default = models.BooleanField(default=False)
    lifecycle = models.CharField(max_length=8, choices=Lifecycle.choices, default=Lifecycle.ACTIVE)
    artifact_location = models.CharField(max_length=2000, blank=True, default="", help_text="Empty: inside MLED.")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=now)
    created_ms = models.BigIntegerField(default=now_ms)
    updated_ms = models.BigIntegerField(default=now_ms, help_text="Moves on rename, delete and restore.")

    project_path = "project"
    experiment_path = "pk"
    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="experiment_name_once"),
            models.UniqueConstraint(
                fields=["project"], name="experiment_one_default", condition=models.Q(is_default=True)
            ),
            models.CheckConstraint(
                condition=models.Q(lifecycle__in=Lifecycle.values), name="experiment_lifecycle_known"
            ),
        ]
        indexes = [models.Index(fields=["project", "lifecycle", "-created_ms", "-id"], name="experiment_newest")]

    def __str__(self) -> str:
        return self.name


class ExperimentTag(ProjectScoped, Evidence):
    """A tag of an experiment; recorded as 'experiments.experimenttag' under the experiment's id."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="tags")
    key = models.CharField(max_length=250)
    value = models.TextField(default="")

    project_path = "experiment__project"
    experiment_path = "experiment"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["experiment", "key"], name="experiment_tag_once")]

    def __str__(self) -> str:
        return f"{self.key}={self.value[:40]}"


class ExperimentUserObjectPermission(UserObjectPermissionBase, Tracked):  # type: ignore[misc]  # guardian's manager
    """guardian's direct grant: one person may see one experiment without a role in its project."""

    content_object = models.ForeignKey(Experiment, on_delete=models.PROTECT)
    objects = GrantManager()  # type: ignore[misc, assignment]  # it reads through the tracked queryset
    history = history()

    class Meta(UserObjectPermissionBase.Meta):
        pass
