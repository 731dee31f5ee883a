"""A project's log taken out, as lines or as a sealed bundle, and checked on the spot."""

from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from accounts.rest.given_out import Anything
from audit.compliance.queries.bundles import sealed_log
from audit.compliance.queries.log import check_events, log_page
from audit.compliance.queries.log_question import asked_of
from audit.compliance.reports.bundle import MEDIA_TYPE
from audit.compliance.rest.log import FILTER, PAGED, before_of, filter_of, limit_of
from audit.compliance.taking_out import lines_of_log, name_of, seal_log, sealed_file
from kernel.errors import Refused

LINES = "application/x-ndjson"


class CheckedLogJson(serializers.Serializer[Any]):
    checked = serializers.IntegerField(help_text="Events whose leaves were computed anew and proven.")
    waiting = serializers.IntegerField(help_text="Events that the newest head does not cover yet.")
    wrong = serializers.CharField(help_text="What does not fit; empty: nothing.")
    next = serializers.CharField(allow_null=True, help_text="Give it as `before` to go on; null: there is no more.")


class LogFilterWanted(serializers.Serializer[Any]):
    """What the bundle holds; everything left out: the whole log of the project."""

    filter = serializers.DictField(  # type: ignore[assignment]  # named as people say it
        child=serializers.CharField(allow_blank=True, max_length=1000),
        default=dict,
        help_text="The fields of the log's filter: actor, role, door, action, kind, object, outcome, from, to, q.",
    )


class SealedJson(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="event", help_text="Of the event that sealed it.")
    size = serializers.IntegerField(help_text="How long the log was.")
    events = serializers.IntegerField(help_text="How many of its events are in the bundle.")
    manifest = serializers.CharField(help_text="SHA-256 of its report.json, which the event names.")
    is_covered = serializers.BooleanField(help_text="Whether a signed head covers it, so that it can be downloaded.")


class LogLines(RestView):
    """The log as JSON Lines."""

    needs = {"GET": "compliance.report"}
    content_negotiation_class = Anything
    serializer_class = None

    @extend_schema(parameters=FILTER, responses={(200, LINES): OpenApiTypes.BINARY})
    def get(self, request: Request, slug: str) -> StreamingHttpResponse:
        """In the order of the log, up to its newest head, each line with its leaf; that one took it out is recorded."""
        found = lines_of_log(self.actor, find_project(self.actor, slug), filter_of(request))
        response = StreamingHttpResponse(found.lines, content_type=LINES)
        response["Content-Disposition"] = f'attachment; filename="{found.name}"'
        response["Cache-Control"] = "private, no-store"
        return response


class CheckLog(RestView):
    """Verifying a stretch of the log."""

    needs = {"GET": "projects.read_log"}
    serializer_class = CheckedLogJson

    @extend_schema(parameters=[*FILTER, *PAGED], responses={200: CheckedLogJson})
    def get(self, request: Request, slug: str) -> Response:
        """Compute the leaves of a page of events anew and prove them under the newest signed head."""
        project = find_project(self.actor, slug)
        asked = asked_of(self.actor, project, filter_of(request))
        found = log_page(self.actor, project, asked.question, before=before_of(request), limit=limit_of(request))
        checked = check_events(self.actor, project, [one.past for one in found.events])
        if checked is None:
            raise Refused("You may not verify the log.")
        told = {name: getattr(checked, name) for name in ("checked", "waiting", "wrong")}
        return Response(CheckedLogJson({**told, "next": found.next_id.hex if found.next_id else None}).data)


class Bundles(RestView):
    """Sealed bundles of the log."""

    needs = {"POST": "compliance.report"}
    happens_anew = "The whole log is read, without a lock; sealing again is one more event of the same content."
    serializer_class = SealedJson

    @extend_schema(request=LogFilterWanted, responses={201: SealedJson})
    def post(self, request: Request, slug: str) -> Response:
        """Seal what the filter finds. It can be downloaded once the log covers the sealing, within seconds."""
        project = find_project(self.actor, slug)
        seal = seal_log(self.actor, project, self.parsed(LogFilterWanted)["filter"])
        return Response(SealedJson(sealed_log(self.actor, project, seal)).data, status=201)


class OneBundle(RestView):
    """One bundle of the log."""

    needs = {"GET": "compliance.report"}
    serializer_class = SealedJson

    @extend_schema(responses={200: SealedJson})
    def get(self, request: Request, slug: str, seal: UUID) -> Response:
        """What is in it, and whether the log covers it yet."""
        return Response(SealedJson(sealed_log(self.actor, find_project(self.actor, slug), seal)).data)


class BundleFile(RestView):
    """The file of a bundle."""

    needs = {"GET": "compliance.report"}
    content_negotiation_class = Anything
    serializer_class = None

    @extend_schema(responses={(200, MEDIA_TYPE): OpenApiTypes.BINARY})
    def get(self, request: Request, slug: str, seal: UUID) -> HttpResponseBase:
        """For the offline verifier. Refused with 409 until the log covers the sealing."""
        project = find_project(self.actor, slug)
        sealed = sealed_log(self.actor, project, seal)
        out = sealed_file(self.actor, project, sealed)
        response = FileResponse(out, as_attachment=True, filename=name_of(project, sealed), content_type=MEDIA_TYPE)
        response["Cache-Control"] = "private, no-store"
        return response
