"""Logged models: what runs made, with params, tags, metrics and files. Clients make them by MLflow's protocol."""

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import Number, RestView
from accounts.rest.given_out import Anything
from artifacts.queries.files import files_of
from artifacts.serving import file_response
from experiments.values import KEY_MAX, VALUE_MAX
from registry.actions.logged_models import (
    delete_logged_model,
    delete_logged_model_tag,
    log_logged_model_params,
    set_logged_model_tags,
)
from registry.models import LoggedModel
from registry.queries.files import model_files_root, open_model_file
from registry.queries.logged_models import ModelData, get_logged_model, logged_models_in, model_data
from registry.rest.models import TagsWanted
from registry.rest.versions import ModelFileJson


class LoggedModelJson(serializers.ModelSerializer[LoggedModel]):
    id = serializers.CharField(source="model_id")
    experiment = serializers.CharField(source="experiment.name")
    source_run = serializers.CharField(source="source_run.uid.hex", allow_null=True, default=None)
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)

    class Meta:
        model = LoggedModel
        fields = [
            "id", "name", "model_type", "status", "experiment", "source_run", "created_by", "created_ms", "updated_ms",
        ]  # fmt: skip
        read_only_fields = fields


class MeasuredJson(serializers.Serializer[Any]):
    key = serializers.CharField()
    value = Number()
    step = serializers.IntegerField()
    at_ms = serializers.IntegerField()
    dataset = serializers.CharField(source="dataset_name")
    dataset_digest = serializers.CharField()
    run = serializers.CharField(source="run_uid")


class RegistrationJson(serializers.Serializer[Any]):
    model = serializers.CharField()
    number = serializers.IntegerField()


class OneLoggedModelJson(LoggedModelJson):
    params = serializers.DictField(child=serializers.CharField())
    tags = serializers.DictField(child=serializers.CharField())
    metrics = MeasuredJson(many=True, help_text="Every point, on which data and by which run.")
    registrations = RegistrationJson(many=True, help_text="The registered versions that were made of it.")

    class Meta(LoggedModelJson.Meta):
        fields = [*LoggedModelJson.Meta.fields, "params", "tags", "metrics", "registrations"]
        read_only_fields = fields


class ModelParamsWanted(serializers.Serializer[Any]):
    params = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=VALUE_MAX, trim_whitespace=False),
        help_text=f"Keys have at most {KEY_MAX} characters.",
    )


class LoggedModelFilter(filters.FilterSet):
    name = filters.CharFilter(lookup_expr="icontains", label="Part of the name, in any case.")
    status = filters.ChoiceFilter(choices=LoggedModel.Status.choices)
    run = filters.UUIDFilter(field_name="source_run__uid", label="The id of the run that made it.")

    class Meta:
        model = LoggedModel
        fields = ["name", "status", "run"]


class LoggedModels(ListAPIView[LoggedModel], RestView):
    """The models that were logged in a project, newest first."""

    needs = {"GET": "experiments.see"}
    queryset = LoggedModel.objects.none()
    cursor_order = ("-created_ms", "-id")
    serializer_class = LoggedModelJson
    filterset_class = LoggedModelFilter

    def get_queryset(self) -> QuerySet[LoggedModel]:
        return logged_models_in(self.actor, find_project(self.actor, self.kwargs["slug"]))


class OfLoggedModel(RestView):
    """A view below a logged model."""

    serializer_class: Any = OneLoggedModelJson

    def found(self) -> LoggedModel:
        """The model in the address, if the viewer may see it."""
        return get_logged_model(self.actor, self.kwargs["model"], project=find_project(self.actor, self.kwargs["slug"]))

    def shown(self) -> Response:
        """The model as it is now."""
        model = self.found()
        data = model_data(self.actor, [model])[model.pk]
        return Response({**LoggedModelJson(model).data, **_data(data)})


def _data(data: ModelData) -> dict[str, Any]:
    return {
        "params": dict(data.params),
        "tags": dict(data.tags),
        "metrics": MeasuredJson([one._asdict() for one in data.metrics], many=True).data,
        "registrations": [{"model": name, "number": number} for name, number in data.registrations],
    }


class OneLoggedModel(OfLoggedModel):
    """One logged model."""

    needs = {"GET": "experiments.see", "DELETE": "registry.log_model"}

    @extend_schema(responses={200: OneLoggedModelJson})
    def get(self, request: Request, slug: str, model: str) -> Response:
        """With its params, tags, metrics and the versions that were made of it."""
        return self.shown()

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, model: str) -> Response:
        """Delete it softly; refused where a version of it is approved or carries an alias."""
        delete_logged_model(self.actor, self.found())
        return Response(status=204)


class LoggedModelParams(OfLoggedModel):
    """The params of a logged model."""

    needs = {"POST": "registry.log_model"}

    @extend_schema(request=ModelParamsWanted, responses={200: OneLoggedModelJson})
    def post(self, request: Request, slug: str, model: str) -> Response:
        """Add params; one that is there with another value is refused, and then none is added."""
        log_logged_model_params(self.actor, self.found(), **self.parsed(ModelParamsWanted))
        return self.shown()


class LoggedModelTags(OfLoggedModel):
    """The tags of a logged model."""

    needs = {"POST": "registry.log_model"}

    @extend_schema(request=TagsWanted, responses={200: OneLoggedModelJson})
    def post(self, request: Request, slug: str, model: str) -> Response:
        """Set or overwrite tags."""
        set_logged_model_tags(self.actor, self.found(), **self.parsed(TagsWanted))
        return self.shown()


class OneLoggedModelTag(OfLoggedModel):
    """One tag of a logged model."""

    needs = {"DELETE": "registry.log_model"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, model: str, key: str) -> Response:
        """Remove it."""
        delete_logged_model_tag(self.actor, self.found(), key=key)
        return Response(status=204)


class LoggedModelFiles(OfLoggedModel):
    """The files of a logged model."""

    needs = {"GET": "experiments.download"}
    serializer_class = ModelFileJson
    queryset = LoggedModel.objects.none()
    pagination_class = None

    @extend_schema(responses={200: ModelFileJson(many=True)})
    def get(self, request: Request, slug: str, model: str) -> Response:
        """Every file with its size and SHA-256, by path."""
        files = files_of(self.actor, model_files_root(self.actor, self.found()))
        told = [{"path": file.path, "size_bytes": file.size_bytes, "digest": file.blob_id} for file in files]
        return Response(ModelFileJson(told, many=True).data)


class OneLoggedModelFile(OfLoggedModel):
    """One file of a logged model."""

    needs = {"GET": "experiments.download"}
    content_negotiation_class = Anything
    serializer_class = ModelFileJson

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, slug: str, model: str, path: str) -> HttpResponseBase:
        """Its bytes; a Range is answered."""
        return file_response(request._request, *open_model_file(self.actor, self.found(), path))
