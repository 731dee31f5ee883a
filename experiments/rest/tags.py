"""Tags of runs and of experiments: overwritten freely; the log keeps what they were."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.experiments import delete_experiment_tag, set_experiment_tag
from experiments.actions.runs import delete_tag, set_tags
from experiments.queries.runs import tags_of
from experiments.rest.experiments import InProject
from experiments.rest.on_run import OnRun
from experiments.rest.params import BY_KEY, PairJson, ValueWanted
from experiments.rest.sent import own_tags_apart, texts
from experiments.values import EXPERIMENT_TAG_MAX


class TagsToSet(serializers.Serializer[Any]):
    tags = texts(help_text="Those that are not named stay as they are.")


class ExperimentTagWanted(serializers.Serializer[Any]):
    value = serializers.CharField(max_length=EXPERIMENT_TAG_MAX, allow_blank=True, trim_whitespace=False)


class RunTags(OnRun):
    """The tags of a run."""

    needs = {"GET": "experiments.see", "POST": "experiments.log_run"}
    serializer_class = PairJson

    @extend_schema(responses={200: BY_KEY})
    def get(self, request: Request, run: str) -> Response:
        """Values by key."""
        return Response(tags_of(self.actor, self.run()))

    @extend_schema(request=TagsToSet, responses={200: BY_KEY})
    def post(self, request: Request, run: str) -> Response:
        """Set or overwrite several; the answer has all that the run has now."""
        found = self.run()
        set_tags(self.actor, found, tags=own_tags_apart(self.parsed(TagsToSet)["tags"]))
        return Response(tags_of(self.actor, found))


class OneRunTag(OnRun):
    """One tag of a run. `mlflow.runName` is its name, `mlflow.note.content` its note."""

    needs = {"PUT": "experiments.log_run", "DELETE": "experiments.log_run"}
    serializer_class = PairJson

    @extend_schema(request=ValueWanted, responses={200: PairJson})
    def put(self, request: Request, run: str, key: str) -> Response:
        """Set or overwrite it."""
        found, value = self.run(), self.parsed(ValueWanted)["value"]
        set_tags(self.actor, found, tags=own_tags_apart({key: value}))
        return Response({"key": key, "value": value})

    @extend_schema(responses={204: None})
    def delete(self, request: Request, run: str, key: str) -> Response:
        """Take it away; one that is not there answers 404."""
        found = self.run()
        own_tags_apart({key: ""})
        delete_tag(self.actor, found, key=key)
        return Response(status=204)


class OneExperimentTag(InProject):
    """One tag of an experiment. `mlflow.note.content` is its description."""

    needs = {"PUT": "experiments.create", "DELETE": "experiments.create"}
    serializer_class = PairJson

    @extend_schema(request=ExperimentTagWanted, responses={200: PairJson})
    def put(self, request: Request, slug: str, experiment: str, key: str) -> Response:
        """Set or overwrite it."""
        found, value = self.experiment(), self.parsed(ExperimentTagWanted)["value"]
        set_experiment_tag(self.actor, found, key=key, value=value)
        return Response({"key": key, "value": value})

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, experiment: str, key: str) -> Response:
        """Take it away; one that is not there answers 404."""
        delete_experiment_tag(self.actor, self.experiment(), key=key)
        return Response(status=204)
