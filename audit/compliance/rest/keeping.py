"""Legal holds and purges over REST."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from audit.compliance.actions.holds import REASON_MAX, lift_hold, place_hold
from audit.compliance.actions.purges import RUNS_MAX, ask_purge, carry_out_purge, refuse_purge, withdraw_purge
from audit.compliance.models import LegalHold, Purge
from audit.compliance.queries.holds import find_hold, holds_in
from audit.compliance.queries.purges import find_purge, purges_in
from experiments.queries.runs import get_run


class HoldJson(serializers.ModelSerializer[LegalHold]):
    run = serializers.CharField(source="run.uid.hex", default=None, allow_null=True, help_text="None: the project.")
    placed_by = serializers.CharField(source="placed_by.name", default=None, allow_null=True)
    lifted_by = serializers.CharField(source="lifted_by.name", default=None, allow_null=True)

    class Meta:
        model = LegalHold
        fields = ["id", "run", "reason", "placed_by", "placed_at", "lifted_by", "lifted_at", "lifted_reason"]
        read_only_fields = fields


class HoldWanted(serializers.Serializer[Any]):
    run = serializers.CharField(max_length=40, required=False, allow_blank=True, help_text="Left out: the project.")
    reason = serializers.CharField(max_length=REASON_MAX)


class WhyKept(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=REASON_MAX)


class PurgeJson(serializers.ModelSerializer[Purge]):
    runs = serializers.ListField(child=serializers.CharField(), help_text="Ids of the runs.")
    asked_by = serializers.CharField(source="asked_by.name", default=None, allow_null=True)
    decided_by = serializers.CharField(source="decided_by.name", default=None, allow_null=True)

    class Meta:
        model = Purge
        fields = ["id", "runs", "reason", "state", "asked_by", "asked_at", "decided_by", "decided_at", "decision"]
        read_only_fields = fields


class PurgeWanted(serializers.Serializer[Any]):
    runs = serializers.ListField(child=serializers.CharField(max_length=40), max_length=RUNS_MAX)
    reason = serializers.CharField(max_length=REASON_MAX)


class Holds(ListAPIView[LegalHold], RestView):
    """Legal holds of a project, newest first."""

    needs = {"GET": "experiments.see", "POST": "compliance.hold"}
    queryset = LegalHold.objects.none()
    cursor_order = ("-placed_at", "-id")
    serializer_class = HoldJson

    def get_queryset(self) -> QuerySet[LegalHold]:
        return holds_in(self.actor, find_project(self.actor, self.kwargs["slug"]))

    @extend_schema(request=HoldWanted, responses={201: HoldJson})
    def post(self, request: Request, slug: str) -> Response:
        """Place one."""
        project, asked = find_project(self.actor, slug), self.parsed(HoldWanted)
        run = get_run(self.actor, asked["run"], project=project) if asked.get("run") else None
        return Response(HoldJson(place_hold(self.actor, project, reason=asked["reason"], run=run)).data, status=201)


class Lift(RestView):
    """End a legal hold."""

    needs = {"POST": "compliance.hold"}
    serializer_class = HoldJson

    @extend_schema(request=WhyKept, responses=HoldJson)
    def post(self, request: Request, hold: UUID) -> Response:
        """Lift it, with a reason."""
        found = find_hold(self.actor, hold)
        return Response(HoldJson(lift_hold(self.actor, found, **self.parsed(WhyKept))).data)


class Purges(ListAPIView[Purge], RestView):
    """Purges of a project, asked for and decided, newest first."""

    needs = {"GET": "experiments.see", "POST": "compliance.purge_ask"}
    queryset = Purge.objects.none()
    cursor_order = ("-asked_at", "-id")
    serializer_class = PurgeJson

    def get_queryset(self) -> QuerySet[Purge]:
        return purges_in(self.actor, find_project(self.actor, self.kwargs["slug"]))

    @extend_schema(request=PurgeWanted, responses={201: PurgeJson})
    def post(self, request: Request, slug: str) -> Response:
        """Ask that runs are purged whose retention ran out."""
        project, asked = find_project(self.actor, slug), self.parsed(PurgeWanted)
        runs = [get_run(self.actor, one, project=project) for one in dict.fromkeys(asked["runs"])]
        return Response(PurgeJson(ask_purge(self.actor, project, runs=runs, reason=asked["reason"])).data, status=201)


class CarryOut(RestView):
    """Carry a purge out, in person."""

    needs = {"POST": "compliance.purge"}
    serializer_class = PurgeJson

    @extend_schema(request=WhyKept, responses=PurgeJson)
    def post(self, request: Request, purge: UUID) -> Response:
        """Remove for good what is in its runs."""
        found = find_purge(self.actor, purge)
        return Response(PurgeJson(carry_out_purge(self.actor, found, **self.parsed(WhyKept))).data)


class RefusePurge(RestView):
    """Refuse a purge."""

    needs = {"POST": "compliance.purge"}
    serializer_class = PurgeJson

    @extend_schema(request=WhyKept, responses=PurgeJson)
    def post(self, request: Request, purge: UUID) -> Response:
        """Leave the runs as they are."""
        return Response(PurgeJson(refuse_purge(self.actor, find_purge(self.actor, purge), **self.parsed(WhyKept))).data)


class WithdrawPurge(RestView):
    """Take back what was asked."""

    needs = {"POST": "compliance.purge_ask"}
    serializer_class = PurgeJson

    @extend_schema(request=None, responses=PurgeJson)
    def post(self, request: Request, purge: UUID) -> Response:
        """Take it back."""
        return Response(PurgeJson(withdraw_purge(self.actor, find_purge(self.actor, purge))).data)
