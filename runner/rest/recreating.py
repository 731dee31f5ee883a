"""Runs done again: what can be met, doing it, and what came of it."""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import require
from experiments.models import Run
from experiments.queries.reproductions import Reproduction, again_of
from experiments.rest.on_run import OnRun
from experiments.rest.reproductions import ReproductionJson
from runner.actions.recreating import recreate
from runner.bundles.contents import data_mb_in
from runner.bundles.giving import bundle_response
from runner.recreating.changing import merged
from runner.recreating.likeness import changes, like
from runner.rest.job_fields import JobJson

EXAMPLE = {"changes": {"inputs": {"train": "icu-vitals v8"}}, "dry_run": True}


class RecreationWanted(serializers.Serializer[Any]):
    queue = serializers.CharField(default="", allow_blank=True, max_length=40, help_text="Empty: that of then.")
    name = serializers.CharField(default="", allow_blank=True, max_length=250, help_text="Of the new run.")
    changes = serializers.DictField(
        default=dict,
        help_text="Fields as for launching, in place of what it was done with; single params, inputs and resources.",
    )
    dry_run = serializers.BooleanField(default=False, help_text="Only say what can be met, and what would change.")


class ConditionChangeJson(serializers.Serializer[Any]):
    name = serializers.CharField(source="field", help_text="As in params.lr.")
    then = serializers.CharField()
    now = serializers.CharField()


class LikenessJson(serializers.Serializer[Any]):
    """What stands in the way of doing a run again, and what would not be the same."""

    from_record = serializers.BooleanField(help_text="Whether it was rebuilt from what a client logged.")
    can_be_met = serializers.BooleanField()
    cannot = serializers.ListField(child=serializers.CharField(), help_text="What cannot be met, with what to do.")
    differs = serializers.ListField(child=serializers.CharField(), help_text="What will not be the same.")
    queue = serializers.CharField(help_text="Of the workers that would do it.")
    wanted = serializers.DictField(help_text="As it is launched: what POST /projects/<slug>/jobs/ takes.")


class RecreationBegunJson(serializers.Serializer[Any]):
    conditions = LikenessJson()
    changes = ConditionChangeJson(many=True, help_text="What is another than then.")
    job = JobJson(allow_null=True, help_text="Null in a dry run.")


class Recreations(OnRun):
    """The runs that do this one again."""

    needs = {"GET": "experiments.see", "POST": "runner.launch"}
    serializer_class = RecreationBegunJson
    queryset = Run.objects.none()
    pagination_class = None

    @extend_schema(responses={200: ReproductionJson(many=True)})
    def get(self, request: Request, run: str) -> Response:
        """The newest first, at most 50, each with what came out."""
        found: list[Reproduction] = again_of(self.actor, self.run())
        return Response(ReproductionJson(found, many=True).data)

    @extend_schema(
        request=RecreationWanted,
        responses={200: RecreationBegunJson, 201: RecreationBegunJson},
        examples=[OpenApiExample("On another version, only asked", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, run: str) -> Response:
        """Do it again here, on the server's workers. 409 where a condition cannot be met; with `dry_run` that is told
        instead. With changes the new run is one like it, and does not count as done again."""
        found, asked = self.run(), self.parsed(RecreationWanted)
        require(self.actor, "runner.launch", found)  # also where it is only asked: a recipe is told whole
        known = like(self.actor, found, queue=asked["queue"])
        told = {"conditions": known, "changes": changes(known, merged(known.wanted, asked["changes"])), "job": None}
        if asked["dry_run"]:
            return Response(RecreationBegunJson(told, context={"request": request}).data)
        told["job"] = recreate(self.actor, found, queue=asked["queue"], name=asked["name"], changed=asked["changes"])
        return Response(RecreationBegunJson(told, context={"request": request}).data, status=201)


class RunBundle(OnRun):
    """A run to take away."""

    needs = {"GET": "experiments.download"}
    serializer_class = None

    @extend_schema(
        parameters=[OpenApiParameter("data_mb", int, description="How many MB of data go in; 200 unless said.")],
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, run: str) -> HttpResponseBase:
        """Code, packages, parameters, data and what came out, with `rerun.py`, which does it again with Python and uv
        alone. Versions that are larger than what goes in are listed with the digests of their files."""
        found = self.run()
        return bundle_response(self.actor, found, data_mb=data_mb_in(request.query_params.get("data_mb", "")))
