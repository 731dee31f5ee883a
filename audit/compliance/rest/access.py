"""Who may do what in a project, and signing it off."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from audit.compliance.access_table import as_table, digest_of_grants, due_at
from audit.compliance.actions.access import review_access
from audit.compliance.models import AccessReview
from audit.compliance.queries.access import access_of, sign_offs, sign_offs_in


class WayJson(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="direct, group, site, project or experiment.")
    role = serializers.CharField()
    group = serializers.CharField()
    experiment = serializers.CharField()
    since = serializers.CharField(allow_null=True)
    by = serializers.CharField(help_text="Id of the person who gave it, operator or system; empty: not recorded.")


class PersonAccessJson(serializers.Serializer[Any]):
    user = serializers.CharField()
    is_active = serializers.BooleanField()
    is_service = serializers.BooleanField()
    ways = WayJson(many=True)
    rights = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="By kind of work: reads, logs, reviews, approves, manages.",
    )
    tokens = serializers.ListField(child=serializers.CharField(), help_text="Ids of those good for this project.")
    last_seen_at = serializers.CharField(allow_null=True)
    is_dormant = serializers.BooleanField()
    conflicts = serializers.ListField(child=serializers.CharField())


class AccessJson(serializers.Serializer[Any]):
    people = PersonAccessJson(many=True)
    seen = serializers.CharField(help_text="Send it with a sign-off: it is refused where rights changed meanwhile.")
    due_at = serializers.DateTimeField()


class SignOffJson(serializers.ModelSerializer[AccessReview]):
    by = serializers.CharField(source="by.name", allow_null=True, default=None)
    table = PersonAccessJson(many=True)

    class Meta:
        model = AccessReview
        fields = ["id", "at", "by", "note", "digest", "table"]
        read_only_fields = fields


class SignOffWanted(serializers.Serializer[Any]):
    note = serializers.CharField(max_length=4000)
    seen = serializers.CharField(max_length=64, allow_blank=True, default="")


class Access(RestView):
    """Everybody who can see or do anything in a project."""

    needs = {"GET": "compliance.see_access"}
    serializer_class = AccessJson

    def get(self, request: Request, slug: str) -> Response:
        project = find_project(self.actor, slug)
        table = as_table(access_of(self.actor, project))
        before = sign_offs(self.actor, project)
        due = due_at(project, before[0] if before else None)
        return Response(AccessJson({"people": table, "seen": digest_of_grants(table), "due_at": due}).data)


class SignOffs(ListAPIView[AccessReview], RestView):
    """Sign-offs of who may do what, newest first, each with its table."""

    needs = {"GET": "compliance.see_access", "POST": "compliance.review_access"}
    queryset = AccessReview.objects.none()
    cursor_order = ("-at",)
    serializer_class = SignOffJson

    def get_queryset(self) -> QuerySet[AccessReview]:
        return sign_offs_in(self.actor, find_project(self.actor, self.kwargs["slug"]))

    @extend_schema(request=SignOffWanted, responses={201: SignOffJson})
    def post(self, request: Request, slug: str) -> Response:
        """Sign it off, in person."""
        made = review_access(self.actor, find_project(self.actor, slug), **self.parsed(SignOffWanted))
        return Response(SignOffJson(made).data, status=201)
