"""Which models went into a run and which came out of it."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.models import Run
from experiments.rest.on_run import OnRun
from experiments.rest.sent import int64
from registry.actions.links import log_outputs, log_run_inputs
from registry.links import links_of_run
from registry.queries.logged_models import get_logged_models

EXAMPLE = {"outputs": [{"model": "m-0f3c…", "step": 100}]}


class ModelOutput(serializers.Serializer[Any]):
    model = serializers.CharField(max_length=100, help_text="A logged model's id: m-…")
    step = int64(default=0, help_text="When it came out.")


class RunModelsWanted(serializers.Serializer[Any]):
    inputs = serializers.ListField(
        child=serializers.CharField(max_length=100), max_length=100, required=False, help_text="Ids of logged models."
    )
    outputs = serializers.ListField(child=ModelOutput(), max_length=100, required=False)


class RunModelsJson(serializers.Serializer[Any]):
    inputs = serializers.ListField(child=serializers.CharField())
    outputs = ModelOutput(many=True)


class RunModels(OnRun):
    """The logged models of a run, those that went in and those that came out."""

    needs = {"GET": "experiments.see", "POST": "experiments.log_run"}
    serializer_class = RunModelsJson

    @extend_schema(responses={200: RunModelsJson})
    def get(self, request: Request, run: str) -> Response:
        """Their ids; `projects/<slug>/logged-models/<id>/` tells the rest."""
        return self._shown(self.run())

    @extend_schema(
        request=RunModelsWanted,
        responses={200: RunModelsJson},
        examples=[OpenApiExample("A model that it made", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, run: str) -> Response:
        """Note models of the same project; the same one again changes nothing but the step."""
        found, sent = self.run(), self.parsed(RunModelsWanted)
        inputs, outputs = sent.get("inputs", []), sent.get("outputs", [])
        named = [*inputs, *(one["model"] for one in outputs)]
        models = get_logged_models(self.actor, named, project=found.project)
        if inputs:
            log_run_inputs(self.actor, found, models=[models[one] for one in inputs])
        if outputs:
            log_outputs(self.actor, found, outputs=[(models[one["model"]], one["step"]) for one in outputs])
        return self._shown(found)

    def _shown(self, run: Run) -> Response:
        links = links_of_run(run.pk)
        outputs = [{"model": model, "step": step} for model, step in links.outputs]
        return Response({"inputs": links.inputs, "outputs": outputs})
