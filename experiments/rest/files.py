"""Files of a run that came as uploads."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import RestView
from artifacts.models import ArtifactFile
from artifacts.paths import PATH_MAX
from artifacts.queries.uploads import finished_blobs
from experiments.actions.files import UPLOAD, expect_file, put_file
from experiments.queries.runs import get_run


class FileJson(serializers.ModelSerializer[ArtifactFile]):
    digest = serializers.CharField(source="blob_id", help_text="SHA-256 in hex.")

    class Meta:
        model = ArtifactFile
        fields = ["path", "digest", "size_bytes", "created_at"]
        read_only_fields = fields


class FileWanted(serializers.Serializer[Any]):
    upload = serializers.UUIDField(help_text="A finished upload to the run's project.")
    path = serializers.CharField(max_length=PATH_MAX, trim_whitespace=False, help_text="Below the run.")


class RunFiles(RestView):
    """The files of a run."""

    needs = {"POST": UPLOAD}
    serializer_class = FileJson

    @extend_schema(request=FileWanted, responses={201: FileJson})
    def post(self, request: Request, run: str) -> Response:
        """Put a finished upload at a path of the run, over what was there."""
        found, asked = get_run(self.actor, run), self.parsed(FileWanted)
        expect_file(self.actor, found, asked["path"])
        (stored,) = finished_blobs(self.actor, found.project, [asked["upload"]])
        return Response(FileJson(put_file(self.actor, found, path=asked["path"], stored=stored)).data, status=201)
