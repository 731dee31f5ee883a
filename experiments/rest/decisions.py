"""What a project decided, and the runs that it decided by."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.decisions import (
    DECIDE,
    REASON_MAX,
    RUNS_MAX,
    TITLE_MAX,
    WHY_MAX,
    record_decision,
    take_back_decision,
)
from experiments.models import Decision
from experiments.queries.decisions import decisions_of, get_decision, runs_cited, runs_named, standing_of
from experiments.rest.experiments import InProject

STANDINGS = ("holds", "replaced", "taken_back")


class CitedJson(serializers.Serializer[Any]):
    run = serializers.CharField(source="uid.hex")
    readable_id = serializers.CharField()
    name = serializers.CharField()


class DecisionJson(serializers.ModelSerializer[Decision]):
    standing = serializers.SerializerMethodField()
    replaces = serializers.IntegerField(source="replaces.number", allow_null=True, default=None)
    replaced_by = serializers.IntegerField(source="replaced_by.number", allow_null=True, default=None)
    runs = serializers.SerializerMethodField()
    user = serializers.CharField(source="created_by.name", allow_null=True, default=None)
    taken_back_by = serializers.CharField(source="taken_back_by.name", allow_null=True, default=None)

    class Meta:
        model = Decision
        fields = [
            "id", "number", "title", "why", "standing", "replaces", "replaced_by", "runs", "user", "created_at",
            "taken_back_at", "taken_back_by", "taken_back_why",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=STANDINGS))
    def get_standing(self, decision: Decision) -> str:
        standing = standing_of(decision)
        return "holds" if standing.holds else "replaced" if standing.later else "taken_back"

    @extend_schema_field(CitedJson(many=True))
    def get_runs(self, decision: Decision) -> Any:
        return CitedJson(runs_cited(decision), many=True).data


class DecisionWanted(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=TITLE_MAX, help_text="What was decided, in one line.")
    why = serializers.CharField(max_length=WHY_MAX, allow_blank=True, default="", help_text="Markdown.")
    runs = serializers.ListField(
        child=serializers.CharField(max_length=80),
        max_length=RUNS_MAX,
        default=list,
        help_text="Ids of runs of the project, 32 hex digits or readable as VIS-123.",
    )
    replaces = serializers.IntegerField(
        min_value=1, allow_null=True, default=None, help_text="The number of an earlier decision that holds no longer."
    )
    key = serializers.UUIDField(
        required=False, help_text="The new decision's id, if you choose it: sending it again changes nothing."
    )


class WhyTakenBack(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=REASON_MAX, help_text="It is shown with the decision.")


class OfDecisions(InProject):
    """A view of what a project decided."""

    serializer_class = DecisionJson

    def decision(self) -> Decision:
        """The decision in the address, if the viewer may see it."""
        return get_decision(self.actor, self.project(), self.kwargs["number"])

    def told(self, decision: Decision, status: int = 200) -> Response:
        """A decision as it is now."""
        fresh = get_decision(self.actor, decision.project, decision.number)
        return Response(DecisionJson(fresh).data, status=status)


class Decisions(ListAPIView[Decision], OfDecisions):
    """What a project decided, the newest first."""

    needs = {"GET": "experiments.see", "POST": DECIDE}
    queryset = Decision.objects.none()
    cursor_order = ("-number",)

    def get_queryset(self) -> QuerySet[Decision]:
        return decisions_of(self.actor, self.project())

    @extend_schema(request=DecisionWanted, responses={201: DecisionJson})
    def post(self, request: Request, slug: str) -> Response:
        """Record one. It is never rewritten: a later one replaces it, or it is taken back."""
        project, asked = self.project(), self.parsed(DecisionWanted)
        runs, replaces = asked.pop("runs"), asked.pop("replaces")
        made = record_decision(
            self.actor,
            project,
            **asked,
            runs=runs_named(self.actor, project, runs, most=RUNS_MAX, key=asked.get("key")),
            replaces=None if replaces is None else get_decision(self.actor, project, replaces),
        )
        return self.told(made, status=201)


class OneDecision(OfDecisions):
    """One decision."""

    needs = {"GET": "experiments.see"}

    def get(self, request: Request, slug: str, number: int) -> Response:
        return self.told(self.decision())


class TakeBackDecision(OfDecisions):
    """It holds no longer; what it said stays."""

    needs = {"POST": DECIDE}

    @extend_schema(request=WhyTakenBack, responses={200: DecisionJson})
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Take it back, and say why."""
        return self.told(take_back_decision(self.actor, self.decision(), **self.parsed(WhyTakenBack)))
