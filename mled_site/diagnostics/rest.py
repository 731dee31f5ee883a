"""The diagnosis over REST, which `mled doctor` shows."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import RestView
from mled_site.diagnostics.pages import asked_by
from mled_site.diagnostics.queries import DIAGNOSE, diagnosis
from mled_site.diagnostics.results import Level


class WrongJson(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="The same wherever it is told; docs/errors.md lists them.")
    level = serializers.ChoiceField([one.value for one in Level])
    what = serializers.CharField()
    next = serializers.CharField(help_text="What to do.")


class FigureJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    value = serializers.CharField()


class ExaminedJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    level = serializers.ChoiceField([one.value for one in Level])
    took_ms = serializers.IntegerField()
    problems = WrongJson(many=True)
    figures = FigureJson(many=True)


class DiagnosisJson(serializers.Serializer[Any]):
    level = serializers.ChoiceField([one.value for one in Level], help_text="That of the worst check.")
    version = serializers.CharField()
    at = serializers.DateTimeField()
    took_ms = serializers.IntegerField()
    checks = ExaminedJson(many=True)


class Diagnosis(RestView):
    """How the installation is: for administrators."""

    needs = {"GET": DIAGNOSE}
    serializer_class = DiagnosisJson

    @extend_schema(
        parameters=[
            OpenApiParameter("check", str, many=True, description="Only these, by name."),
            OpenApiParameter("thorough", bool, description="Also what takes long, such as reading the database file."),
        ],
        responses=DiagnosisJson,
    )
    def get(self, request: Request) -> Response:
        """Examine every part now; takes as long as the slowest, at most about twenty seconds."""
        report = diagnosis(self.actor, request.query_params.getlist("check"), asked_by(request._request))
        return Response(report.as_json())
