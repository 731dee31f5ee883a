"""The findings of a project, and one with all that was written to it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from audit.compliance.models import Finding, FindingNote
from audit.compliance.queries.reviews import findings_in, get_finding, threads_of
from audit.compliance.rest.reviews import FindingJson


class FindingNoteJson(serializers.ModelSerializer[FindingNote]):
    by = serializers.CharField(source="by.name", allow_null=True, default=None)

    class Meta:
        model = FindingNote
        fields = ["text", "at", "by"]
        read_only_fields = fields


class OneFindingJson(FindingJson):
    thread = FindingNoteJson(many=True, help_text="Answers and further questions, oldest first.")

    class Meta(FindingJson.Meta):
        fields = [*FindingJson.Meta.fields, "thread"]
        read_only_fields = fields


class FindingFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=Finding.State.choices, label="Several: any of them.")
    owner = filters.CharFilter(field_name="owner__email", lookup_expr="iexact", label="An e-mail address.")

    class Meta:
        model = Finding
        fields = ["state", "owner"]


class Findings(ListAPIView[Finding], RestView):
    """The findings of a project, newest first."""

    needs = {"GET": "experiments.see"}
    queryset = Finding.objects.none()
    cursor_order = ("-opened_at", "-id")
    serializer_class = FindingJson
    filterset_class = FindingFilter

    def get_queryset(self) -> QuerySet[Finding]:
        return findings_in(self.actor, find_project(self.actor, self.kwargs["slug"]))


class OneFinding(RestView):
    """One finding."""

    needs = {"GET": "experiments.see"}
    serializer_class = OneFindingJson

    @extend_schema(responses={200: OneFindingJson})
    def get(self, request: Request, finding: UUID) -> Response:
        """With all that was written to it."""
        found = get_finding(self.actor, finding)
        told: dict[str, Any] = dict(FindingJson(found).data)
        told["thread"] = FindingNoteJson(threads_of(self.actor, [found])[found.pk], many=True).data
        return Response(told)
