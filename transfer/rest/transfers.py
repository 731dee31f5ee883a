"""Exports and imports: asking for them, how far they are, stopping them, and the files of exports."""

import datetime as dt
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

from accounts.access import find_project, require
from accounts.models import Project
from accounts.rest.door import RestView
from artifacts.queries.uploads import finished_blobs
from experiments.queries.experiments import experiments_named
from kernel.errors import Invalid, NotFound
from transfer.actions.transfers import begin, cancel_transfer
from transfer.archive.reading import origin_in
from transfer.ending import kept_until
from transfer.giving import give_out
from transfer.models import Transfer, TransferFile
from transfer.queries.transfers import files_of, get_transfer, standing_of, transfers_of


class TransferFileJson(serializers.ModelSerializer[TransferFile]):
    sha256 = serializers.CharField(source="blob_id")

    class Meta:
        model = TransferFile
        fields = ["name", "media_type", "size_bytes", "sha256", "made_at"]
        read_only_fields = fields


class TransferJson(serializers.ModelSerializer[Transfer]):
    project = serializers.CharField(source="project.slug")
    requested_by = serializers.CharField(source="requested_by.name", allow_null=True, default=None)
    options = serializers.JSONField(help_text="What was asked.")
    counts = serializers.JSONField(help_text="By kind, how many; of imports: held, new, there, refused.")
    kept_until = serializers.SerializerMethodField(help_text="When its files go; null where they stay.")
    problems = serializers.ListField(child=serializers.DictField(), help_text="What could not be moved, and why.")

    class Meta:
        model = Transfer
        fields = [
            "id", "project", "kind", "source", "options", "state", "requested_by", "requested_at", "finished_at",
            "kept_until", "removed_at", "removed_why", "stage", "done", "total", "counts", "problems", "digest",
            "failure",
        ]  # fmt: skip
        read_only_fields = fields

    def get_kept_until(self, transfer: Transfer) -> dt.datetime | None:
        return None if transfer.removed_at is not None else kept_until(transfer)


class OneTransferJson(TransferJson):
    words = serializers.CharField(help_text="How far it is, in a sentence.")
    waits_for = serializers.CharField(help_text="worker where none is running; empty for nothing.")
    files = TransferFileJson(many=True)

    class Meta(TransferJson.Meta):
        fields = [*TransferJson.Meta.fields, "words", "waits_for", "files"]
        read_only_fields = fields


class ExportWanted(serializers.Serializer[Any]):
    with_files = serializers.BooleanField(default=True, help_text="With the content of files.")
    with_log = serializers.BooleanField(default=False, help_text="With the sealed log of the project.")
    experiments = serializers.ListField(
        child=serializers.IntegerField(),
        allow_null=True,
        default=None,
        max_length=1000,
        help_text="By their ids; null for all.",
    )


class ArchiveWanted(serializers.Serializer[Any]):
    upload = serializers.CharField(max_length=60, help_text="A finished upload to this project: the archive.")
    name = serializers.CharField(max_length=200, default="archive.zip", help_text="Of the file, for people.")
    dry_run = serializers.BooleanField(default=False, help_text="Only check it, and say what would be done.")


class Transfers(ListAPIView[Transfer], RestView):
    """Exports and imports of a project, the newest first."""

    needs = {"GET": "transfer.see"}
    serializer_class = TransferJson
    queryset = Transfer.objects.none()

    def get_queryset(self) -> QuerySet[Transfer]:
        project = find_project(self.actor, self.kwargs["slug"])
        require(self.actor, "transfer.see", project)
        return transfers_of(self.actor, project)


class Exports(RestView):
    """Exports of a project."""

    needs = {"POST": "transfer.export"}
    serializer_class = TransferJson

    @extend_schema(request=ExportWanted, responses={201: TransferJson})
    def post(self, request: Request, slug: str) -> Response:
        """Ask for an archive; it is made in the background."""
        project = find_project(self.actor, slug)
        asked = self.parsed(ExportWanted)
        if asked["experiments"] is not None:
            asked["experiments"] = self._numbers(project, [str(one) for one in asked["experiments"]])
        made = begin(self.actor, project, kind=Transfer.Kind.EXPORT, options=asked)
        return Response(TransferJson(made).data, status=201)

    def _numbers(self, project: Project, ids: list[str]) -> list[int]:
        """Experiments by their ids as the API tells them, 0 for Default. Raises Invalid where one is not there."""
        found = experiments_named(self.actor, project, ids) or []
        if len(found) < len(set(ids)) or not ids:
            raise Invalid(
                "Not all of these experiments are there.", hint="Leave them out for all.", field="experiments"
            )
        return found


class ArchiveImports(RestView):
    """Imports of archives into a project."""

    needs = {"POST": "transfer.bring_in"}
    serializer_class = TransferJson

    @extend_schema(request=ArchiveWanted, responses={201: TransferJson})
    def post(self, request: Request, slug: str) -> Response:
        """Bring in an archive that was uploaded to this project; it is checked whole before anything is written."""
        project, asked = find_project(self.actor, slug), self.parsed(ArchiveWanted)
        require(self.actor, "transfer.bring_in", project)
        (stored,) = finished_blobs(self.actor, project, [asked["upload"]])
        options = {"dry_run": True} if asked["dry_run"] else {}
        kind, origin = Transfer.Kind.ARCHIVE, origin_in(stored)
        made = begin(self.actor, project, kind=kind, source=asked["name"], origin=origin, options=options, blob=stored)
        return Response(TransferJson(made).data, status=201)


class OneTransfer(RestView):
    """An export or import, how far it is, and its files."""

    needs = {"GET": "transfer.see"}
    serializer_class = OneTransferJson

    def get(self, request: Request, transfer: UUID) -> Response:
        """As it is now."""
        found = get_transfer(self.actor, transfer)
        standing = standing_of(self.actor, found)
        files = TransferFileJson(files_of(self.actor, found), many=True).data
        told = {**TransferJson(found).data, "words": standing.words, "waits_for": standing.waits_for, "files": files}
        return Response(told)


class Cancellation(RestView):
    """Stopping what is not over."""

    needs = {"POST": "transfer.stop"}
    serializer_class = TransferJson

    @extend_schema(request=None, responses={200: TransferJson})
    def post(self, request: Request, transfer: UUID) -> Response:
        """Stop it; what is done stays."""
        return Response(TransferJson(cancel_transfer(self.actor, get_transfer(self.actor, transfer))).data)


class TransferContent(RestView):
    """The bytes of a file of an export; that somebody took them out is on record."""

    needs = {"GET": "transfer.export"}
    serializer_class = TransferFileJson

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, transfer: UUID, transfer_file: str) -> HttpResponseBase:
        """As an attachment, whole or a range."""
        if len(transfer_file) > 200:
            raise NotFound("There is no such file.")
        return give_out(request._request, self.actor, get_transfer(self.actor, transfer), transfer_file)
