"""One's own stars."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import RestView
from experiments.actions.stars import star_run, unstar_run
from experiments.queries.runs import get_run


class StarJson(serializers.Serializer[Any]):
    run = serializers.CharField(source="run.uid.hex", help_text="32 hex digits, as on the MLflow wire.")
    at = serializers.DateTimeField(help_text="When one starred it.")


class RunStar(RestView):
    """One's own star on a run. `GET /api/v1/runs/?starred=true` lists the runs that have it."""

    needs = {"PUT": "experiments.star", "DELETE": "experiments.star"}
    serializer_class = StarJson

    @extend_schema(request=None, responses={200: StarJson})
    def put(self, request: Request, run: str) -> Response:
        """Star the run; doing it again changes nothing."""
        return Response(StarJson(star_run(self.actor, get_run(self.actor, run))).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, run: str) -> Response:
        """Take the star back, if there is one."""
        unstar_run(self.actor, get_run(self.actor, run))
        return Response(status=204)
