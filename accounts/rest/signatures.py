"""Electronic signatures: who signed what, when, with which meaning; and how one proves at this door who one is."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.models import Signature
from accounts.queries.signatures import signatures_in
from accounts.rest.door import RestView
from accounts.signing import Proof, ProofNeeded, covered_at, get_signature, needs_email, prove
from kernel.actor import Actor

NOT_LISTED = -1  # a signature that did not come with a list


class SignatureJson(serializers.ModelSerializer[Signature]):
    """A signature. The time is that of the server, in UTC; the digest is the SHA-256 of `record` as text."""

    project = serializers.CharField(source="project.slug")
    factors = serializers.SerializerMethodField(help_text="What proved who the signer is.")
    seq = serializers.SerializerMethodField(
        help_text="The place of its event in the log; null while it awaits a checkpoint and has no effect."
    )

    class Meta:
        model = Signature
        fields = [
            "id", "project", "subject_type", "subject_id", "meaning", "printed_name", "signed_by", "signed_at",
            "proven_at", "factors", "comment", "record", "digest", "event_id", "seq",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_factors(self, signature: Signature) -> list[str]:
        return signature.factors.split(", ")

    def get_seq(self, signature: Signature) -> int | None:
        listed: int | None = getattr(signature, "covered_seq", NOT_LISTED)
        return covered_at(signature) if listed == NOT_LISTED else listed


class ProofWanted(serializers.Serializer[Any]):
    """Who signs, proves it: e-mail and password, or the password alone within five minutes of the last signature."""

    email = serializers.CharField(allow_blank=True, default="", max_length=254)
    password = serializers.CharField(
        allow_blank=True, default="", max_length=4096, trim_whitespace=False, write_only=True
    )


def given_proof(request: Request, actor: Actor, *, email: str, password: str) -> Proof:
    """The proof that a call gives: each signature takes the password. A call that leaves out what is needed is no
    attempt: nothing is recorded of it.

    Raises Refused for tokens: a signature is given in person, so only from a signed-in session.
    """
    session = getattr(request._request, "session", None)
    missing = "password" if not password else "email" if not email and needs_email(actor, session) else ""
    if missing and actor.token is None:
        words = "Each signature takes your password, the first of a series your e-mail address, too."
        raise ProofNeeded(words, hint="Send them with the call.", field=missing)
    return prove(actor, password, email=email, session=session)


class Signatures(ListAPIView[Signature], RestView):
    """The signatures of a project, newest first."""

    needs = {"GET": "experiments.see"}
    queryset = Signature.objects.none()
    cursor_order = ("-signed_at",)
    serializer_class = SignatureJson

    def get_queryset(self) -> QuerySet[Signature]:
        return signatures_in(self.actor, find_project(self.actor, self.kwargs["slug"]))


class OneSignature(RestView):
    """One signature."""

    needs = {"GET": "experiments.see"}
    serializer_class = SignatureJson

    @extend_schema(responses=SignatureJson)
    def get(self, request: Request, signature: UUID) -> Response:
        return Response(self.get_serializer(get_signature(self.actor, signature)).data)
