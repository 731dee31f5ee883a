"""Which way each metric of a project is better."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.experiments import set_metric_direction
from experiments.queries.experiments import metric_directions
from experiments.rest.experiments import InProject

BY_METRIC = {"type": "object", "additionalProperties": {"type": "boolean"}}


class DirectionJson(serializers.Serializer[Any]):
    higher_is_better = serializers.BooleanField()


class Directions(InProject):
    """What the project says of its metrics."""

    needs = {"GET": "experiments.see"}
    serializer_class = DirectionJson

    @extend_schema(responses={200: BY_METRIC})
    def get(self, request: Request, slug: str) -> Response:
        """True by metric where higher is better, false where lower is."""
        return Response(dict(sorted(metric_directions(self.actor, self.project()).items())))


class OneDirection(InProject):
    """What it says of one metric."""

    needs = {"PUT": "experiments.set_direction"}
    serializer_class = DirectionJson

    @extend_schema(request=DirectionJson, responses={200: DirectionJson})
    def put(self, request: Request, slug: str, key: str) -> Response:
        """Say it, for tables, charts and best values of the whole project."""
        project = self.project()
        higher = self.parsed(DirectionJson)["higher_is_better"]
        set_metric_direction(self.actor, project, key=key, higher_is_better=higher)
        return Response({"higher_is_better": higher})
