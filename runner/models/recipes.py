"""What to do: the code, what it is given, where it runs, and how much it may use. A recipe is never changed."""

import uuid

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from artifacts.models import Blob, DatasetVersion
from audit.ledger.tracking import Tracked, history
from kernel.clock import now


class Environment(ProjectScoped, Tracked):
    """The packages that a recipe runs with, or the image. digest: SHA-256 over kind, interpreter and the contents of
    its files.

    lock: the file that says exactly which (uv.lock, requirements.txt; of an image its name); project_file: the
    pyproject.toml that a uv.lock belongs to.
    """

    class Kind(models.TextChoices):
        LOCK = "lock", "uv.lock"
        REQUIREMENTS = "requirements", "Requirements file"
        IMAGE = "image", "Image"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="environments")
    digest = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    python = models.CharField(max_length=20, help_text="As in 3.11.")
    lock = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    project_file = models.ForeignKey(Blob, null=True, on_delete=models.PROTECT, related_name="+")
    secret = models.CharField(
        max_length=60, blank=True, default="", help_text="Its name; it opens the registry of an image."
    )
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "project"
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "digest"], name="environment_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.digest[:8]}"


class Recipe(ProjectScoped, Tracked):
    """Everything that a job needs to be done, and to be done again. digest: SHA-256 over `runner.recipes.plain(self)`.

    words: the command, one word each, where {name} stands for a parameter; params: values by name, typed as JSON;
    resources: cpus, memory_mb, disk_mb, seconds, processes, gpus; secrets: their names, never their values;
    repository_secret: the name of the one that opens the repository, which the command is not given.
    """

    class Kind(models.TextChoices):
        TRAINER = "trainer", "Built-in trainer"
        REPOSITORY = "repository", "Git repository"
        FOLDER = "folder", "Uploaded folder or notebook"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="recipes")
    digest = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    trainer = models.CharField(max_length=40, blank=True, default="", help_text="Of a built-in one, its name.")
    trainer_digest = models.CharField(max_length=64, blank=True, default="", help_text="SHA-256 over its files.")
    repository = models.CharField(max_length=1000, blank=True, default="", help_text="An address, without secrets.")
    repository_secret = models.CharField(max_length=60, blank=True, default="", help_text="Its name.")
    commit = models.CharField(max_length=64, blank=True, default="")
    code = models.ForeignKey(
        Blob, null=True, on_delete=models.PROTECT, related_name="+", help_text="A git bundle, an archive or a notebook."
    )
    code_name = models.CharField(max_length=255, blank=True, default="", help_text="Of the uploaded file.")
    patch = models.ForeignKey(
        Blob, null=True, on_delete=models.PROTECT, related_name="+", help_text="Applied to the checked-out commit."
    )
    folder = models.CharField(max_length=500, blank=True, default="", help_text="Within the code; '' for its top.")
    words = models.JSONField(default=list)
    params = models.JSONField(default=dict)
    seed = models.BigIntegerField(null=True)
    environment = models.ForeignKey(Environment, null=True, on_delete=models.PROTECT, related_name="+")
    resources = models.JSONField(default=dict)
    has_network = models.BooleanField(default=False)
    secrets = models.JSONField(default=list)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "project"
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "digest"], name="recipe_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.digest[:8]}"


class RecipeInput(ProjectScoped, Tracked):
    """A dataset version that a recipe is given, under the name by which its code finds it. Part of the digest."""

    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="inputs")
    name = models.CharField(max_length=60, help_text="Its folder: /inputs/<name>.")
    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="+")
    context = models.CharField(max_length=60, blank=True, default="", help_text="As MLflow says it: train, eval.")

    project_path = "recipe__project"
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipe", "name"], name="recipe_input_once")]

    def __str__(self) -> str:
        return self.name


class Template(ProjectScoped, Tracked):
    """A way to start that a project keeps: what to run, which parameters it takes, and what they are by default.

    draft: a recipe as `runner.recipes.Draft` reads it from JSON, where inputs and parameters may be left open; schema:
    the parameters as `runner.schemas` reads them: name, type, default, range, choices, words.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="run_templates")
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, default="")
    draft = models.JSONField(default=dict)
    schema = models.JSONField(default=list)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    retired_at = models.DateTimeField(null=True)

    project_path = "project"
    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="run_template_once", condition=models.Q(retired_at=None)
            )
        ]

    def __str__(self) -> str:
        return self.name
