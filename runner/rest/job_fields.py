"""How a job looks as JSON, and what is sent to launch one."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from django.urls import reverse
from rest_framework import serializers

from accounts.access import require
from accounts.models import Project
from experiments.models import Experiment
from experiments.queries.experiments import DEFAULT_WIRE_ID, get_experiment, get_experiment_by_name, wire_id
from experiments.rest.sent import texts
from experiments.values import EXPERIMENT_NAME_MAX
from kernel.actor import Actor
from kernel.errors import Invalid, NotFound
from runner.command_words import filled
from runner.models import Job
from runner.recipes import DEFAULT_QUEUE, values_of

RETRIES_MAX: Final = 10
PRIORITY_MAX: Final = 100


class JobJson(serializers.ModelSerializer[Job]):
    project = serializers.CharField(source="project.slug")
    experiment = serializers.SerializerMethodField(help_text="The experiment's id as on the MLflow wire.")
    run_id = serializers.CharField(source="run.uid.hex", help_text="32 hex digits, as on the MLflow wire.")
    readable_id = serializers.CharField(source="run.readable_id", help_text="Of the run, such as VIS-123.")
    name = serializers.CharField(source="run.name", help_text="Of the run.")
    link = serializers.SerializerMethodField(help_text="The page of the run.")
    kind = serializers.CharField(source="recipe.kind", help_text="trainer, repository or folder.")
    recipe = serializers.CharField(source="recipe.digest", help_text="SHA-256 over what was to be done.")
    sweep = serializers.UUIDField(source="sweep_id", allow_null=True, help_text="The sweep that it is part of.")
    retry_of = serializers.UUIDField(source="retry_of_id", allow_null=True, help_text="The job that it tries again.")
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)
    worker = serializers.CharField(source="worker.name", allow_null=True, default=None)
    why = serializers.CharField(help_text="What ended it, in words.")
    stage = serializers.CharField(help_text="What it is at.")
    stop_asked_by = serializers.CharField(source="stop_asked_by.name", allow_null=True, default=None)

    class Meta:
        model = Job
        fields = [
            "id", "project", "experiment", "run_id", "readable_id", "name", "link", "kind", "recipe", "sweep",
            "retry_of", "retries_left", "queue", "priority", "state", "stage", "cause", "why", "exit_code", "worker",
            "created_at", "created_by", "started_at", "ended_at", "stop_asked_at", "stop_asked_by",
        ]  # fmt: skip
        read_only_fields = fields

    def get_experiment(self, job: Job) -> str:
        return wire_id(job.experiment)

    def get_link(self, job: Job) -> str:
        path = reverse("experiments:run", args=[job.run.readable_id])
        request = self.context.get("request")
        return path if request is None else str(request.build_absolute_uri(path))


class PlaceJson(serializers.Serializer[Any]):
    position = serializers.IntegerField(help_text="Its place among those that wait in its queue, from 1.")
    ahead = serializers.IntegerField(help_text="How many go before it.")
    workers_free = serializers.IntegerField(help_text="Slots that are free now.")
    expected_seconds = serializers.FloatField(allow_null=True, help_text="Until it starts, as far as can be told.")


class OneJobJson(JobJson):
    words = serializers.ListField(child=serializers.CharField(), source="recipe.words", help_text="The command.")
    command = serializers.SerializerMethodField(help_text="The same with its values, in one line.")
    params = serializers.DictField(source="recipe.params")
    seed = serializers.IntegerField(source="recipe.seed", allow_null=True)
    resources = serializers.DictField(source="recipe.resources")
    commit = serializers.CharField(source="recipe.commit")
    image = serializers.CharField(help_text="That it ran in, with the digest that it was found by.")
    retried_as = serializers.UUIDField(source="next_try", allow_null=True, help_text="The job that tries it again.")
    standing = PlaceJson(source="place", allow_null=True, help_text="While it waits.")

    class Meta(JobJson.Meta):
        fields = [
            *JobJson.Meta.fields,
            "words",
            "command",
            "params",
            "seed",
            "resources",
            "commit",
            "image",
            "retried_as",
            "standing",
        ]
        read_only_fields = fields

    def get_command(self, job: Job) -> str:
        return shlex.join(filled(job.recipe.words, values_of(job.recipe)))


class Wanted(serializers.Serializer[Any]):
    """What to run: one of `trainer`, `repository`, `code`, `code_of`, `recipe`, `template`, and with what."""

    trainer = serializers.CharField(required=False, max_length=40, help_text="A built-in one, by its name.")
    repository = serializers.DictField(
        required=False,
        help_text='{"url": "https://…", "commit": "<40 hex digits>", "secret": "the name of the one that opens it"}',
    )
    code = serializers.CharField(
        required=False, max_length=60, help_text="A finished upload to this project: an archive, a bundle, a notebook."
    )
    code_of = serializers.CharField(required=False, max_length=80, help_text="A run of the project: its code again.")
    recipe = serializers.CharField(required=False, max_length=64, help_text="A kept one of the project, by its id.")
    template = serializers.CharField(required=False, max_length=60, help_text="The id of a template of the project.")
    code_name = serializers.CharField(required=False, max_length=255, help_text="Of the uploaded file.")
    patch = serializers.CharField(
        required=False, max_length=60, help_text="A finished upload: a diff that is applied to the commit."
    )
    folder = serializers.CharField(required=False, allow_blank=True, max_length=500, help_text="Within the code.")
    command = serializers.CharField(
        required=False, max_length=10_000, help_text="`python train.py --lr {lr}`: {name} stands for a parameter."
    )
    words = serializers.ListField(
        child=serializers.CharField(allow_blank=True, max_length=10_000, trim_whitespace=False),
        required=False,
        max_length=1000,
        help_text="The command in its stead, one word each.",
    )
    params = serializers.DictField(required=False, help_text="By name.")
    seed = serializers.JSONField(required=False, help_text="A whole number; null for none.")
    inputs = serializers.DictField(
        required=False, help_text='By name a dataset version: `"icu-vitals v7"`, or its id. Found as /inputs/<name>.'
    )
    environment = serializers.JSONField(
        required=False,
        help_text='{"requirements": text}, {"lock": text, "project_file": text}, an id, or '
        '{"image": "registry.example.org/team/train:1.2", "secret": "the name of the one that opens it"}.',
    )
    resources = serializers.DictField(
        required=False, help_text="Some of cpus, memory_mb, disk_mb, seconds, processes, gpus."
    )
    network = serializers.BooleanField(required=False, help_text="Where the project's rules allow it.")
    secrets = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, max_length=50, help_text="By their names."
    )


class JobWanted(Wanted):
    experiment = serializers.CharField(
        max_length=20, default=DEFAULT_WIRE_ID, help_text="Its id; without it the project's Default."
    )
    experiment_name = serializers.CharField(
        max_length=EXPERIMENT_NAME_MAX, allow_blank=True, default="", trim_whitespace=False, help_text="In its stead."
    )
    new_experiment = serializers.BooleanField(
        default=False, help_text="Where there is none of this name, it is made together with what is launched."
    )
    name = serializers.CharField(
        max_length=500, allow_blank=True, default="", trim_whitespace=False, help_text="Without one it gets one."
    )
    tags = texts(default=dict)
    queue = serializers.SlugField(max_length=40, default=DEFAULT_QUEUE)
    priority = serializers.IntegerField(min_value=-PRIORITY_MAX, max_value=PRIORITY_MAX, default=0)
    retries = serializers.IntegerField(
        min_value=0,
        max_value=RETRIES_MAX,
        required=False,
        help_text="How often it is tried again where its worker is lost; without it as the project's rules say.",
    )


EXAMPLE: Final = {
    "trainer": "tabular",
    "params": {"model": "random_forest", "target": "outcome"},
    "seed": 7,
    "inputs": {"train": "icu-vitals v7"},
    "resources": {"memory_mb": 2048, "seconds": 1800},
    "experiment_name": "baseline",
    "name": "forest-1",
}


def wanted_in(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be run, without where it goes."""
    return {name: asked[name] for name in map(str, Wanted().fields) if name in asked}


def experiment_in(actor: Actor, project: Project, asked: Mapping[str, Any]) -> Experiment | str:
    """The experiment that was named by id or by name; its name where it is to be made. Raises NotFound, Refused,
    Invalid."""
    name = asked["experiment_name"]
    if not name:
        return get_experiment(actor, asked["experiment"], project=project)
    try:
        return get_experiment_by_name(actor, name, project=project)
    except NotFound:
        if not asked["new_experiment"]:
            raise
    require(actor, "experiments.create", project)
    if not name.strip():
        raise Invalid("An experiment needs a name that is not blank.", field="experiment_name")
    return str(name)
