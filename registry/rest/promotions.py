"""Promotions: the list, asking, one of them, deciding with a signature, withdrawing; and the checklist."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Denied, find_project
from accounts.models import Project
from accounts.rest.door import RestView, actor_of
from accounts.rest.signatures import ProofWanted, SignatureJson, given_proof
from kernel.actor import Actor
from registry.actions.promotions import ask_promotion, decide_promotion, withdraw_promotion
from registry.gates import checklist
from registry.models import ModelVersion, PromotionRequest
from registry.promoting.makers import DECIDE
from registry.queries.promotions import get_promotion, may_decide, promotions_in, signature_state
from registry.queries.registered_models import find_model, get_version


class GateJson(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["pass", "warn", "fail"])
    words = serializers.CharField()
    blocks = serializers.BooleanField(help_text="Whether it stands in the way of approval.")
    url = serializers.CharField(allow_blank=True, help_text="Path of the page that shows more.")


class PromotionJson(serializers.ModelSerializer[PromotionRequest]):
    project = serializers.CharField(source="model.project.slug")
    model = serializers.CharField(source="model.name")
    version = serializers.IntegerField(source="version.number")
    from_version = serializers.IntegerField(
        source="from_version.number", allow_null=True, default=None, help_text="Which carried it when asked."
    )
    asked_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)
    asked_at = serializers.DateTimeField(source="created_at")
    decided_by = serializers.CharField(source="decided_by.name", allow_null=True, default=None)

    class Meta:
        model = PromotionRequest
        fields = [
            "id", "project", "model", "version", "kind", "target", "from_version", "state", "comment", "asked_by",
            "asked_at", "decided_by", "decided_at", "decision_comment", "effective_at", "lapsed_at", "lapsed_why",
        ]  # fmt: skip
        read_only_fields = fields


class SignatureStateJson(serializers.Serializer[Any]):
    """Whether the record is still as it was signed, and whether the log covers the signature."""

    matches = serializers.BooleanField()
    differs = serializers.ListField(child=serializers.CharField(), help_text="The fields that are not as signed.")
    is_covered = serializers.BooleanField(help_text="False: awaiting checkpoint, without effect yet.")
    seq = serializers.IntegerField(allow_null=True)


class PromotionDetailJson(PromotionJson):
    gates = serializers.SerializerMethodField(help_text="Of an open one as they stand now, else as they stood.")
    may_decide = serializers.SerializerMethodField()
    why_not = serializers.SerializerMethodField(help_text="Why one may not decide; empty where one may.")
    signature = SignatureJson(allow_null=True)
    signature_state = serializers.SerializerMethodField()

    class Meta(PromotionJson.Meta):
        fields = [*PromotionJson.Meta.fields, "gates", "may_decide", "why_not", "signature", "signature_state"]
        read_only_fields = fields

    def _viewer(self) -> Actor:
        return actor_of(self.context["request"])

    @extend_schema_field(GateJson(many=True))
    def get_gates(self, request: PromotionRequest) -> Any:
        stand = checklist(self._viewer(), request.version, request.target) if request.is_open else request.gates
        return GateJson(stand, many=True).data

    def get_may_decide(self, request: PromotionRequest) -> bool:
        return request.is_open and bool(may_decide(self._viewer(), request))

    def get_why_not(self, request: PromotionRequest) -> str:
        verdict = may_decide(self._viewer(), request)
        return verdict.reason if isinstance(verdict, Denied) else ""

    @extend_schema_field(SignatureStateJson(allow_null=True))
    def get_signature_state(self, request: PromotionRequest) -> Any:
        state = signature_state(self._viewer(), request)
        return SignatureStateJson(state).data if state is not None else None


class VersionMeant(serializers.Serializer[Any]):
    model = serializers.CharField(max_length=256, trim_whitespace=False)
    version = serializers.IntegerField(min_value=1)
    target = serializers.CharField(max_length=255, help_text="The protected alias or stage.")

    def validate_version(self, number: int) -> int:
        if number >= 2**31:
            raise serializers.ValidationError("There is no such version.")
        return number


class PromotionWanted(VersionMeant):
    kind = serializers.ChoiceField(choices=PromotionRequest.Kind.choices, default=PromotionRequest.Kind.ALIAS)
    comment = serializers.CharField(allow_blank=True, default="", max_length=4000)


class Decision(ProofWanted):
    approve = serializers.BooleanField()
    comment = serializers.CharField(
        allow_blank=True, default="", max_length=4000, help_text="Needed for a rejection; part of what is signed."
    )


class Withdrawal(serializers.Serializer[Any]):
    reason = serializers.CharField(allow_blank=True, default="", max_length=4000)


def _version(viewer: Actor, project: Project, asked: dict[str, Any]) -> ModelVersion:
    return get_version(viewer, find_model(viewer, project, asked.pop("model")), asked.pop("version"))


class Promotions(ListAPIView[PromotionRequest], RestView):
    """The promotions of a project, newest first."""

    needs = {"GET": "experiments.see", "POST": "registry.ask_promotion"}
    queryset = PromotionRequest.objects.none()
    cursor_order = ("-created_at",)
    serializer_class = PromotionJson

    def get_queryset(self) -> QuerySet[PromotionRequest]:
        return promotions_in(self.actor, find_project(self.actor, self.kwargs["slug"]))

    @extend_schema(request=PromotionWanted, responses={201: PromotionDetailJson})
    def post(self, request: Request, slug: str) -> Response:
        """Ask that a version carries a protected alias or stage."""
        asked, project = self.parsed(PromotionWanted), find_project(self.actor, slug)
        made = ask_promotion(self.actor, _version(self.actor, project, asked), **asked)
        return Response(_detail(self, made.pk), status=201)


class Checklist(RestView):
    """What stands in the way of a promotion that nobody has asked for yet."""

    needs = {"GET": "experiments.see"}
    serializer_class = GateJson
    pagination_class = None
    filter_backends = ()

    @extend_schema(parameters=[VersionMeant], responses=GateJson(many=True))
    def get(self, request: Request, slug: str) -> Response:
        project = find_project(self.actor, slug)
        meant = VersionMeant(data=request.query_params)
        meant.is_valid(raise_exception=True)
        asked = dict(meant.validated_data)
        results = checklist(self.actor, _version(self.actor, project, asked), asked["target"])
        return Response(GateJson(results, many=True).data)


class OnePromotion(RestView):
    """One promotion with its checklist and signature."""

    needs = {"GET": "experiments.see"}
    serializer_class = PromotionDetailJson

    @extend_schema(responses=PromotionDetailJson)
    def get(self, request: Request, promotion: UUID) -> Response:
        return Response(_detail(self, promotion))


class Decide(RestView):
    """The decision about a promotion, signed."""

    needs = {"POST": DECIDE}
    serializer_class = PromotionDetailJson

    @extend_schema(request=Decision, responses={200: PromotionDetailJson})
    def post(self, request: Request, promotion: UUID) -> Response:
        """Approve or reject, from a signed-in session: a token cannot sign.

        The first signature of a series takes e-mail and password, each within five minutes of the last the password.
        """
        asked, found = self.parsed(Decision), get_promotion(self.actor, promotion)
        proof = given_proof(request, self.actor, email=asked.pop("email"), password=asked.pop("password"))
        decide_promotion(self.actor, found, **asked, proof=proof)
        return Response(_detail(self, promotion))


class Withdraw(RestView):
    """Taking one's own request back."""

    needs = {"POST": "registry.ask_promotion"}
    serializer_class = PromotionDetailJson

    @extend_schema(request=Withdrawal, responses={200: PromotionDetailJson})
    def post(self, request: Request, promotion: UUID) -> Response:
        """Withdraw it, while nobody has decided."""
        asked = self.parsed(Withdrawal)
        withdraw_promotion(self.actor, get_promotion(self.actor, promotion), **asked)
        return Response(_detail(self, promotion))


def _detail(view: RestView, promotion: UUID) -> Any:
    found = get_promotion(view.actor, promotion)
    return PromotionDetailJson(found, context={"request": view.request}).data
