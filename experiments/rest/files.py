"""The files of a run: their list, each of them, a folder as a zip."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import RestView
from accounts.rest.given_out import Anything
from artifacts.models import ArtifactFile
from artifacts.paths import PATH_MAX
from artifacts.queries.folders import files_in, open_folder
from artifacts.queries.uploads import finished_blobs
from artifacts.quotas import count_outlives_refusal
from artifacts.serving import archive_response, file_response
from experiments.actions.files import UPLOAD, delete_files, expect_file, put_file
from experiments.queries.files import files_root, find_file, open_file
from experiments.queries.runs import get_run

_FOLDER = "Only what lies in this folder, at any depth."
_RANGE = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range, such as bytes=0-1023.")
_CONTENT = {
    (200, "application/octet-stream"): OpenApiTypes.BINARY,
    (206, "application/octet-stream"): OpenApiTypes.BINARY,
}


class FileJson(serializers.ModelSerializer[ArtifactFile]):
    digest = serializers.CharField(source="blob_id", help_text="SHA-256 in hex.")

    class Meta:
        model = ArtifactFile
        fields = ["path", "digest", "size_bytes", "created_at"]
        read_only_fields = fields


class RunFileWanted(serializers.Serializer[Any]):
    upload = serializers.UUIDField(help_text="A finished upload to the run's project.")
    path = serializers.CharField(max_length=PATH_MAX, trim_whitespace=False, help_text="Below the run.")


@extend_schema_view(get=extend_schema(parameters=[OpenApiParameter("folder", str, description=_FOLDER)]))
class RunFiles(ListAPIView[ArtifactFile], RestView):
    """The files of a run with size and digest, by path."""

    needs = {"GET": "experiments.download", "POST": UPLOAD}
    queryset = ArtifactFile.objects.none()
    serializer_class = FileJson
    cursor_order = ("path",)

    def get_queryset(self) -> QuerySet[ArtifactFile]:
        root = files_root(self.actor, get_run(self.actor, self.kwargs["run"]))
        return files_in(self.actor, root, self.request.query_params.get("folder", ""))

    @extend_schema(request=RunFileWanted, responses={201: FileJson})
    def post(self, request: Request, run: str) -> Response:
        """Put a finished upload at a path of the run, over what was there."""
        found, asked = get_run(self.actor, run), self.parsed(RunFileWanted)
        expect_file(self.actor, found, asked["path"])
        (stored,) = finished_blobs(self.actor, found.project, [asked["upload"]])
        with count_outlives_refusal(found.project_id):
            file = put_file(self.actor, found, path=asked["path"], stored=stored)
        return Response(FileJson(file).data, status=201)


class RunFile(RestView):
    """One file."""

    needs = {"GET": "experiments.download", "DELETE": UPLOAD}
    serializer_class = FileJson
    content_negotiation_class = Anything
    gives_file = True

    @extend_schema(parameters=[_RANGE], responses=_CONTENT)
    def get(self, request: Request, run: str, path: str) -> HttpResponseBase:
        """Its bytes, whole or one range of them."""
        return file_response(request._request, *open_file(self.actor, get_run(self.actor, run), path))

    def digest_of_file(self) -> str:
        return str(find_file(self.actor, get_run(self.actor, self.kwargs["run"]), self.kwargs["path"]).blob_id)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, run: str, path: str) -> Response:
        """Take it away, or a folder with all in it; the log keeps the digests."""
        delete_files(self.actor, get_run(self.actor, run), path=path)
        return Response(status=204)


class RunArchive(RestView):
    """A folder with all that lies in it as a zip; without `path`, everything."""

    needs = {"GET": "experiments.download"}
    serializer_class = FileJson
    content_negotiation_class = Anything

    @extend_schema(
        parameters=[OpenApiParameter("path", str, description="The folder.")],
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, run: str) -> HttpResponseBase:
        found = get_run(self.actor, run)
        folder = open_folder(self.actor, files_root(self.actor, found), request.query_params.get("path", ""))
        return archive_response(request._request, folder.zip_name(found.readable_id), folder.zipped())
