"""Versions of a dataset: what they hold, what people wrote about them, and their recall."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.given_out import Anything
from artifacts.actions.recall import REASON_MAX, reinstate_version, withdraw_version
from artifacts.actions.records import write_record
from artifacts.actions.versions import DIGEST_MAX, SOURCE_TYPE_MAX, add_external_version, add_version
from artifacts.locations import LOCATION_MAX
from artifacts.models import ArtifactFile, Dataset, DatasetVersion
from artifacts.paths import PATH_MAX
from artifacts.queries.files import open_file
from artifacts.queries.uploads import finished_blobs
from artifacts.queries.uses import uses_of
from artifacts.queries.versions import version_files, versions_of
from artifacts.records import FIELDS, TEXT_MAX, completeness
from artifacts.rest.datasets import OfDataset
from artifacts.serving import file_response
from artifacts.tables import Table, row_count_of, table_of
from artifacts.versions import is_withdrawn, record_of
from kernel.errors import Conflict, Invalid


def _texts(**options: Any) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return {
        field.name: serializers.CharField(max_length=field.limit, help_text=field.asks, **options)
        for field in FIELDS.values()
    }


class VersionJson(serializers.ModelSerializer[DatasetVersion]):
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)
    is_recalled = serializers.SerializerMethodField()
    recall_reason = serializers.SerializerMethodField(help_text="Of the last recall or reinstatement.")
    aliases = serializers.SerializerMethodField()
    record = serializers.SerializerMethodField(help_text="What people wrote about it, by field.")
    gaps = serializers.SerializerMethodField(help_text="Labels of the fields that nobody filled.")
    row_count = serializers.SerializerMethodField(help_text="Null where it is not known.")

    class Meta:
        model = DatasetVersion
        fields = [
            "number", "digest", "file_count", "size_bytes", "row_count", "source_type", "source", "schema",
            "created_at", "created_by", "is_recalled", "recall_reason", "aliases", "record", "gaps",
        ]  # fmt: skip
        read_only_fields = fields

    def get_is_recalled(self, version: DatasetVersion) -> bool:
        return is_withdrawn(version)

    def get_recall_reason(self, version: DatasetVersion) -> str:
        record = record_of(version)
        return record.state_reason if record else ""

    def get_aliases(self, version: DatasetVersion) -> list[str]:
        return [alias.name for alias in version.aliases.all()]

    def get_record(self, version: DatasetVersion) -> dict[str, str]:
        return {name: getattr(record_of(version), name, "") for name in FIELDS}

    def get_gaps(self, version: DatasetVersion) -> list[str]:
        return list(completeness(record_of(version)).gaps)

    def get_row_count(self, version: DatasetVersion) -> int | None:
        return row_count_of(version)


class FileWanted(serializers.Serializer[Any]):
    path = serializers.CharField(max_length=PATH_MAX, trim_whitespace=False)
    upload = serializers.UUIDField(help_text="A finished upload of one's own.")


class VersionWanted(serializers.Serializer[Any]):
    """Either files, or digest and source of data outside MLED."""

    files = FileWanted(many=True, required=False)
    digest = serializers.CharField(max_length=DIGEST_MAX, required=False)
    source = serializers.CharField(max_length=LOCATION_MAX, required=False)  # type: ignore[assignment]  # its own field
    source_type = serializers.CharField(max_length=SOURCE_TYPE_MAX, allow_blank=True, default="")
    note = serializers.CharField(max_length=TEXT_MAX, allow_blank=True, default="")
    record = serializers.DictField(child=serializers.CharField(allow_blank=True), default=dict)


class RecordWanted(serializers.Serializer[Any]):
    """'' takes back what was said; what is left out stays."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _texts(required=False, allow_blank=True)


class Reason(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=REASON_MAX)


class DataFileJson(serializers.ModelSerializer[ArtifactFile]):
    digest = serializers.CharField(source="blob_id", help_text="SHA-256 in hex.")

    class Meta:
        model = ArtifactFile
        fields = ["path", "size_bytes", "digest"]
        read_only_fields = fields


class HistogramJson(serializers.Serializer[Any]):
    start = serializers.FloatField()
    width = serializers.FloatField(help_text="Of each bar; 0 where all values are the same.")
    counts = serializers.ListField(child=serializers.IntegerField())


class ColumnJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.CharField(help_text="integer, number, text, boolean, time, date, nested, mixed or empty.")
    stored = serializers.CharField(help_text="The type in the file's own words.")
    table = serializers.CharField(help_text="Which of several tables; '' where there is one.")
    missing = serializers.IntegerField(allow_null=True)
    distinct = serializers.IntegerField(allow_null=True)
    distinct_is_estimate = serializers.BooleanField()
    min = serializers.JSONField(allow_null=True, help_text="A number, or a time as text.")
    max = serializers.JSONField(allow_null=True)
    mean = serializers.FloatField(allow_null=True)
    std = serializers.FloatField(allow_null=True)
    histogram = HistogramJson(allow_null=True)
    top = serializers.SerializerMethodField(help_text="The most frequent values, each with its count.")
    top_is_estimate = serializers.BooleanField()

    @extend_schema_field({"type": "array", "items": {"type": "array", "items": {}}})
    def get_top(self, column: Any) -> list[list[Any]]:
        return [list(pair) for pair in column.top]


class ProfileJson(serializers.Serializer[Table]):
    state = serializers.CharField(help_text="waiting, running, done, failed, none, said (by a client), or ''.")
    row_count = serializers.IntegerField(allow_null=True)
    columns = ColumnJson(many=True)
    notes = serializers.ListField(child=serializers.CharField())
    error = serializers.CharField()


class UseJson(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]  # the field is named as people read it
    url = serializers.CharField()
    context = serializers.CharField()  # type: ignore[assignment]  # as MLflow calls the role
    who = serializers.CharField()
    at = serializers.DateTimeField()
    words = serializers.CharField()


class UsesJson(serializers.Serializer[Any]):
    kind = serializers.CharField()
    title = serializers.CharField()
    total = serializers.IntegerField()
    newest = UseJson(many=True)


class OfVersion(OfDataset):
    """A view of one version."""

    def version(self) -> DatasetVersion:
        """The version in the address, if the viewer may see it."""
        return self.numbered(self.kwargs["number"])

    def shown(self, number: int, status: int = 200) -> Response:
        """The version as it is now."""
        return Response(VersionJson(self.numbered(number)).data, status=status)


class Versions(ListAPIView[DatasetVersion], OfVersion):
    """The versions of a dataset, newest first."""

    needs = {"GET": "experiments.see", "POST": "datasets.register"}
    queryset = DatasetVersion.objects.none()
    cursor_order = ("-number",)
    serializer_class = VersionJson

    def get_queryset(self) -> QuerySet[DatasetVersion]:
        return versions_of(self.actor, self.dataset())

    @extend_schema(request=VersionWanted, responses={201: VersionJson})
    def post(self, request: Request, slug: str, dataset: UUID) -> Response:
        """Make the next version: out of finished uploads, or as a reference to data outside MLED."""
        asked = self.parsed(VersionWanted)
        found = self.dataset()
        made = self._of_files(found, asked) if asked.get("files") else self._external(found, asked)
        return self.shown(made.number, status=201)

    def _of_files(self, dataset: Dataset, asked: dict[str, Any]) -> DatasetVersion:
        if "digest" in asked or "source" in asked:
            raise Invalid("A version has files, or digest and source, not both.", field="files")
        stored = finished_blobs(self.actor, dataset.project, [one["upload"] for one in asked["files"]])
        files = list(zip((one["path"] for one in asked["files"]), stored, strict=True))
        return add_version(self.actor, dataset, files=files, note=asked["note"], record=asked["record"])

    def _external(self, dataset: Dataset, asked: dict[str, Any]) -> DatasetVersion:
        missing = next((name for name in ("digest", "source") if name not in asked), None)
        if missing:
            raise Invalid("A version needs files, or digest and source.", field="files" if not asked else missing)
        names = ("digest", "source", "source_type", "note", "record")
        return add_external_version(self.actor, dataset, **{name: asked[name] for name in names})


class OneVersion(OfVersion):
    """One version of a dataset."""

    needs = {"GET": "experiments.see"}
    serializer_class = VersionJson

    def get(self, request: Request, slug: str, dataset: UUID, number: int) -> Response:
        return self.shown(number)


class VersionRecordView(OfVersion):
    """What people wrote about a version."""

    needs = {"PATCH": "datasets.register"}
    serializer_class = VersionJson

    @extend_schema(request=RecordWanted, responses={200: VersionJson})
    def patch(self, request: Request, slug: str, dataset: UUID, number: int) -> Response:
        """Say something about it."""
        version = self.version()
        unknown = sorted(set(request.data) - set(FIELDS)) if isinstance(request.data, dict) else []
        if unknown:
            raise Invalid(f"A record has no field '{unknown[0][:60]}'.", hint=f"It has {', '.join(FIELDS)}.")
        write_record(self.actor, version, fields=self.parsed(RecordWanted))
        return self.shown(number)


class WithdrawVersion(OfVersion):
    """Recall: nothing new may be built on it, and whoever built on it is told."""

    needs = {"POST": "datasets.recall"}
    serializer_class = VersionJson

    @extend_schema(request=Reason, responses={200: VersionJson})
    def post(self, request: Request, slug: str, dataset: UUID, number: int) -> Response:
        """Recall it, with a reason."""
        withdraw_version(self.actor, self.version(), **self.parsed(Reason))
        return self.shown(number)


class ReinstateVersion(OfVersion):
    """The way back from a recall."""

    needs = {"POST": "datasets.recall"}
    serializer_class = VersionJson

    @extend_schema(request=Reason, responses={200: VersionJson})
    def post(self, request: Request, slug: str, dataset: UUID, number: int) -> Response:
        """Take the recall back, with a reason."""
        reinstate_version(self.actor, self.version(), **self.parsed(Reason))
        return self.shown(number)


class VersionProfileView(OfVersion):
    """What MLED read in it: rows, columns, distributions."""

    needs = {"GET": "experiments.see"}
    serializer_class = ProfileJson

    def get(self, request: Request, slug: str, dataset: UUID, number: int) -> Response:
        return Response(ProfileJson(table_of(self.version())).data)


class VersionUses(OfVersion):
    """What was built on it: the newest of each kind, and how many there are."""

    needs = {"GET": "experiments.see"}
    serializer_class = UsesJson
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses={200: UsesJson(many=True)})
    def get(self, request: Request, slug: str, dataset: UUID, number: int) -> Response:
        return Response(UsesJson(uses_of(self.actor, self.version()), many=True).data)


class VersionFiles(ListAPIView[ArtifactFile], OfVersion):
    """Its files with size and digest, by path."""

    needs = {"GET": "experiments.download"}
    queryset = ArtifactFile.objects.none()
    cursor_order = ("path",)
    serializer_class = DataFileJson

    def get_queryset(self) -> QuerySet[ArtifactFile]:
        return version_files(self.actor, self.version())


class VersionFile(OfVersion):
    """One of its files."""

    needs = {"GET": "experiments.download"}
    content_negotiation_class = Anything
    serializer_class = None

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, slug: str, dataset: UUID, number: int, path: str) -> HttpResponseBase:
        """Its bytes, whole or one range of them."""
        version = self.version()
        if version.root is None:
            raise Conflict("This version lies outside MLED; only its address and digest are kept.")
        file, reader = open_file(self.actor, version.root_id, path)
        return file_response(request._request, file, reader)
