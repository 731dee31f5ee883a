"""Content named by its SHA-256, and the file trees of runs and models that point to it."""

import uuid

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Evidence, Quiet
from kernel.clock import now


class Blob(Evidence):
    """Bytes that are stored once, whoever sent them. Never changed; recorded with the file that first names it."""

    digest = models.CharField(primary_key=True, max_length=64)
    size_bytes = models.BigIntegerField()
    created_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"sha256:{self.digest[:12]}…"


class ArtifactRoot(ProjectScoped, Quiet):
    """The top folder of a run's, a logged model's or a dataset version's files. Quiet: on record with each file."""

    class Kind(models.TextChoices):
        RUN = "run", "Run"
        MODEL = "model", "Logged model"
        DATASET = "dataset", "Dataset version"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    owner_uid = models.CharField(max_length=40, help_text="The id of the run, model (m-…) or dataset version, in hex.")

    project_path = "project"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "owner_uid"], name="artifact_root_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.owner_uid}"


class ArtifactFile(ProjectScoped, Evidence):
    """A file below a root. Recorded as 'artifacts.artifactfile' under kind:owner, field by path."""

    root = models.ForeignKey(ArtifactRoot, on_delete=models.PROTECT, related_name="files", db_index=False)
    path = models.CharField(max_length=1000)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="files")
    size_bytes = models.BigIntegerField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=now)

    project_path = "root__project"
    see_permission = "experiments.download"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "path"], name="artifact_path_once")]

    def __str__(self) -> str:
        return self.path
