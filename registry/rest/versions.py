"""Versions of a registered model, with their stage, tags and files."""

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.given_out import Anything
from artifacts.serving import file_response
from experiments.queries.runs import get_run
from experiments.values import VALUE_MAX
from registry.actions import aliases, tags
from registry.actions import versions as actions
from registry.models import ModelVersion
from registry.models.registered_models import Stage
from registry.queries.logged_models import get_logged_model
from registry.queries.registered_models import VersionData, version_data, versions_of
from registry.queries.sources import SOURCE_MAX
from registry.queries.version_files import files_of_version, open_version_file
from registry.rest.models import OfProject, TagsWanted
from registry.sources import download_address, is_outside
from registry.values import RUN_LINK_MAX, TAG_MAX


class ModelVersionJson(serializers.ModelSerializer[ModelVersion]):
    model = serializers.CharField(source="model.name")
    run = serializers.CharField(source="run.uid.hex", allow_null=True, default=None)
    logged_model = serializers.CharField(source="logged_model.model_id", allow_null=True, default=None)
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)
    status = serializers.CharField(help_text="Always READY.")
    is_outside = serializers.SerializerMethodField(help_text="Whether its files lie outside MLED.")
    download_address = serializers.SerializerMethodField(help_text="The artifact URI of its files.")
    tags = serializers.SerializerMethodField()
    aliases = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = [
            "model", "number", "stage", "status", "description", "source", "is_outside", "download_address", "run",
            "logged_model", "run_link", "created_at", "created_by", "created_ms", "updated_ms", "tags", "aliases",
        ]  # fmt: skip
        read_only_fields = fields

    def _hanging_on(self, version: ModelVersion) -> VersionData:
        data: dict[int, VersionData] = self.context["data"]
        return data[version.pk]

    def get_is_outside(self, version: ModelVersion) -> bool:
        return is_outside(version)

    def get_download_address(self, version: ModelVersion) -> str:
        return download_address(version)

    def get_tags(self, version: ModelVersion) -> dict[str, str]:
        return self._hanging_on(version).tags

    def get_aliases(self, version: ModelVersion) -> list[str]:
        return self._hanging_on(version).aliases


class ModelVersionWanted(serializers.Serializer[Any]):
    source = serializers.CharField(  # type: ignore[assignment]  # its own field
        max_length=SOURCE_MAX,
        trim_whitespace=False,
        help_text="runs:/<run>/<path>, models:/<model id>, an artifact URI of this project, or a place outside MLED.",
    )
    run = serializers.CharField(max_length=40, required=False, help_text="The id of the run that made it.")
    logged_model = serializers.CharField(max_length=40, required=False)
    run_link = serializers.CharField(max_length=RUN_LINK_MAX, allow_blank=True, default="", trim_whitespace=False)
    description = serializers.CharField(max_length=VALUE_MAX, allow_blank=True, default="", trim_whitespace=False)
    tags = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=TAG_MAX, trim_whitespace=False), default=dict
    )


class NewDescription(serializers.Serializer[Any]):
    description = serializers.CharField(max_length=VALUE_MAX, allow_blank=True, trim_whitespace=False)


class StageWanted(serializers.Serializer[Any]):
    stage = serializers.ChoiceField(choices=Stage.choices)
    archive_existing = serializers.BooleanField(
        default=False, help_text="Whether the others that are in it go to Archived."
    )


class ModelFileJson(serializers.Serializer[Any]):
    path = serializers.CharField(help_text="From the version's own top.")
    size_bytes = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 in hex.")


class OfModelVersion(OfProject):
    """A view of one version."""

    def shown(self, version: ModelVersion, status: int = 200) -> Response:
        """The version as it is now."""
        context = {"data": version_data(self.actor, [version])}
        return Response(ModelVersionJson(version, context=context).data, status=status)


class ModelVersions(ListAPIView[ModelVersion], OfModelVersion):
    """The versions of a model, newest first."""

    needs = {"GET": "experiments.see", "POST": "registry.register"}
    queryset = ModelVersion.objects.none()
    cursor_order = ("-number",)
    serializer_class = ModelVersionJson

    def get_queryset(self) -> QuerySet[ModelVersion]:
        return versions_of(self.actor, self.model())

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        context = {"data": version_data(self.actor, list(page))}
        return self.get_paginated_response(ModelVersionJson(page, many=True, context=context).data)

    @extend_schema(request=ModelVersionWanted, responses={201: ModelVersionJson})
    def post(self, request: Request, slug: str, name: str) -> Response:
        """Make the next version, of the files of a run or logged model, or of a place outside."""
        asked, model = self.parsed(ModelVersionWanted), self.model()
        run_id, model_id = asked.pop("run", ""), asked.pop("logged_model", "")
        run = get_run(self.actor, run_id, project=model.project) if run_id else None
        logged = get_logged_model(self.actor, model_id, project=model.project) if model_id else None
        made = actions.create_version(self.actor, model, run=run, logged_model=logged, **asked)
        return self.shown(made, status=201)


class OneModelVersion(OfModelVersion):
    """One version of a model."""

    needs = {"GET": "experiments.see", "PATCH": "registry.register", "DELETE": "registry.delete"}
    serializer_class = ModelVersionJson

    def get(self, request: Request, slug: str, name: str, number: int) -> Response:
        return self.shown(self.version())

    @extend_schema(request=NewDescription, responses={200: ModelVersionJson})
    def patch(self, request: Request, slug: str, name: str, number: int) -> Response:
        """Change its description."""
        return self.shown(actions.edit_version(self.actor, self.version(), **self.parsed(NewDescription)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, name: str, number: int) -> Response:
        """Delete it softly, with its aliases; refused in a governed project where something stands on it."""
        actions.delete_version(self.actor, self.version())
        return Response(status=204)


class VersionStage(OfModelVersion):
    """The stage of a version. Protected ones of a governed project change by promotion only."""

    needs = {"POST": "registry.set_alias"}
    serializer_class = ModelVersionJson

    @extend_schema(request=StageWanted, responses={200: ModelVersionJson})
    def post(self, request: Request, slug: str, name: str, number: int) -> Response:
        """Move it to a stage."""
        return self.shown(aliases.transition_stage(self.actor, self.version(), **self.parsed(StageWanted)))


class VersionTags(OfModelVersion):
    """The tags of a version."""

    needs = {"POST": "registry.register"}
    serializer_class = ModelVersionJson

    @extend_schema(request=TagsWanted, responses={200: ModelVersionJson})
    def post(self, request: Request, slug: str, name: str, number: int) -> Response:
        """Set or overwrite tags."""
        version = self.version()
        tags.set_version_tags(self.actor, version, **self.parsed(TagsWanted))
        return self.shown(version)


class OneVersionTag(OfModelVersion):
    """One tag of a version."""

    needs = {"DELETE": "registry.register"}
    serializer_class = ModelVersionJson

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, name: str, number: int, key: str) -> Response:
        """Remove it; where there is none, nothing happens."""
        tags.delete_version_tag(self.actor, self.version(), key=key)
        return Response(status=204)


class VersionFiles(OfModelVersion):
    """The files of a version."""

    needs = {"GET": "experiments.download"}
    queryset = ModelVersion.objects.none()
    pagination_class = None
    serializer_class = ModelFileJson

    @extend_schema(responses={200: ModelFileJson(many=True)})
    def get(self, request: Request, slug: str, name: str, number: int) -> Response:
        """Every file with its digest, by path. None where they lie outside MLED."""
        return Response(ModelFileJson(files_of_version(self.actor, self.version()), many=True).data)


class OneVersionFile(OfModelVersion):
    """One file of a version."""

    needs = {"GET": "experiments.download"}
    content_negotiation_class = Anything
    serializer_class = ModelFileJson

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, slug: str, name: str, number: int, path: str) -> HttpResponseBase:
        """Its bytes; a Range is answered."""
        return file_response(request._request, *open_version_file(self.actor, self.version(), path))
