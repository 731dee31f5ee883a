"""What every REST view starts from: who asks, which permission the method needs, how odd numbers look in JSON."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.roles import PERMISSIONS
from kernel.actor import Actor
from kernel.errors import Refused


class ScopeAllows(BasePermission):
    """A token only goes where its scope leads; a method that names no permission is closed to everybody.

    Whether the role allows it is asked by the action or query, which know the object.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        method = "GET" if request.method == "HEAD" else str(request.method)
        name = cast("RestView", view).needs.get(method)
        if name is None:
            raise MethodNotAllowed(method)
        token, wanted = actor_of(request).token, PERMISSIONS[name]
        if token is not None and wanted.scope not in token.scopes:
            raise Refused(
                f"The token '{token.name}' may not {wanted.means}: that needs the scope '{wanted.scope}'.",
                hint="Use a token with that scope.",
            )
        return True


class RestView(GenericAPIView[Any]):
    """A view that parses, calls one action or query, and answers. needs: method -> permission; HEAD as GET."""

    needs: ClassVar[Mapping[str, str]] = {}
    permission_classes = (IsAuthenticated, ScopeAllows)
    metadata_class = None

    @property
    def actor(self) -> Actor:
        """Who asks."""
        return actor_of(self.request)

    def parsed(self, kind: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The body's fields as this serializer checks them. Raises ValidationError."""
        serializer = kind(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


def actor_of(request: Request) -> Actor:
    """The actor that the credential names."""
    return cast(Actor, request._request.actor)  # type: ignore[attr-defined]


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}]})
class Number(serializers.Field[Any, Any, Any, Any]):
    """A float as JSON has it; NaN and the infinities, which JSON lacks, as the words of the MLflow protocol."""

    def to_representation(self, value: float | None) -> float | str | None:
        return said(value)


def said(value: float | None) -> float | str | None:
    """A float that JSON can carry."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
