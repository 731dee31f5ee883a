"""How much the files of a project may take."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from artifacts.actions.quotas import LIMIT_MAX, SET, set_quota
from artifacts.queries.quotas import Room, room_of


class QuotaJson(serializers.Serializer[Room]):
    limit_bytes = serializers.IntegerField(allow_null=True, read_only=True, help_text="null: no quota.")
    used_bytes = serializers.IntegerField(
        read_only=True, help_text="Of all files by name: the same content twice counts twice."
    )


class QuotaWanted(serializers.Serializer[Any]):
    limit_bytes = serializers.IntegerField(min_value=1, max_value=LIMIT_MAX)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class Quota(RestView):
    """The quota of a project, and what its files have together now."""

    needs = {"GET": "projects.see", "PUT": SET, "DELETE": SET}
    serializer_class = QuotaJson

    def get(self, request: Request, slug: str) -> Response:
        return Response(self.get_serializer(room_of(self.actor, find_project(self.actor, slug))).data)

    @extend_schema(request=QuotaWanted, responses={200: QuotaJson})
    def put(self, request: Request, slug: str) -> Response:
        """Set it. For administrators, signed in. Below what is there, nothing is lost and nothing more comes in."""
        project = find_project(self.actor, slug)
        set_quota(self.actor, project, **self.parsed(QuotaWanted))
        return Response(self.get_serializer(room_of(self.actor, project)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Let the project have none. For administrators, signed in."""
        set_quota(self.actor, find_project(self.actor, slug), limit_bytes=None)
        return Response(status=204)
