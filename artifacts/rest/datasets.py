"""Datasets of a project, their aliases, and what differs between two versions."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.models import Project
from accounts.rest.door import RestView
from artifacts.actions.aliases import remove_dataset_alias, set_dataset_alias
from artifacts.actions.datasets import NAME_MAX, TEXT_MAX, create_dataset, edit_dataset
from artifacts.differences import ColumnDiff, FileChange
from artifacts.models import Dataset, DatasetAlias, DatasetVersion
from artifacts.queries.datasets import Diff, aliases_of, diff_of, find_dataset, get_version, visible_datasets
from kernel.errors import Invalid


class DatasetJson(serializers.ModelSerializer[Dataset]):
    project = serializers.CharField(source="project.slug")
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)

    class Meta:
        model = Dataset
        fields = ["id", "project", "name", "description", "created_at", "created_by"]
        read_only_fields = fields


class DatasetWanted(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=NAME_MAX)
    description = serializers.CharField(allow_blank=True, default="", max_length=TEXT_MAX)


class DatasetEdits(serializers.Serializer[Any]):
    description = serializers.CharField(allow_blank=True, max_length=TEXT_MAX)


class AliasJson(serializers.ModelSerializer[DatasetAlias]):
    version = serializers.IntegerField(source="version.number")
    set_by = serializers.CharField(source="set_by.name", allow_null=True, default=None)

    class Meta:
        model = DatasetAlias
        fields = ["name", "version", "set_at", "set_by"]
        read_only_fields = fields


class AliasWanted(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class FileChangeJson(serializers.Serializer[FileChange]):
    change = serializers.ChoiceField(["added", "removed", "changed", "renamed"])
    path = serializers.CharField()
    old_path = serializers.CharField()
    old_digest = serializers.CharField()
    new_digest = serializers.CharField()
    old_size = serializers.IntegerField(allow_null=True)
    new_size = serializers.IntegerField(allow_null=True)


class FileDiffJson(serializers.Serializer[Any]):
    is_known = serializers.BooleanField(help_text="False where one of the versions lies outside MLED.")
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    changed = serializers.IntegerField()
    renamed = serializers.IntegerField()
    same = serializers.IntegerField()
    changes = FileChangeJson(many=True)
    unlisted = serializers.IntegerField(help_text="How many changes more there are than are listed.")


class StatisticJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    old = serializers.JSONField(allow_null=True, help_text="A number, or a time as text.")
    new = serializers.JSONField(allow_null=True)
    delta = serializers.FloatField(allow_null=True)


class ColumnDiffJson(serializers.Serializer[ColumnDiff]):
    name = serializers.CharField()
    table = serializers.CharField()
    change = serializers.ChoiceField(["added", "removed", "retyped", "changed", "same"])
    old_kind = serializers.CharField(source="old.kind", allow_null=True, default=None)
    new_kind = serializers.CharField(source="new.kind", allow_null=True, default=None)
    statistics = StatisticJson(many=True)


class RecordChangeJson(serializers.Serializer[Any]):
    field = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the field is named as people read it
    old = serializers.CharField()
    new = serializers.CharField()


class DiffJson(serializers.Serializer[Diff]):
    old = serializers.IntegerField(source="old.number")
    new = serializers.IntegerField(source="new.number")
    is_same_content = serializers.BooleanField()
    files = FileDiffJson()
    old_rows = serializers.IntegerField(source="old_table.row_count", allow_null=True)
    new_rows = serializers.IntegerField(source="new_table.row_count", allow_null=True)
    columns = ColumnDiffJson(many=True)
    record = RecordChangeJson(many=True)
    notes = serializers.ListField(child=serializers.CharField())


class DatasetFilter(filters.FilterSet):
    name = filters.CharFilter(lookup_expr="icontains", help_text="Part of the name, in any case.")

    class Meta:
        model = Dataset
        fields: list[str] = []


class OfDataset(RestView):
    """A view of a dataset or of what belongs to it."""

    def project(self) -> Project:
        """The project in the address, if the viewer may see it."""
        return find_project(self.actor, self.kwargs["slug"])

    def dataset(self) -> Dataset:
        """The dataset in the address, if the viewer may see it."""
        return find_dataset(self.actor, self.project(), self.kwargs["dataset"])

    def numbered(self, number: int) -> DatasetVersion:
        """A version of the dataset in the address."""
        return get_version(self.actor, self.dataset(), number)


class Datasets(ListAPIView[Dataset], OfDataset):
    """The datasets of a project, by name."""

    needs = {"GET": "experiments.see", "POST": "datasets.register"}
    queryset = Dataset.objects.none()
    cursor_order = ("name",)
    serializer_class = DatasetJson
    filterset_class = DatasetFilter

    def get_queryset(self) -> QuerySet[Dataset]:
        return visible_datasets(self.actor, self.project())

    @extend_schema(request=DatasetWanted, responses={201: DatasetJson})
    def post(self, request: Request, slug: str) -> Response:
        """Make a dataset without versions yet."""
        made = create_dataset(self.actor, self.project(), **self.parsed(DatasetWanted))
        return Response(self.get_serializer(made).data, status=201)


class OneDataset(OfDataset):
    """One dataset."""

    needs = {"GET": "experiments.see", "PATCH": "datasets.register"}
    serializer_class = DatasetJson

    def get(self, request: Request, slug: str, dataset: UUID) -> Response:
        return Response(self.get_serializer(self.dataset()).data)

    @extend_schema(request=DatasetEdits, responses={200: DatasetJson})
    def patch(self, request: Request, slug: str, dataset: UUID) -> Response:
        """Say anew what it is."""
        edited = edit_dataset(self.actor, self.dataset(), **self.parsed(DatasetEdits))
        return Response(self.get_serializer(edited).data)


class Aliases(ListAPIView[DatasetAlias], OfDataset):
    """The aliases of a dataset, by name."""

    needs = {"GET": "experiments.see"}
    queryset = DatasetAlias.objects.none()
    cursor_order = ("name",)
    serializer_class = AliasJson

    def get_queryset(self) -> QuerySet[DatasetAlias]:
        return aliases_of(self.actor, self.dataset())


class OneAlias(OfDataset):
    """One alias of a dataset. Rolling back is letting it name an earlier version."""

    needs = {"PUT": "datasets.set_alias", "DELETE": "datasets.set_alias"}
    serializer_class = AliasJson

    @extend_schema(request=AliasWanted, responses={200: AliasJson})
    def put(self, request: Request, slug: str, dataset: UUID, alias: str) -> Response:
        """Let it name a version; it leaves the one that it named."""
        found, asked = self.dataset(), self.parsed(AliasWanted)
        version = get_version(self.actor, found, asked["version"])
        set_dataset_alias(self.actor, found, name=alias, version=version)
        return Response(self.get_serializer(aliases_of(self.actor, found).get(name=alias.strip())).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, dataset: UUID, alias: str) -> Response:
        """Take it away."""
        remove_dataset_alias(self.actor, self.dataset(), name=alias)
        return Response(status=204)


class DatasetDiff(OfDataset):
    """What differs between two versions: files, rows, columns with their statistics, and what people wrote."""

    needs = {"GET": "experiments.see"}
    serializer_class = DiffJson

    @extend_schema(
        parameters=[
            OpenApiParameter("old", int, required=True, description="The number of a version."),
            OpenApiParameter("new", int, required=True, description="The number of another."),
        ],
        responses={200: DiffJson},
    )
    def get(self, request: Request, slug: str, dataset: UUID) -> Response:
        found = self.dataset()
        old, new = (get_version(self.actor, found, _number(request, name)) for name in ("old", "new"))
        return Response(DiffJson(diff_of(self.actor, old, new)).data)


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid(f"'{name}' is the number of a version.", field=name)
    return int(text)
