"""How templates, trainers, recipes and environments look in JSON."""

from typing import Any, Final

from rest_framework import serializers

from accounts.access import can
from runner.actions.templates import DESCRIPTION_MAX, NAME_MAX
from runner.models import Environment, Recipe, Template
from runner.packages import text_of
from runner.queries.secrets import SEE
from runner.rest.job_fields import Wanted
from runner.schemas import plain_schema

DRAFT_EXAMPLE: Final = {
    "name": "Bed demand",
    "description": "The monthly model.",
    "draft": {
        "repository": {"url": "https://git.example.org/team/beds.git", "commit": "0" * 40},
        "command": "python train.py --lr {lr}",
        "inputs": {"train": "bed-demand@current"},
        "environment": {"requirements": "scikit-learn==1.9.1\n"},
    },
    "schema": [{"name": "lr", "type": "number", "default": 0.1, "least": 0.0001, "most": 1, "scale": "log"}],
}

_NONE: Final[dict[str, Any]] = {"secrets": [], "secret": "", "repository_secret": ""}
_HOLDING: Final = ("draft", "environment", "repository")  # and not params, of which one may be called "secret"


class NamesSecrets(serializers.Serializer[Any]):
    """What may name secrets names them to those alone who may launch jobs of the project or keep its secrets."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        told = super().to_representation(instance)
        viewer = self.context["view"].actor
        return told if can(viewer, SEE, instance.project) else unnamed(told)


def unnamed(told: dict[str, Any]) -> dict[str, Any]:
    """The same JSON with no name of a secret in it."""
    within = {key: unnamed(told[key]) for key in _HOLDING if isinstance(told.get(key), dict)}
    return {**told, **within, **{key: none for key, none in _NONE.items() if told.get(key)}}


class ParameterJson(serializers.Serializer[Any]):
    """One parameter that something takes."""

    name = serializers.CharField(max_length=250)
    type = serializers.ChoiceField(choices=["number", "integer", "text", "choice", "flag"], default="text")
    default = serializers.JSONField(required=False, allow_null=True)
    least = serializers.FloatField(required=False, allow_null=True)
    most = serializers.FloatField(required=False, allow_null=True)
    step = serializers.FloatField(required=False, allow_null=True)
    scale = serializers.ChoiceField(choices=["log", "linear"], required=False, help_text="log: by magnitudes.")
    choices = serializers.ListField(child=serializers.CharField(), required=False)
    unit = serializers.CharField(required=False)
    words = serializers.CharField(required=False, help_text="What it does.")
    group = serializers.CharField(required=False, help_text="The heading that it stands under.")
    required = serializers.BooleanField(required=False)  # type: ignore[assignment]


class TemplateJson(NamesSecrets, serializers.ModelSerializer[Template]):
    project = serializers.CharField(source="project.slug")
    draft = serializers.DictField(help_text="What is run, as launching takes it.")
    schema = serializers.ListField(
        child=ParameterJson(), help_text="The parameters that it takes; empty where a trainer declares them."
    )
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)

    class Meta:
        model = Template
        fields = ["id", "project", "name", "description", "draft", "schema", "created_at", "created_by", "retired_at"]
        read_only_fields = fields

    def to_representation(self, instance: Template) -> dict[str, Any]:
        """The schema as it is kept: what a parameter does not say is left out."""
        return {**super().to_representation(instance), "schema": instance.schema}


class TemplateSent(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=NAME_MAX)
    description = serializers.CharField(max_length=DESCRIPTION_MAX, allow_blank=True, default="")
    draft = Wanted(help_text="What is run, as launching takes it; parameters and data may be left out.")
    schema = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        max_length=200,
        help_text="The parameters that it takes, each as in the answer; without it they are guessed from the draft's.",
    )


class TemplateChanged(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=NAME_MAX, required=False)
    description = serializers.CharField(max_length=DESCRIPTION_MAX, allow_blank=True, required=False)
    draft = Wanted(required=False)
    schema = serializers.ListField(child=serializers.DictField(), required=False, max_length=200)


class TrainerInputJson(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="Under which it is given: `inputs.<name>`.")
    title = serializers.CharField()
    words = serializers.CharField()
    context = serializers.CharField(help_text="As MLflow says it.")  # type: ignore[assignment]
    required = serializers.BooleanField()  # type: ignore[assignment]


class TrainerJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    words = serializers.ListField(child=serializers.CharField(), help_text="Its command.")
    schema = serializers.SerializerMethodField(help_text="Its parameters.")
    inputs = TrainerInputJson(many=True)
    python = serializers.CharField(help_text="As in 3.11.")
    requirements = serializers.CharField(help_text="All its packages, each with its version and digests.")
    digest = serializers.CharField(help_text="SHA-256 over its files.")

    def get_schema(self, trainer: Any) -> list[dict[str, Any]]:
        return plain_schema(trainer.schema)


class TrainersJson(serializers.Serializer[Any]):
    results = TrainerJson(many=True)


class EnvironmentJson(NamesSecrets, serializers.ModelSerializer[Environment]):
    project = serializers.CharField(source="project.slug")
    lock = serializers.CharField(
        source="lock_id", help_text="SHA-256 of its uv.lock or requirements file, or of the name of its image."
    )
    secret = serializers.CharField(help_text="The name of the one that opens the registry of its image.")
    project_file = serializers.CharField(
        source="project_file_id", allow_null=True, help_text="SHA-256 of the pyproject.toml of a uv.lock."
    )
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)

    class Meta:
        model = Environment
        fields = [
            "id", "project", "kind", "python", "digest", "lock", "project_file", "secret", "created_at", "created_by",
        ]  # fmt: skip
        read_only_fields = fields


class OneEnvironmentJson(EnvironmentJson):
    text = serializers.SerializerMethodField(help_text="Of its uv.lock or requirements file; the image.")
    project_text = serializers.SerializerMethodField(help_text="Of the pyproject.toml; null for none.")

    class Meta(EnvironmentJson.Meta):
        fields = [*EnvironmentJson.Meta.fields, "text", "project_text"]
        read_only_fields = fields

    def get_text(self, environment: Environment) -> str:
        return text_of(environment.lock)

    def get_project_text(self, environment: Environment) -> str | None:
        return text_of(environment.project_file) if environment.project_file else None


class EnvironmentSent(serializers.Serializer[Any]):
    requirements = serializers.CharField(required=False, trim_whitespace=False, help_text="Of a requirements file.")
    lock = serializers.CharField(required=False, trim_whitespace=False, help_text="Of a uv.lock, in its stead.")
    project_file = serializers.CharField(required=False, trim_whitespace=False, help_text="Its pyproject.toml.")
    python = serializers.CharField(required=False, max_length=20, help_text="As in 3.11.")
    image = serializers.CharField(required=False, max_length=500, help_text="In place of all these, a container image.")
    secret = serializers.CharField(
        required=False, max_length=60, help_text="The name of the secret that opens the registry of the image."
    )


class RecipeInputJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    dataset = serializers.CharField(source="version.dataset.name")
    version = serializers.IntegerField(source="version.number")
    version_id = serializers.UUIDField()
    digest = serializers.CharField(source="version.digest")
    context = serializers.CharField()  # type: ignore[assignment]


class RecipeJson(NamesSecrets, serializers.ModelSerializer[Recipe]):
    project = serializers.CharField(source="project.slug")
    code = serializers.CharField(source="code_id", allow_null=True, help_text="SHA-256 of the uploaded content.")
    patch = serializers.CharField(source="patch_id", allow_null=True, help_text="SHA-256 of a diff on top of it.")
    params = serializers.DictField()
    words = serializers.ListField(child=serializers.CharField())
    resources = serializers.DictField()
    secrets = serializers.ListField(child=serializers.CharField(), help_text="Their names.")
    inputs = RecipeInputJson(many=True)
    environment = EnvironmentJson(allow_null=True)
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)

    class Meta:
        model = Recipe
        fields = [
            "id", "project", "digest", "kind", "trainer", "trainer_digest", "repository",
            "repository_secret", "commit", "code", "code_name", "patch", "folder", "words", "params", "seed", "inputs",
            "environment", "resources", "has_network", "secrets", "created_at", "created_by",
        ]  # fmt: skip
        read_only_fields = fields
