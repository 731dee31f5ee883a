"""The log as a whole: signed heads, keys, proofs. For everybody who is signed in; none of it shows what events say."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import RestView
from accounts.rest.given_out import Anything
from audit.compliance.queries.ledger import (
    continuation,
    head_of_size,
    heads_of_log,
    keys_of_log,
    log_standing,
    newest_head,
    proof_of,
)
from audit.compliance.queries.outside import anchored_heads, public_keys
from audit.compliance.rest.renderers import JSON_OR_TEXT, wants_text
from audit.ledger.models import Checkpoint

SIZE_MAX = 2**63 - 1
TEXT = (200, "text/plain")


class CheckpointJson(serializers.ModelSerializer[Checkpoint]):
    size = serializers.IntegerField(help_text="How many events the log had.")
    key_id = serializers.CharField(help_text="Of the key that signed.")
    note = serializers.CharField(help_text="The head as a signed note (C2SP), which is what to keep elsewhere.")

    class Meta:
        model = Checkpoint
        fields = ["id", "size", "root", "key_id", "note", "at"]
        read_only_fields = fields


class KeyJson(serializers.Serializer[Any]):
    id = serializers.CharField()
    origin = serializers.CharField(help_text="The name of the log.")
    line = serializers.CharField(help_text="The key as the verifier takes it.")


class TroubleJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    words = serializers.CharField()


class LogStandingJson(serializers.Serializer[Any]):
    head = CheckpointJson(allow_null=True, help_text="The newest one; null before the first.")
    waiting = serializers.IntegerField(source="lag.waiting", help_text="Events without a place in the log yet.")
    waiting_seconds = serializers.FloatField(source="lag.seconds", help_text="How long the first of them has waited.")
    anchored_in = serializers.ListField(child=serializers.CharField(), help_text="Places that have the newest head.")
    not_yet_in = serializers.ListField(child=serializers.CharField(), help_text="Places that it has not reached.")
    troubles = TroubleJson(many=True, help_text="What is wrong with the log; empty: nothing.")


class ProofJson(serializers.Serializer[Any]):
    """Hash the leaf (RFC 6962) up along the path and compare with the root that the checkpoint signs."""

    event = serializers.UUIDField()
    seq = serializers.IntegerField(source="inclusion.seq", help_text="The place of the event in the log.")
    leaf = serializers.CharField(help_text="The canonical JSON that was hashed. It commits to what the event says.")
    leaf_hash = serializers.SerializerMethodField(help_text="SHA-256 over a zero byte and the leaf, in hex.")
    path = serializers.SerializerMethodField(help_text="Hashes from the leaf to the root, in hex.")
    checkpoint = CheckpointJson(source="inclusion.checkpoint")

    def get_leaf_hash(self, told: dict[str, Any]) -> str:
        return str(told["inclusion"].leaf_hash.hex())

    def get_path(self, told: dict[str, Any]) -> list[str]:
        return [step.hex() for step in told["inclusion"].path]


class ConsistencyJson(serializers.Serializer[Any]):
    """The path of RFC 6962, section 2.1.2, from the older root to the newer one."""

    old = CheckpointJson()
    new = CheckpointJson()
    path = serializers.SerializerMethodField(help_text="Hashes in hex.")

    def get_path(self, told: Any) -> list[str]:
        return [step.hex() for step in told.path]


class ProofAsked(serializers.Serializer[Any]):
    size = serializers.IntegerField(
        min_value=1, max_value=SIZE_MAX, default=None, help_text="Of the head; left out: the newest one."
    )


class ConsistencyAsked(serializers.Serializer[Any]):
    old = serializers.IntegerField(min_value=1, max_value=SIZE_MAX, help_text="The size of a head that one kept.")
    new = serializers.IntegerField(
        min_value=1, max_value=SIZE_MAX, default=None, help_text="Of a newer one; left out: the newest."
    )


class LogStanding(RestView):
    """How the log stands."""

    needs = {"GET": "ledger.verify"}
    serializer_class = LogStandingJson

    @extend_schema(responses={200: LogStandingJson})
    def get(self, request: Request) -> Response:
        """Its newest signed head, what waits for the next one, where it is anchored, and what is wrong with it."""
        return Response(LogStandingJson(log_standing(self.actor)).data)


class Keys(RestView):
    """The public keys that sign the log."""

    needs = {"GET": "ledger.verify"}
    serializer_class = KeyJson
    renderer_classes = JSON_OR_TEXT
    pagination_class = None
    queryset = Checkpoint.objects.none()

    @extend_schema(responses={200: KeyJson(many=True), TEXT: OpenApiTypes.STR})
    def get(self, request: Request) -> Response:
        """With `Accept: text/plain` a line for each, as the verifier's `--key` takes them."""
        if wants_text(request):
            return Response(public_keys(self.actor))
        told = [{"id": key.id, "origin": key.origin, "line": key.line()} for key in keys_of_log(self.actor)]
        return Response(KeyJson(told, many=True).data)


class Anchors(RestView):
    """The heads that this server anchored beside its log."""

    needs = {"GET": "ledger.verify"}
    content_negotiation_class = Anything
    serializer_class = None

    @extend_schema(responses={TEXT: OpenApiTypes.BINARY})
    def get(self, request: Request) -> FileResponse:
        """The file that the verifier's `--anchor` takes; keep it elsewhere: a later bundle has to continue it."""
        path = anchored_heads(self.actor)
        return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="text/plain")


class Checkpoints(ListAPIView[Checkpoint], RestView):
    """Every signed head of the log, newest first."""

    needs = {"GET": "ledger.verify"}
    queryset = Checkpoint.objects.none()
    serializer_class = CheckpointJson

    def get_queryset(self) -> QuerySet[Checkpoint]:
        return heads_of_log(self.actor)


class _OneHead(RestView):
    needs = {"GET": "ledger.verify"}
    serializer_class = CheckpointJson
    renderer_classes = JSON_OR_TEXT

    def told(self, head: Checkpoint) -> Response:
        """The head; as text the signed note itself, byte for byte."""
        return Response(head.note if wants_text(self.request) else CheckpointJson(head).data)


class NewestCheckpoint(_OneHead):
    """The last signed head."""

    @extend_schema(responses={200: CheckpointJson, TEXT: OpenApiTypes.STR})
    def get(self, request: Request) -> Response:
        """With `Accept: text/plain` the signed note."""
        return self.told(newest_head(self.actor))


class OneCheckpoint(_OneHead):
    """The signed head over so many events."""

    @extend_schema(responses={200: CheckpointJson, TEXT: OpenApiTypes.STR})
    def get(self, request: Request, size: int) -> Response:
        """With `Accept: text/plain` the signed note."""
        return self.told(head_of_size(self.actor, min(size, SIZE_MAX)))


class Proof(RestView):
    """That an event is in the log."""

    needs = {"GET": "ledger.verify"}
    serializer_class = ProofJson

    @extend_schema(responses={200: ProofJson}, parameters=[ProofAsked])
    def get(self, request: Request, event: UUID) -> Response:
        """The proof under a signed head: for an act of one's own, or an event that one may read."""
        proven = proof_of(self.actor, event, **self.asked(ProofAsked))
        told = {"event": event, "leaf": proven.leaf.decode(), "inclusion": proven.inclusion}
        return Response(ProofJson(told).data)


class Consistency(RestView):
    """That the log only grew."""

    needs = {"GET": "ledger.verify"}
    serializer_class = ConsistencyJson

    @extend_schema(responses={200: ConsistencyJson}, parameters=[ConsistencyAsked])
    def get(self, request: Request) -> Response:
        """The proof that the log under the newer head begins with the log under the older one."""
        asked = self.asked(ConsistencyAsked)
        new = asked["new"] if asked["new"] is not None else newest_head(self.actor).size
        return Response(ConsistencyJson(continuation(self.actor, old=asked["old"], new=new)).data)
