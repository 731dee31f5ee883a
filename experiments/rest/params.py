"""Params of a run: each is set once."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.batches import log_batch
from experiments.metrics.batch import Batch
from experiments.queries.runs import params_of
from experiments.rest.on_run import OnRun
from experiments.rest.sent import text

BY_KEY = {"type": "object", "additionalProperties": {"type": "string"}}


class ValueWanted(serializers.Serializer[Any]):
    value = text()


class PairJson(serializers.Serializer[Any]):
    key = serializers.CharField()
    value = serializers.CharField()


class RunParams(OnRun):
    """The params of a run."""

    needs = {"GET": "experiments.see"}
    serializer_class = PairJson

    @extend_schema(responses={200: BY_KEY})
    def get(self, request: Request, run: str) -> Response:
        """Values by key."""
        return Response(params_of(self.actor, self.run()))


class OneRunParam(OnRun):
    """One param of a run."""

    needs = {"PUT": "experiments.log_run"}
    serializer_class = PairJson

    @extend_schema(request=ValueWanted, responses={200: PairJson})
    def put(self, request: Request, run: str, key: str) -> Response:
        """Set it. The same value again changes nothing; another one is refused (400), as a param is set once."""
        found, value = self.run(), self.parsed(ValueWanted)["value"]
        log_batch(self.actor, found, batch=Batch(params=[(key, value)]))
        return Response({"key": key, "value": value})
