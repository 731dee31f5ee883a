"""Reports: asking for them, how far they are, stopping them, and their files."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from accounts.rest.given_out import Anything
from audit.compliance.actions.reports import cancel_report, request_again, request_report
from audit.compliance.giving import give_out
from audit.compliance.models import Report, ReportFile
from audit.compliance.queries.reports import (
    files_of_report,
    get_report,
    progress_of,
    reports_of,
)
from audit.compliance.reports.asked import FORMATS
from kernel.errors import Invalid


class ReportJson(serializers.ModelSerializer[Report]):
    project = serializers.CharField(source="project.slug")
    requested_by = serializers.CharField(source="requested_by.name", allow_null=True, default=None)
    question = serializers.JSONField(help_text="What it was asked about, and in which formats.")

    class Meta:
        model = Report
        fields = [
            "id", "project", "kind", "title", "reason", "scope", "subject", "question", "state", "requested_by",
            "requested_at", "as_of", "head_at", "log_size", "log_root", "profile", "profile_digest", "records", "done",
            "digest", "software", "finished_at", "failure",
        ]  # fmt: skip
        read_only_fields = fields


class ReportFileJson(serializers.ModelSerializer[ReportFile]):
    sha256 = serializers.CharField(source="blob_id")

    class Meta:
        model = ReportFile
        fields = ["name", "format", "media_type", "part", "size_bytes", "sha256", "made_at"]
        read_only_fields = fields


class ProgressJson(serializers.Serializer[Any]):
    state = serializers.CharField()
    words = serializers.CharField()
    done = serializers.IntegerField()
    of = serializers.IntegerField(allow_null=True, help_text="Null before it is known.")
    percent = serializers.IntegerField()
    since = serializers.DateTimeField()
    waits_for = serializers.CharField(help_text="worker, log, checkpoint; empty for nothing.")
    is_worker_alive = serializers.BooleanField()
    may_stop = serializers.BooleanField()
    may_download = serializers.BooleanField()


class OneReportJson(ReportJson):
    progress = ProgressJson()
    files = ReportFileJson(many=True)

    class Meta(ReportJson.Meta):
        fields = [*ReportJson.Meta.fields, "progress", "files"]
        read_only_fields = fields


class QuestionWanted(serializers.Serializer[Any]):
    query = serializers.CharField(max_length=10_000, allow_blank=True, required=False)
    experiments = serializers.ListField(child=serializers.IntegerField(), required=False)
    lifecycle = serializers.CharField(max_length=10, required=False, help_text="active, deleted or all.")


class ReportWanted(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Report.Kind.choices)
    scope = serializers.ChoiceField(choices=Report.Scope.choices)
    title = serializers.CharField(max_length=200, allow_blank=True, default="")
    reason = serializers.CharField(max_length=4000, allow_blank=True, default="")
    subject = serializers.CharField(
        max_length=300, allow_blank=True, default="", help_text="The run, or the model version as 'name/3'."
    )
    question = QuestionWanted(required=False, help_text="Which runs.")
    log = serializers.DictField(
        child=serializers.CharField(allow_blank=True), required=False, help_text="For a trail: the filter of the log."
    )
    as_of = serializers.DateTimeField(allow_null=True, default=None)
    formats = serializers.ListField(child=serializers.ChoiceField(choices=list(FORMATS)), required=False)


class Reports(ListAPIView[Report], RestView):
    """Reports of a project, the newest request first."""

    needs = {"GET": "compliance.report", "POST": "compliance.report"}
    serializer_class = ReportJson
    queryset = Report.objects.none()

    def get_queryset(self) -> QuerySet[Report]:
        return reports_of(self.actor, find_project(self.actor, self.kwargs["slug"]))

    @extend_schema(request=ReportWanted, responses={201: ReportJson})
    def post(self, request: Request, slug: str) -> Response:
        """Ask for a report; it is built in the background."""
        project, asked = find_project(self.actor, slug), self.parsed(ReportWanted)
        if (field := _wrong_question(asked)) is not None:
            raise Invalid(f"'{field}' is not asked of this kind of report in this scope.", field=field)
        asked["question"] = asked.pop("log", None) or asked.get("question")
        made = request_report(self.actor, project, **asked)
        return Response(ReportJson(made).data, status=201)


def _wrong_question(asked: Mapping[str, Any]) -> str | None:
    """Which of the two filters would be passed over: runs are asked by 'question', the log of a project by 'log'."""
    of_log = asked["kind"] == Report.Kind.TRAIL and asked["scope"] == Report.Scope.PROJECT
    field = "question" if of_log else "log"
    return field if asked.get(field) else None


class OneReport(RestView):
    """A report, how far it is, and its files."""

    needs = {"GET": "compliance.report"}
    serializer_class = OneReportJson

    def get(self, request: Request, report: UUID) -> Response:
        """As it is now."""
        found = get_report(self.actor, report)
        told = dict(ReportJson(found).data)
        told["progress"] = ProgressJson(progress_of(self.actor, found)).data
        told["files"] = ReportFileJson(files_of_report(self.actor, found), many=True).data
        return Response(told)


class Cancellation(RestView):
    """Stopping a report that is not finished."""

    needs = {"POST": "compliance.report"}
    serializer_class = ReportJson

    @extend_schema(request=None, responses={200: ReportJson})
    def post(self, request: Request, report: UUID) -> Response:
        """Stop it."""
        return Response(ReportJson(cancel_report(self.actor, get_report(self.actor, report))).data)


class Again(RestView):
    """The same report once more."""

    needs = {"POST": "compliance.report"}
    serializer_class = ReportJson

    @extend_schema(request=None, responses={201: ReportJson})
    def post(self, request: Request, report: UUID) -> Response:
        """Build it again for the same moment: its digest is the same where nobody changed what it speaks of."""
        return Response(ReportJson(request_again(self.actor, get_report(self.actor, report))).data, status=201)


class ReportContent(RestView):
    """The bytes of a file of a report; that somebody took them out is on record."""

    needs = {"GET": "compliance.report"}
    content_negotiation_class = Anything
    serializer_class = ReportFileJson

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, report: UUID, report_file: str) -> HttpResponseBase:
        """As an attachment, whole or a range. Refused with 409 until the log covers the report."""
        return give_out(request._request, self.actor, get_report(self.actor, report), report_file)
