"""Runs done again, and what came out."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import Number
from experiments.compare.reproduction import Verdict
from experiments.queries.reproductions import Reproduction, again_of, first_of
from experiments.rest.on_run import OnRun


class MetricAgainJson(serializers.Serializer[Any]):
    """One metric of the first run beside the same of the second."""

    key = serializers.CharField()
    context = serializers.CharField(help_text="Of the series; empty for most.")  # type: ignore[assignment]
    then = Number()
    now = Number(allow_null=True)
    verdict = serializers.ChoiceField([verdict.value for verdict in Verdict])
    allowed = serializers.CharField(help_text="How far off it may be and by what, in words.")


class KeptJson(serializers.Serializer[Any]):
    """What was kept once both had ended: nothing that either logs later changes it."""

    made_at = serializers.DateTimeField()
    changed = serializers.ListField(
        child=serializers.CharField(), help_text="Conditions that were not the same, in words."
    )
    since = serializers.ListField(
        child=serializers.CharField(), help_text="What was changed of either run later, in words."
    )


class ReproductionJson(serializers.Serializer[Any]):
    """A run at the other end of the link, and how the metrics of both lie beside each other, the worst first."""

    run = serializers.CharField(source="other.uid.hex")
    readable_id = serializers.CharField(source="other.readable_id")
    verdict = serializers.ChoiceField(
        [verdict.value for verdict in Verdict if verdict is not Verdict.MISSING],
        allow_null=True,
        help_text="The worst of all metrics; null where nothing was measured.",
    )
    with_changes = serializers.BooleanField(help_text="Whether it was launched with something changed on purpose.")
    kept = KeptJson(allow_null=True, help_text="Null until both have ended; verdict and metrics are then as they are.")
    metrics = MetricAgainJson(many=True, source="rows")


class ReproductionsJson(serializers.Serializer[Any]):
    first = ReproductionJson(allow_null=True, help_text="The run that this one does again.")
    again = ReproductionJson(many=True, help_text="Runs that do this one again, the newest first; at most 50.")


class RunReproductions(OnRun):
    """Which run this one does again, and which do it again."""

    needs = {"GET": "experiments.see"}
    serializer_class = ReproductionsJson

    @extend_schema(responses={200: ReproductionsJson})
    def get(self, request: Request, run: str) -> Response:
        """By the tag `mled.reproduces` of the later run, or `mled.like` where it was changed on purpose.

        What counts as within tolerance, the project's profile says, or the tag `mled.tolerance` of the first run or its
        experiment.
        """
        found = self.run()
        again: list[Reproduction] = again_of(self.actor, found)
        return Response(ReproductionsJson({"first": first_of(self.actor, found), "again": again}).data)
