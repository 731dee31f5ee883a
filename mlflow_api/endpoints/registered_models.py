"""Registered models: their life, tags, aliases and search."""

from typing import Any

from mlflow_api.calls import Call, Reply
from mlflow_api.messages import registry_requests as ask
from mlflow_api.messages.registry_replies import registered_model_json, version_json
from mlflow_api.messages.requests import pairs
from registry.actions import aliases, tags
from registry.actions import registered_models as actions
from registry.queries.registered_models import (
    find_model,
    get_version,
    get_version_by_alias,
    latest_versions,
    model_data,
    version_data,
)
from registry.queries.search_registered import MODELS_PAGE, search_registered_models
from registry.values import stage_named


def create(call: Call, asked: ask.CreateRegisteredModel) -> Reply:
    model = actions.create_registered_model(
        call.actor,
        call.project,
        name=asked.name,
        description=asked.description or "",
        tags=dict(pairs(asked.tags)),
    )
    return _whole(call, model)


def get(call: Call, asked: ask.OfModel) -> Reply:
    return _whole(call, _model(call, asked))


def search(call: Call, asked: ask.SearchRegistry) -> Reply:
    page = search_registered_models(
        call.actor,
        project=call.project,
        text=asked.filter or "",
        order=asked.order_by or (),
        limit=MODELS_PAGE if asked.max_results is None else asked.max_results,
        after=asked.page_token,
    )
    data = model_data(call.actor, page.models)
    reply: dict[str, Any] = {
        "registered_models": [registered_model_json(model, data[model.pk]) for model in page.models]
    }
    return reply | ({"next_page_token": page.next_token} if page.next_token else {})


def update(call: Call, asked: ask.UpdateRegisteredModel) -> Reply:
    model = _model(call, asked)
    if asked.description is not None:
        model = actions.edit_registered_model(call.actor, model, description=asked.description)
    return _whole(call, model)


def rename(call: Call, asked: ask.RenameRegisteredModel) -> Reply:
    return _whole(call, actions.rename_registered_model(call.actor, _model(call, asked), name=asked.new_name))


def delete(call: Call, asked: ask.OfModel) -> Reply:
    actions.delete_registered_model(call.actor, _model(call, asked))
    return None


def get_latest(call: Call, asked: ask.GetLatestVersions) -> Reply:
    stages = [stage_named(stage) for stage in asked.stages or ()]
    versions = latest_versions(call.actor, _model(call, asked), stages)
    data = version_data(call.actor, versions)
    return {"model_versions": [version_json(version, data[version.pk]) for version in versions]}


def set_tag(call: Call, asked: ask.SetModelTag) -> Reply:
    tags.set_model_tags(call.actor, _model(call, asked), tags={asked.key: asked.value or ""})
    return None


def delete_tag(call: Call, asked: ask.DeleteModelTag) -> Reply:
    tags.delete_model_tag(call.actor, _model(call, asked), key=asked.key)
    return None


def set_alias(call: Call, asked: ask.SetAlias) -> Reply:
    model = _model(call, asked)
    version = get_version(call.actor, model, asked.version)
    aliases.set_alias(call.actor, model, alias=asked.alias, version=version)
    return None


def delete_alias(call: Call, asked: ask.OfAlias) -> Reply:
    aliases.delete_alias(call.actor, _model(call, asked), alias=asked.alias)
    return None


def get_by_alias(call: Call, asked: ask.OfAlias) -> Reply:
    version = get_version_by_alias(call.actor, _model(call, asked), asked.alias)
    return {"model_version": version_json(version, version_data(call.actor, [version])[version.pk])}


def _model(call: Call, asked: ask.OfModel) -> Any:
    return find_model(call.actor, call.project, asked.name)


def _whole(call: Call, model: Any) -> Reply:
    return {"registered_model": registered_model_json(model, model_data(call.actor, [model])[model.pk])}
