"""Moving runs to another experiment."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import RestView
from experiments.actions.moves import move_run
from experiments.queries.experiments import get_experiment
from experiments.queries.runs import get_run
from experiments.rest.runs import RunJson


class MoveWanted(serializers.Serializer[Any]):
    experiment = serializers.CharField(help_text="Where to: an experiment of the same project by its id.")
    reason = serializers.CharField(allow_blank=True, default="", max_length=2000, help_text="Kept with the event.")


class MoveRun(RestView):
    """Put a run into another experiment of its project. Runs nested in it stay where they are."""

    needs = {"POST": "experiments.move_run"}
    serializer_class = RunJson

    @extend_schema(request=MoveWanted, responses={200: RunJson})
    def post(self, request: Request, run: str) -> Response:
        """Move it; moving it where it is changes nothing."""
        asked, found = self.parsed(MoveWanted), get_run(self.actor, run)
        place = get_experiment(self.actor, asked["experiment"], project=found.project)
        return Response(self.get_serializer(move_run(self.actor, found, experiment=place, reason=asked["reason"])).data)
