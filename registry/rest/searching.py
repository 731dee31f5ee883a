"""Registered models, versions and logged models by a line of MLflow's filter language, and two versions compared."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import Number, RestView
from registry.models import ModelVersion
from registry.queries.measures import Record, records_of
from registry.queries.registered_models import get_version, model_data, version_data
from registry.queries.search_registered import search_model_versions, search_registered_models
from registry.queries.version_files import files_of_version
from registry.rest.models import OfProject, RegisteredModelJson
from registry.rest.versions import ModelVersionJson

MOST = 1000
LINE_MAX = 10_000


class SearchAsked(serializers.Serializer[Any]):
    q = serializers.CharField(default="", allow_blank=True, max_length=LINE_MAX, help_text="name LIKE 'early%' …")
    order = serializers.ListField(
        child=serializers.CharField(max_length=300),
        default=list,
        max_length=20,
        help_text="name DESC; repeat it for more.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=100)
    after = serializers.CharField(default="", allow_blank=True, max_length=4000, help_text="`next` of the page above.")


class FoundModelsJson(serializers.Serializer[Any]):
    results = RegisteredModelJson(many=True)
    next = serializers.CharField(allow_null=True)


class FoundVersionsJson(serializers.Serializer[Any]):
    results = ModelVersionJson(many=True)
    next = serializers.CharField(allow_null=True)


class VersionsAsked(serializers.Serializer[Any]):
    old = serializers.IntegerField(min_value=1, help_text="The number of one version.")
    new = serializers.IntegerField(min_value=1, help_text="And of the other.")


class VersionMetricPairJson(serializers.Serializer[Any]):
    key = serializers.CharField()
    old = Number(allow_null=True)
    new = Number(allow_null=True)


class VersionPairJson(serializers.Serializer[Any]):
    key = serializers.CharField()
    old = serializers.CharField(allow_null=True)
    new = serializers.CharField(allow_null=True)


class ComparedVersionsJson(serializers.Serializer[Any]):
    """What is known of two versions; null where one of them has no such thing."""

    old = serializers.IntegerField()
    new = serializers.IntegerField()
    metrics = VersionMetricPairJson(many=True, help_text="Last values.")
    params = VersionPairJson(many=True)
    tags = VersionPairJson(many=True)
    data = VersionPairJson(  # type: ignore[assignment]  # named as people say it
        many=True, help_text="Digests of the data that the runs took in, by name."
    )
    files = VersionPairJson(many=True, help_text="SHA-256 by path.")


class SearchModels(RestView):
    """Registered models that a line finds."""

    needs = {"GET": "experiments.see"}
    serializer_class = FoundModelsJson

    @extend_schema(parameters=[SearchAsked], responses={200: FoundModelsJson})
    def get(self, request: Request, slug: str) -> Response:
        """By name unless sorted otherwise; prompts only where the line asks for them."""
        asked, project = self.asked(SearchAsked), find_project(self.actor, slug)
        found = search_registered_models(
            self.actor,
            project=project,
            text=asked["q"],
            order=asked["order"],
            limit=asked["limit"],
            after=asked["after"] or None,
        )
        context = {"data": model_data(self.actor, found.models)}
        told = RegisteredModelJson(found.models, many=True, context=context).data
        return Response({"results": told, "next": found.next_token or None})


class SearchVersions(RestView):
    """Versions of registered models that a line finds."""

    needs = {"GET": "experiments.see"}
    serializer_class = FoundVersionsJson

    @extend_schema(parameters=[SearchAsked], responses={200: FoundVersionsJson})
    def get(self, request: Request, slug: str) -> Response:
        """In the whole project, the latest change first unless sorted otherwise."""
        asked, project = self.asked(SearchAsked), find_project(self.actor, slug)
        found = search_model_versions(
            self.actor,
            project=project,
            text=asked["q"],
            order=asked["order"],
            limit=asked["limit"],
            after=asked["after"] or None,
        )
        context = {"data": version_data(self.actor, found.versions)}
        told = ModelVersionJson(found.versions, many=True, context=context).data
        return Response({"results": told, "next": found.next_token or None})


class CompareVersions(OfProject):
    """Two versions of a model side by side."""

    needs = {"GET": "experiments.see"}
    serializer_class = ComparedVersionsJson

    @extend_schema(parameters=[VersionsAsked], responses={200: ComparedVersionsJson})
    def get(self, request: Request, slug: str, name: str) -> Response:
        """Metrics, params, tags, data and files of both."""
        asked, model = self.asked(VersionsAsked), self.model()
        old, new = (get_version(self.actor, model, asked[one]) for one in ("old", "new"))
        records = records_of(self.actor, [old, new])
        one, other = records[old.pk], records[new.pk]
        told = {
            "old": old.number,
            "new": new.number,
            "metrics": _paired(_metrics(one), _metrics(other)),
            "params": _paired(one.params, other.params),
            "tags": _paired(one.tags, other.tags),
            "data": _paired(_data(one), _data(other)),
            "files": _paired(self._files(old), self._files(new)),
        }
        return Response(ComparedVersionsJson(told).data)

    def _files(self, version: ModelVersion) -> dict[str, str]:
        return {file.path: file.digest for file in files_of_version(self.actor, version)}


def _metrics(record: Record) -> dict[str, Any]:
    return {key: measure.value for key, measure in record.metrics.items()}


def _data(record: Record) -> dict[str, str]:
    return {str(version): version.digest for version in record.data}


def _paired(old: Any, new: Any) -> list[dict[str, Any]]:
    return [{"key": key, "old": old.get(key), "new": new.get(key)} for key in sorted(old.keys() | new.keys())]
