"""Datasets and their versions, as far as training clients name them."""

import uuid

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Evidence, Tracked, history
from kernel.clock import now


class Dataset(ProjectScoped, Tracked):
    """A named body of data within a project."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="datasets")
    name = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "project"
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="dataset_name_once")]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(ProjectScoped, Evidence):
    """One state of a dataset, told apart by its digest. Never changed. Recorded as 'artifacts.datasetversion'."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    digest = models.CharField(max_length=64, help_text="As the client computes it.")
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
