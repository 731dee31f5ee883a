"""What clients may ask of the model registry: one struct for each call."""

from msgspec import Struct

from mlflow_api.messages.requests import Int64, Pair, Text


class OfModel(Struct, kw_only=True):
    """A call about one registered model."""

    name: Text


class OfVersion(OfModel, kw_only=True):
    """A call about one version. Its number is a text on the wire; clients are forgiven a number."""

    version: Text | int


class CreateRegisteredModel(Struct):
    name: Text
    tags: list[Pair] | None = None
    description: str | None = None


class UpdateRegisteredModel(OfModel, kw_only=True):
    description: str | None = None


class RenameRegisteredModel(OfModel, kw_only=True):
    new_name: Text


class SearchRegistry(Struct):
    """A search of models or of versions."""

    filter: str | None = None
    max_results: Int64 | None = None
    order_by: list[str] | None = None
    page_token: str | None = None


class GetLatestVersions(OfModel, kw_only=True):
    stages: list[str] | None = None


class SetModelTag(OfModel, kw_only=True):
    key: Text
    value: str | None = None


class DeleteModelTag(OfModel, kw_only=True):
    key: Text


class OfAlias(OfModel, kw_only=True):
    alias: Text


class SetAlias(OfVersion, kw_only=True):
    alias: Text


class CreateModelVersion(OfModel, kw_only=True):
    source: Text
    run_id: str | None = None
    model_id: str | None = None
    run_link: str | None = None
    tags: list[Pair] | None = None
    description: str | None = None


class UpdateModelVersion(OfVersion, kw_only=True):
    description: str | None = None


class SetVersionTag(OfVersion, kw_only=True):
    key: Text
    value: str | None = None


class DeleteVersionTag(OfVersion, kw_only=True):
    key: Text


class TransitionStage(OfVersion, kw_only=True):
    stage: Text
    archive_existing_versions: bool | None = None
