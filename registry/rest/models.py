"""Registered models of a project, with their tags and aliases."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.models import Project
from accounts.rest.door import RestView
from experiments.values import KEY_MAX, VALUE_MAX
from registry.actions import aliases, tags
from registry.actions import registered_models as actions
from registry.models import ModelVersion, RegisteredModel
from registry.queries.registered_models import (
    ModelData,
    find_model,
    get_version,
    get_version_by_alias,
    model_data,
    models_in,
)
from registry.sources import is_prompt
from registry.values import REGISTERED_NAME_MAX, TAG_MAX


class RegisteredModelJson(serializers.ModelSerializer[RegisteredModel]):
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)
    tags = serializers.SerializerMethodField()
    is_prompt = serializers.SerializerMethodField(help_text="Whether it is a prompt of MLflow, which has no files.")
    aliases = serializers.SerializerMethodField(help_text="Version number by alias.")
    latest = serializers.SerializerMethodField(help_text="The highest version number in each stage.")

    class Meta:
        model = RegisteredModel
        fields = [
            "name", "description", "created_at", "created_by", "created_ms", "updated_ms", "is_prompt", "tags",
            "aliases", "latest",
        ]  # fmt: skip
        read_only_fields = fields

    def _hanging_on(self, model: RegisteredModel) -> ModelData:
        data: dict[int, ModelData] = self.context["data"]
        return data[model.pk]

    def get_tags(self, model: RegisteredModel) -> dict[str, str]:
        return self._hanging_on(model).tags

    def get_is_prompt(self, model: RegisteredModel) -> bool:
        return is_prompt(self._hanging_on(model).tags)

    def get_aliases(self, model: RegisteredModel) -> dict[str, int]:
        return dict(self._hanging_on(model).aliases)

    def get_latest(self, model: RegisteredModel) -> dict[str, int]:
        return {str(version.stage): version.number for version in self._hanging_on(model).latest}


class TagsWanted(serializers.Serializer[Any]):
    tags = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=TAG_MAX, trim_whitespace=False),
        help_text=f"Keys have at most {KEY_MAX} characters.",
    )


class ModelWanted(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=REGISTERED_NAME_MAX, trim_whitespace=False)
    description = serializers.CharField(max_length=VALUE_MAX, allow_blank=True, default="", trim_whitespace=False)
    tags = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=TAG_MAX, trim_whitespace=False), default=dict
    )


class ModelChange(serializers.Serializer[Any]):
    """What is left out stays."""

    name = serializers.CharField(max_length=REGISTERED_NAME_MAX, required=False, trim_whitespace=False)
    description = serializers.CharField(max_length=VALUE_MAX, allow_blank=True, required=False, trim_whitespace=False)


class ModelAliasJson(serializers.Serializer[Any]):
    alias = serializers.CharField()
    version = serializers.IntegerField(help_text="The number of the version that it stands for.")


class ModelAliasWanted(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=1)


class OfProject(RestView):
    """A view below a project."""

    def project(self) -> Project:
        """The project in the address, if the viewer may see it."""
        return find_project(self.actor, self.kwargs["slug"])

    def model(self) -> RegisteredModel:
        """The registered model in the address, if the viewer may see it."""
        return find_model(self.actor, self.project(), self.kwargs["name"])

    def version(self) -> ModelVersion:
        """The version in the address, if the viewer may see it."""
        return get_version(self.actor, self.model(), self.kwargs["number"])

    def model_shown(self, model: RegisteredModel, status: int = 200) -> Response:
        """The model as it is now."""
        fresh = find_model(self.actor, self.project(), model.name)
        context = {"data": model_data(self.actor, [fresh])}
        return Response(RegisteredModelJson(fresh, context=context).data, status=status)


class Models(ListAPIView[RegisteredModel], OfProject):
    """The registered models of a project, the last changed first; prompts too."""

    needs = {"GET": "experiments.see", "POST": "registry.register"}
    queryset = RegisteredModel.objects.none()
    cursor_order = ("-updated_ms", "-id")
    serializer_class = RegisteredModelJson

    def get_queryset(self) -> QuerySet[RegisteredModel]:
        return models_in(self.actor, self.project())

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        context = {"data": model_data(self.actor, list(page))}
        return self.get_paginated_response(RegisteredModelJson(page, many=True, context=context).data)

    @extend_schema(request=ModelWanted, responses={201: RegisteredModelJson})
    def post(self, request: Request, slug: str) -> Response:
        """Register a name."""
        made = actions.create_registered_model(self.actor, self.project(), **self.parsed(ModelWanted))
        return self.model_shown(made, status=201)


class OneModel(OfProject):
    """One registered model."""

    needs = {"GET": "experiments.see", "PATCH": "registry.register", "DELETE": "registry.delete"}
    serializer_class = RegisteredModelJson

    def get(self, request: Request, slug: str, name: str) -> Response:
        return self.model_shown(self.model())

    @extend_schema(request=ModelChange, responses={200: RegisteredModelJson})
    def patch(self, request: Request, slug: str, name: str) -> Response:
        """Rename it, or change its description."""
        asked, model = self.parsed(ModelChange), self.model()
        if "description" in asked:
            model = actions.edit_registered_model(self.actor, model, description=asked["description"])
        if "name" in asked:
            model = actions.rename_registered_model(self.actor, model, name=asked["name"])
        return self.model_shown(model)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, name: str) -> Response:
        """Delete it softly, with versions and aliases; in a governed project not where something stands on it."""
        actions.delete_registered_model(self.actor, self.model())
        return Response(status=204)


class ModelTags(OfProject):
    """The tags of a model."""

    needs = {"POST": "registry.register"}
    serializer_class = RegisteredModelJson

    @extend_schema(request=TagsWanted, responses={200: RegisteredModelJson})
    def post(self, request: Request, slug: str, name: str) -> Response:
        """Set or overwrite tags."""
        model = self.model()
        tags.set_model_tags(self.actor, model, **self.parsed(TagsWanted))
        return self.model_shown(model)


class OneModelTag(OfProject):
    """One tag of a model."""

    needs = {"DELETE": "registry.register"}
    serializer_class = RegisteredModelJson

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, name: str, key: str) -> Response:
        """Remove it; where there is none, nothing happens."""
        tags.delete_model_tag(self.actor, self.model(), key=key)
        return Response(status=204)


class OneAlias(OfProject):
    """One alias of a model. Protected ones of a governed project move by promotion only."""

    needs = {"GET": "experiments.see", "PUT": "registry.set_alias", "DELETE": "registry.set_alias"}
    serializer_class = ModelAliasJson

    def get(self, request: Request, slug: str, name: str, alias: str) -> Response:
        """Which version it stands for."""
        version = get_version_by_alias(self.actor, self.model(), alias)
        return Response({"alias": alias, "version": version.number})

    @extend_schema(request=ModelAliasWanted, responses={200: ModelAliasJson})
    def put(self, request: Request, slug: str, name: str, alias: str) -> Response:
        """Let it stand for a version; one that stood elsewhere moves."""
        model = self.model()
        version = get_version(self.actor, model, self.parsed(ModelAliasWanted)["version"])
        aliases.set_alias(self.actor, model, alias=alias, version=version)
        return Response({"alias": alias, "version": version.number})

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, name: str, alias: str) -> Response:
        """Take it away; where there is none, nothing happens."""
        aliases.delete_alias(self.actor, self.model(), alias=alias)
        return Response(status=204)
