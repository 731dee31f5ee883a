"""What a project allows its jobs."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from runner.actions.rules import set_rules
from runner.models import RunnerRules
from runner.queries.rules import get_rules


class RunnerRulesJson(serializers.ModelSerializer[RunnerRules]):
    class Meta:
        model = RunnerRules
        fields = [
            "allows_network", "cpus_max", "memory_mb_max", "disk_mb_max", "seconds_max", "jobs_at_once", "retries",
            "silent_minutes",
        ]  # fmt: skip
        read_only_fields = fields


class RunnerRulesEdits(serializers.Serializer[Any]):
    allows_network = serializers.BooleanField(required=False)
    cpus_max = serializers.FloatField(required=False)
    memory_mb_max = serializers.IntegerField(required=False)
    disk_mb_max = serializers.IntegerField(required=False)
    seconds_max = serializers.IntegerField(required=False)
    jobs_at_once = serializers.IntegerField(required=False)
    retries = serializers.IntegerField(required=False)
    silent_minutes = serializers.IntegerField(required=False, help_text="0: never.")
    reason = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class Rules(RestView):
    """What a project allows its jobs, and when a silent run counts as dead."""

    needs = {"GET": "projects.see", "PATCH": "runner.set_rules"}
    serializer_class = RunnerRulesJson

    def get(self, request: Request, slug: str) -> Response:
        return Response(self.get_serializer(get_rules(self.actor, find_project(self.actor, slug))).data)

    @extend_schema(request=RunnerRulesEdits, responses={200: RunnerRulesJson})
    def patch(self, request: Request, slug: str) -> Response:
        """Change some; what is left out stays. Jobs that were launched keep what they were launched with."""
        asked = self.parsed(RunnerRulesEdits)
        return Response(self.get_serializer(set_rules(self.actor, find_project(self.actor, slug), **asked)).data)
