"""Datasets that went into a run. Models that went in or came out are the registry's, below `runs/<id>/models/`."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.inputs import CONTEXT_TAG, DatasetInput, log_inputs
from experiments.models import RunInput
from experiments.queries.runs import inputs_of
from experiments.rest.on_run import OnRun
from experiments.rest.sent import text

EXAMPLE = {"datasets": [{"name": "icu-vitals", "digest": "3f9a7c01", "source": "s3://icu/v7", "context": "train"}]}


class InputJson(serializers.Serializer[Any]):
    dataset = serializers.CharField(source="dataset_version.dataset.name")
    dataset_id = serializers.UUIDField(source="dataset_version.dataset_id")
    version = serializers.IntegerField(source="dataset_version.number")
    digest = serializers.CharField(source="dataset_version.digest")
    source_type = serializers.CharField(source="dataset_version.source_type")
    source = serializers.CharField(source="dataset_version.source")  # type: ignore[assignment]  # its own field
    context = serializers.CharField(  # type: ignore[assignment]  # its own field, too
        help_text="Such as train or eval; empty where nobody said."
    )
    tags = serializers.DictField(child=serializers.CharField())


class InputWanted(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=500, trim_whitespace=False)
    digest = serializers.CharField(max_length=36, help_text="Name and digest tell one version from another.")
    source_type = serializers.CharField(max_length=200, allow_blank=True, default="")
    source = serializers.CharField(max_length=65_535, allow_blank=True, default="")  # type: ignore[assignment]
    schema = text(default="")
    profile = text(default="")
    context = serializers.CharField(  # type: ignore[assignment]
        max_length=500, allow_blank=True, default="", help_text="Such as train or eval."
    )
    tags = serializers.DictField(child=text(), default=dict)


class InputsWanted(serializers.Serializer[Any]):
    datasets = serializers.ListField(child=InputWanted(), max_length=100)


class RunInputs(OnRun):
    """The dataset versions that went into a run."""

    needs = {"GET": "experiments.see", "POST": "experiments.log_run"}
    serializer_class = InputJson
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses={200: InputJson(many=True)})
    def get(self, request: Request, run: str) -> Response:
        """All of them, by the dataset's name."""
        return self._shown()

    @extend_schema(
        request=InputsWanted,
        responses={200: InputJson(many=True)},
        examples=[OpenApiExample("What it was trained on", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, run: str) -> Response:
        """Note datasets that it used; an unknown one joins the catalogue. The same one again changes nothing."""
        found, sent = self.run(), self.parsed(InputsWanted)
        log_inputs(self.actor, found, inputs=[_given(one) for one in sent["datasets"]])
        return self._shown()

    def _shown(self) -> Response:
        inputs: list[RunInput] = inputs_of(self.actor, self.run())
        return Response(InputJson(inputs, many=True).data)


def _given(sent: dict[str, Any]) -> DatasetInput:
    context = sent.pop("context")
    tags = sent.pop("tags") | ({CONTEXT_TAG: context} if context else {})
    return DatasetInput(**sent, tags=tags)
