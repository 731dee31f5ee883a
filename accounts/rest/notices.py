"""What one was told."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.notices import mark_notices_read
from accounts.models import Notice
from accounts.queries.notices import notices_of
from accounts.rest.door import RestView


class NoticeJson(serializers.ModelSerializer[Notice]):
    project = serializers.CharField(source="project.slug", allow_null=True, default=None)

    class Meta:
        model = Notice
        fields = ["id", "project", "kind", "text", "url", "at", "read_at"]
        read_only_fields = fields


class NoticesRead(serializers.Serializer[Any]):
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        allow_null=True,
        default=None,
        max_length=1000,
        help_text="Null: all of one's own.",
    )


class MarkedJson(serializers.Serializer[Any]):
    marked = serializers.IntegerField(help_text="How many were unread.")


class Notices(ListAPIView[Notice], RestView):
    """One's own notices, newest first."""

    needs = {"GET": "projects.see"}
    queryset = Notice.objects.none()
    cursor_order = ("-at", "-id")
    serializer_class = NoticeJson

    def get_queryset(self) -> QuerySet[Notice]:
        return notices_of(self.actor)


class ReadNotices(RestView):
    """Which of them one has read."""

    needs = {"POST": "account.edit"}
    serializer_class = MarkedJson

    @extend_schema(request=NoticesRead, responses={200: MarkedJson})
    def post(self, request: Request) -> Response:
        """Note that one has read these, or all."""
        marked = mark_notices_read(self.actor, notices=self.parsed(NoticesRead)["ids"])
        return Response({"marked": marked})
