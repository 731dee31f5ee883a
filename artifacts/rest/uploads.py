"""Uploads piece by piece: begin, send, look how far it is, finish."""

from typing import Any, Final
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from artifacts.actions.uploads import UPLOAD, WrongOffset, append_upload, begin_upload, drop_upload, finish_upload
from artifacts.incoming import Body, drain
from artifacts.models import Upload
from artifacts.queries.uploads import get_upload
from kernel.errors import Invalid

OFFSET: Final = "Upload-Offset"


class UploadJson(serializers.ModelSerializer[Upload]):
    part_bytes = serializers.IntegerField(help_text="Pieces of this size are kept; send whole ones.")

    class Meta:
        model = Upload
        fields = ["id", "purpose", "state", "size_bytes", "received_bytes", "part_bytes", "digest", "created_at"]
        read_only_fields = fields


class UploadWanted(serializers.Serializer[Any]):
    size_bytes = serializers.IntegerField(min_value=0, max_value=2**63 - 1)
    digest = serializers.CharField(allow_blank=True, default="", max_length=64, help_text="SHA-256 in hex, if known.")
    purpose = serializers.CharField(allow_blank=True, default="", max_length=1100, help_text="Where it shall go.")


class BlobJson(serializers.Serializer[Any]):
    digest = serializers.CharField(help_text="SHA-256 in hex.")
    size_bytes = serializers.IntegerField()


class Uploads(RestView):
    """Where an upload to a project begins."""

    needs = {"POST": UPLOAD}
    serializer_class = UploadJson

    @extend_schema(request=UploadWanted, responses={201: UploadJson})
    def post(self, request: Request, slug: str) -> Response:
        """Announce a file; the answer says where to send it and in pieces of which size."""
        asked = self.parsed(UploadWanted)
        upload = begin_upload(self.actor, find_project(self.actor, slug), **asked)
        return Response(UploadJson(upload).data, status=201)


class OneUpload(RestView):
    """An upload of one's own."""

    needs = {"GET": UPLOAD, "PATCH": UPLOAD, "DELETE": UPLOAD}
    serializer_class = UploadJson

    @extend_schema(responses=UploadJson)
    def get(self, request: Request, upload: UUID) -> Response:
        """How far it is."""
        return Response(UploadJson(get_upload(self.actor, upload)).data)

    @extend_schema(
        parameters=[OpenApiParameter(OFFSET, int, OpenApiParameter.HEADER, required=True)],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses=UploadJson,
    )
    def patch(self, request: Request, upload: UUID) -> Response:
        """The bytes from `Upload-Offset` on. At another place than the upload, the answer is 409 with the right one."""
        found = get_upload(self.actor, upload)
        sent = append_upload(self.actor, found, offset=_offset(request), incoming=Body(request._request))
        return Response(UploadJson(sent).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, upload: UUID) -> Response:
        """Give it up."""
        drop_upload(self.actor, get_upload(self.actor, upload))
        return Response(status=204)

    def handle_exception(self, exc: Exception) -> Response:
        """A sender learns where to go on, once all it sent is read: it would not see an answer before."""
        if self.request.method == "PATCH":
            drain(self.request._request)
        answer = super().handle_exception(exc)
        if isinstance(exc, WrongOffset):
            answer.data["received_bytes"] = exc.received_bytes
            answer[OFFSET] = str(exc.received_bytes)
        return answer


class FinishUpload(RestView):
    """The end of an upload."""

    needs = {"POST": UPLOAD}
    happens_anew = "Finishing twice changes nothing, and all the bytes are read: no lock is held for that."
    serializer_class = BlobJson

    @extend_schema(request=None, responses=BlobJson)
    def post(self, request: Request, upload: UUID) -> Response:
        """All bytes were sent: they become a blob, whose digest is checked against the one announced."""
        finished = finish_upload(self.actor, get_upload(self.actor, upload))
        return Response(BlobJson({"digest": finished.digest, "size_bytes": finished.size_bytes}).data)


def _offset(request: Request) -> int:
    said = request.headers.get(OFFSET, "")
    if not (said.isascii() and said.isdigit() and len(said) < 19):
        raise Invalid("Say from which byte on this goes.", hint=f"Send {OFFSET}: 0 at the beginning.", field=OFFSET)
    return int(said)
