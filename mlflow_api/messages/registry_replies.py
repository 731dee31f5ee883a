"""Registered models and versions in MLflow's words."""

from typing import Any

from mlflow_api.messages.replies import pairs
from registry.queries.registered_models import ModelData, VersionData


def registered_model_json(model: Any, data: ModelData) -> dict[str, Any]:
    """A registered model with its newest version in each stage."""
    by_number: dict[int, list[str]] = {}
    for alias, number in data.aliases:
        by_number.setdefault(number, []).append(alias)
    return {
        "name": model.name,
        "creation_timestamp": model.created_ms,
        "last_updated_timestamp": model.updated_ms,
        "description": model.description,
        "latest_versions": [
            version_json(version, VersionData(data.latest_tags.get(version.pk, {}), by_number.get(version.number, [])))
            for version in data.latest
        ],
        "tags": pairs(data.tags.items()),
        "aliases": [{"alias": alias, "version": str(number)} for alias, number in data.aliases],
    }


def version_json(version: Any, data: VersionData) -> dict[str, Any]:
    """A model version."""
    found: dict[str, Any] = {
        "name": version.model.name,
        "version": str(version.number),
        "creation_timestamp": version.created_ms,
        "last_updated_timestamp": version.updated_ms,
        "description": version.description,
        "current_stage": version.stage,
        "source": version.source,
        "run_link": version.run_link,
        "status": version.status,
        "tags": pairs(data.tags.items()),
        "aliases": data.aliases,
    }
    if version.run is not None:
        found["run_id"] = version.run.uid.hex
    if version.logged_model is not None:
        found["model_id"] = version.logged_model.model_id
    return found
