"""Experiments of a project. Their ids are those of the MLflow wire: '0' is the project's Default experiment."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.models import Project
from accounts.rest.door import RestView
from artifacts.locations import LOCATION_MAX
from experiments.actions.experiments import create_experiment, delete_experiment, rename_experiment, restore_experiment
from experiments.models import Experiment
from experiments.queries.experiments import experiment_tags, get_experiment, visible_experiments, wire_id
from experiments.rest.filters import ExperimentFilter
from experiments.rest.on_run import Why
from experiments.values import EXPERIMENT_NAME_MAX, EXPERIMENT_TAG_MAX


class ExperimentJson(serializers.ModelSerializer[Experiment]):
    id = serializers.SerializerMethodField(help_text="As on the MLflow wire; '0' for the Default experiment.")

    class Meta:
        model = Experiment
        fields = [
            "id",
            "name",
            "is_default",
            "lifecycle",
            "artifact_location",
            "created_at",
            "created_ms",
            "updated_ms",
        ]
        read_only_fields = fields

    def get_id(self, experiment: Experiment) -> str:
        return wire_id(experiment)


class ExperimentDetailJson(ExperimentJson):
    tags = serializers.DictField(child=serializers.CharField(), source="tags_shown")

    class Meta(ExperimentJson.Meta):
        fields = [*ExperimentJson.Meta.fields, "tags"]
        read_only_fields = fields


class ExperimentWanted(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=EXPERIMENT_NAME_MAX, trim_whitespace=False)
    tags = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=EXPERIMENT_TAG_MAX, trim_whitespace=False),
        default=dict,
    )
    artifact_location = serializers.CharField(
        max_length=LOCATION_MAX, allow_blank=True, default="", help_text="Where files go; empty: MLED keeps them."
    )


class NewName(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=EXPERIMENT_NAME_MAX, trim_whitespace=False)


class InProject(RestView):
    """A view below a project."""

    def project(self) -> Project:
        """The project in the address, if the viewer may see it."""
        return find_project(self.actor, self.kwargs["slug"])

    def experiment(self) -> Experiment:
        """The experiment in the address, if the viewer may see it."""
        return get_experiment(self.actor, self.kwargs["experiment"], project=self.project())

    def shown(self, experiment: Experiment, status: int = 200) -> Response:
        """An experiment with its tags."""
        experiment.tags_shown = experiment_tags(self.actor, [experiment])[experiment.pk]  # type: ignore[attr-defined]
        return Response(self.get_serializer(experiment).data, status=status)


class Experiments(ListAPIView[Experiment], InProject):
    """The experiments of a project, newest first."""

    needs = {"GET": "experiments.see", "POST": "experiments.create"}
    queryset = Experiment.objects.none()
    serializer_class = ExperimentJson
    filterset_class = ExperimentFilter

    def get_queryset(self) -> QuerySet[Experiment]:
        return visible_experiments(self.actor, self.project())

    @extend_schema(request=ExperimentWanted, responses={201: ExperimentJson})
    def post(self, request: Request, slug: str) -> Response:
        """Make an experiment."""
        made = create_experiment(self.actor, self.project(), **self.parsed(ExperimentWanted))
        return Response(self.get_serializer(made).data, status=201)


class OneExperiment(InProject):
    """One experiment."""

    needs = {"GET": "experiments.see", "PATCH": "experiments.create"}
    serializer_class = ExperimentDetailJson

    def get(self, request: Request, slug: str, experiment: str) -> Response:
        return self.shown(self.experiment())

    @extend_schema(request=NewName, responses={200: ExperimentDetailJson})
    def patch(self, request: Request, slug: str, experiment: str) -> Response:
        """Rename it."""
        return self.shown(rename_experiment(self.actor, self.experiment(), **self.parsed(NewName)))


class DeleteExperiment(InProject):
    """Softly: everything stays and can be restored."""

    needs = {"POST": "experiments.delete_experiment"}
    serializer_class = ExperimentDetailJson

    @extend_schema(request=Why, responses={200: ExperimentDetailJson})
    def post(self, request: Request, slug: str, experiment: str) -> Response:
        """Delete it with all its runs."""
        return self.shown(delete_experiment(self.actor, self.experiment(), **self.parsed(Why)))


class RestoreExperiment(InProject):
    """The way back from deletion."""

    needs = {"POST": "experiments.delete_experiment"}
    serializer_class = ExperimentDetailJson

    @extend_schema(request=Why, responses={200: ExperimentDetailJson})
    def post(self, request: Request, slug: str, experiment: str) -> Response:
        """Restore it with all its runs."""
        return self.shown(restore_experiment(self.actor, self.experiment(), **self.parsed(Why)))
