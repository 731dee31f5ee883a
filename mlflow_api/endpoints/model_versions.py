"""Versions of registered models: their life, stages, tags, addresses and search."""

from typing import Any

from experiments.queries.runs import get_run
from mlflow_api.calls import Call, Reply
from mlflow_api.messages import registry_requests as ask
from mlflow_api.messages.registry_replies import version_json
from mlflow_api.messages.requests import pairs
from registry.actions import aliases, tags
from registry.actions import versions as actions
from registry.queries.logged_models import get_logged_model
from registry.queries.registered_models import find_model, get_version, version_data
from registry.queries.search_registered import VERSIONS_PAGE, search_model_versions
from registry.sources import download_address


def create(call: Call, asked: ask.CreateModelVersion) -> Reply:
    model = find_model(call.actor, call.project, asked.name)
    run = get_run(call.actor, asked.run_id, project=call.project) if asked.run_id else None
    logged = get_logged_model(call.actor, asked.model_id, project=call.project) if asked.model_id else None
    version = actions.create_version(
        call.actor,
        model,
        source=asked.source,
        run=run,
        logged_model=logged,
        run_link=asked.run_link or "",
        description=asked.description or "",
        tags=dict(pairs(asked.tags)),
    )
    return _whole(call, version)


def get(call: Call, asked: ask.OfVersion) -> Reply:
    return _whole(call, _version(call, asked))


def get_download_uri(call: Call, asked: ask.OfVersion) -> Reply:
    return {"artifact_uri": download_address(_version(call, asked))}


def search(call: Call, asked: ask.SearchRegistry) -> Reply:
    page = search_model_versions(
        call.actor,
        project=call.project,
        text=asked.filter or "",
        order=asked.order_by or (),
        limit=VERSIONS_PAGE if asked.max_results is None else asked.max_results,
        after=asked.page_token,
    )
    data = version_data(call.actor, page.versions)
    reply: dict[str, Any] = {"model_versions": [version_json(version, data[version.pk]) for version in page.versions]}
    return reply | ({"next_page_token": page.next_token} if page.next_token else {})


def update(call: Call, asked: ask.UpdateModelVersion) -> Reply:
    version = _version(call, asked)
    if asked.description is not None:
        version = actions.edit_version(call.actor, version, description=asked.description)
    return _whole(call, version)


def delete(call: Call, asked: ask.OfVersion) -> Reply:
    actions.delete_version(call.actor, _version(call, asked))
    return None


def transition_stage(call: Call, asked: ask.TransitionStage) -> Reply:
    version = aliases.transition_stage(
        call.actor,
        _version(call, asked),
        stage=asked.stage,
        archive_existing=bool(asked.archive_existing_versions),
    )
    return _whole(call, version)


def set_tag(call: Call, asked: ask.SetVersionTag) -> Reply:
    tags.set_version_tags(call.actor, _version(call, asked), tags={asked.key: asked.value or ""})
    return None


def delete_tag(call: Call, asked: ask.DeleteVersionTag) -> Reply:
    tags.delete_version_tag(call.actor, _version(call, asked), key=asked.key)
    return None


def _version(call: Call, asked: ask.OfVersion) -> Any:
    return get_version(call.actor, find_model(call.actor, call.project, asked.name), asked.version)


def _whole(call: Call, version: Any) -> Reply:
    return {"model_version": version_json(version, version_data(call.actor, [version])[version.pk])}
