"""Secrets of a project, by name. No answer ever holds what one of them is."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from runner.actions.secrets import VALUE_MAX, keep_secret, remove_secret
from runner.models import Secret
from runner.queries.secrets import SEE, secrets_of


class SecretJson(serializers.ModelSerializer[Secret]):
    set_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)
    set_at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = Secret
        fields = ["name", "set_at", "set_by"]
        read_only_fields = fields


class SecretWanted(serializers.Serializer[Any]):
    value = serializers.CharField(
        trim_whitespace=False, max_length=VALUE_MAX, write_only=True, help_text="Nobody reads it again."
    )


class Secrets(ListAPIView[Secret], RestView):
    """The secrets that jobs of a project can be given."""

    needs = {"GET": SEE}
    queryset = Secret.objects.none()
    cursor_order = ("name",)
    serializer_class = SecretJson

    def get_queryset(self) -> QuerySet[Secret]:
        return secrets_of(self.actor, find_project(self.actor, self.kwargs["slug"]))


class OneSecret(RestView):
    """One secret."""

    needs = {"PUT": "runner.keep_secrets", "DELETE": "runner.keep_secrets"}
    serializer_class = SecretJson

    @extend_schema(request=SecretWanted, responses={200: SecretJson})
    def put(self, request: Request, slug: str, secret: str) -> Response:
        """Set it, or put another value in its place: jobs that begin from now on get that."""
        asked = self.parsed(SecretWanted)
        kept = keep_secret(self.actor, find_project(self.actor, slug), name=secret, value=asked["value"])
        return Response(self.get_serializer(kept).data)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, slug: str, secret: str) -> Response:
        """Remove it: jobs that need it and have not begun fail, and say so."""
        remove_secret(self.actor, find_project(self.actor, slug), name=secret)
        return Response(status=204)
