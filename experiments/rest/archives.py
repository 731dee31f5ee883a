"""Where the points of an ended run lie, and that file itself."""

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.given_out import Anything
from artifacts.serving import stored_response
from artifacts.storage import StoredBlob
from experiments.actions.exports import note_points_taken
from experiments.models import MetricArchive
from experiments.queries.archives import get_archive
from experiments.rest.on_run import OnRun

_RANGE = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range, such as bytes=0-1023.")
_CONTENT = {
    (200, "application/octet-stream"): OpenApiTypes.BINARY,
    (206, "application/octet-stream"): OpenApiTypes.BINARY,
}


class MetricArchiveJson(serializers.ModelSerializer[MetricArchive]):
    digest = serializers.CharField(source="blob_id", help_text="SHA-256 of the file, in hex.")

    class Meta:
        model = MetricArchive
        fields = ["made_at", "digest", "size_bytes", "points", "series", "layout"]
        read_only_fields = fields


class RunMetricArchive(OnRun):
    """The archive of a run's metrics: one Parquet file with the points it had when it was made."""

    needs = {"GET": "experiments.download"}
    serializer_class = MetricArchiveJson

    def get(self, request: Request, run: str) -> Response:
        """When it was made, its size and digest. 404 where the points lie in the database."""
        return Response(MetricArchiveJson(get_archive(self.actor, self.run())).data)


class RunMetricArchiveFile(OnRun):
    """The file itself: run, key, context, step, timestamp (ms UTC), value."""

    needs = {"GET": "experiments.download"}
    serializer_class = MetricArchiveJson
    content_negotiation_class = Anything
    gives_file = True

    @extend_schema(parameters=[_RANGE], responses=_CONTENT)
    def get(self, request: Request, run: str) -> HttpResponseBase:
        """Its bytes, whole or one range of them; that is on record, as every export is."""
        found = self.run()
        archive = get_archive(self.actor, found)
        note_points_taken(self.actor, found)
        return stored_response(
            request._request, f"{found.readable_id}-metrics.parquet", StoredBlob(archive.blob_id, archive.size_bytes)
        )
