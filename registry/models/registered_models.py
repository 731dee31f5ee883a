"""Models with names: their versions, tags and aliases."""

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from artifacts.models import ArtifactRoot
from audit.ledger.tracking import Evidence, Tracked, history
from experiments.models import Run
from kernel.clock import now, now_ms
from registry.models.logged_models import LoggedModel


class Stage(models.TextChoices):
    """MLflow's stages, as they stand on the wire."""

    NONE = "None", "None"
    STAGING = "Staging", "Staging"
    PRODUCTION = "Production", "Production"
    ARCHIVED = "Archived", "Archived"


class RegisteredModel(ProjectScoped, Tracked):
    """A name for a line of model versions. Deleted softly; then its name may be used again, from version 1."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="registered_models")
    name = models.CharField(max_length=256)
    description = models.TextField(blank=True, default="")
    is_deleted = models.BooleanField(default=False)
    created_ms = models.BigIntegerField(default=now_ms)
    updated_ms = models.BigIntegerField(default=now_ms)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "project"
    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="model_name_once", condition=models.Q(is_deleted=False)
            )
        ]

    def __str__(self) -> str:
        return self.name


class RegisteredModelTag(ProjectScoped, Evidence):
    """A tag of a registered model. Recorded as 'registry.registeredmodeltag' under the model's id, by key."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="tags", db_index=False)
    key = models.CharField(max_length=250)
    value = models.TextField(default="")

    project_path = "model__project"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "key"], name="model_tag_once")]

    def __str__(self) -> str:
        return self.key


class ModelVersion(ProjectScoped, Tracked):
    """One version of a registered model. Its files are those of root below root_path, or lie outside (source).

    Numbers count 1, 2, 3 … within the model and are not used again.
    """

    class Status(models.TextChoices):
        READY = "READY", "Ready"

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    source = models.TextField(blank=True, default="", help_text="As the client gave it.")
    root = models.ForeignKey(ArtifactRoot, null=True, on_delete=models.PROTECT, related_name="model_versions")
    root_path = models.CharField(max_length=1000, blank=True, default="")
    run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="model_versions")
    logged_model = models.ForeignKey(LoggedModel, null=True, on_delete=models.PROTECT, related_name="versions")
    run_link = models.CharField(max_length=500, blank=True, default="")
    description = models.TextField(blank=True, default="")
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.NONE)
    status = models.CharField(max_length=5, choices=Status.choices, default=Status.READY)
    is_deleted = models.BooleanField(default=False)
    created_ms = models.BigIntegerField(default=now_ms)
    updated_ms = models.BigIntegerField(default=now_ms)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "model__project"
    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="model_version_once"),
            models.CheckConstraint(condition=models.Q(stage__in=Stage.values), name="model_version_stage_known"),
        ]

    def __str__(self) -> str:
        return f"{self.model.name} v{self.number}"


class ModelVersionTag(ProjectScoped, Evidence):
    """A tag of a model version. Recorded as 'registry.modelversiontag' under the version's id, by key."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="tags", db_index=False)
    key = models.CharField(max_length=250)
    value = models.TextField(default="")

    project_path = "version__model__project"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="model_version_tag_once")]

    def __str__(self) -> str:
        return self.key


class ModelAlias(ProjectScoped, Tracked):
    """A name for a version that may move: 'champion'. In a governed project protected ones move by promotion only."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="aliases")
    name = models.CharField(max_length=255)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="aliases")
    set_at = models.DateTimeField(default=now)
    set_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "model__project"
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="model_alias_once")]

    def __str__(self) -> str:
        return self.name


class CardText(ProjectScoped, Tracked):
    """What a person wrote into one section of a version's model card."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="card_texts")
    section = models.CharField(max_length=40)
    text = models.TextField(blank=True, default="")
    written_at = models.DateTimeField(default=now)
    written_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "version__model__project"
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "section"], name="card_section_once")]

    def __str__(self) -> str:
        return f"{self.section} of {self.version_id}"
