"""Our things in MLflow's words: plain dictionaries for JSON. Whole numbers are numbers, what is unset is left out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from artifacts.trees import Entry
from experiments.locations import location_of, model_uri
from experiments.queries.experiments import wire_id
from experiments.search.records import RunRecord, number, pairs
from experiments.search.rows import FoundExperiment, Input, RunData
from registry.links import NO_LINKS, RunLinks
from registry.queries.logged_models import ModelData

DEFAULT_EXPERIMENT: Final = "0"
_MODEL_STATUS: Final = {
    "PENDING": "LOGGED_MODEL_PENDING",
    "READY": "LOGGED_MODEL_READY",
    "FAILED": "LOGGED_MODEL_UPLOAD_FAILED",
}
NO_DATA: Final = RunData([], [], [], [])


# --- experiments


def experiment_json(experiment: Any, tags: Mapping[str, str]) -> dict[str, Any]:
    """One experiment with its tags."""
    return _experiment(
        wire_id(experiment),
        experiment,
        pairs(tags.items()),
    )


def found_experiment_json(found: FoundExperiment, tags: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """One experiment of a search."""
    return _experiment(DEFAULT_EXPERIMENT if found.is_default else str(found.id), found, pairs(tags))


def _experiment(wire: str, experiment: Any, tags: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "experiment_id": wire,
        "name": experiment.name,
        "artifact_location": location_of(wire, experiment.artifact_location),
        "lifecycle_stage": experiment.lifecycle,
        "creation_time": experiment.created_ms,
        "last_update_time": experiment.updated_ms,
        "tags": tags,
    }


# --- runs


def run_json(info: dict[str, Any], data: RunData = NO_DATA, links: RunLinks = NO_LINKS) -> dict[str, Any]:
    """A whole run."""
    run: dict[str, Any] = {
        "info": info,
        "data": {
            "metrics": [
                {"key": key, "value": number(value), "timestamp": ms, "step": step}
                for key, value, step, ms in data.metrics
            ],
            "params": pairs(data.params),
            "tags": pairs(data.tags),
        },
    }
    return run | _linked(data.inputs, links)


def record_json(record: RunRecord, inputs: Sequence[Input], links: RunLinks) -> dict[str, Any]:
    """A whole run of a search, whose lists are JSON already."""
    wire = DEFAULT_EXPERIMENT if record.experiment_is_default else str(record.experiment_id)
    listed = {"metrics": record.metrics, "params": record.params, "tags": record.tags}
    run: dict[str, Any] = {
        "info": _info(record, record.uid, wire, location_of(wire, record.artifact_location)),
        "data": {name: orjson.Fragment(f"[{items}]") for name, items in listed.items()},
    }
    return run | _linked(inputs, links)


def run_info(run: Any, experiment: Any) -> dict[str, Any]:
    """The head of a run that was read by itself."""
    wire = wire_id(experiment)
    return _info(run, run.uid.hex, wire, location_of(wire, experiment.artifact_location))


def _info(run: Any, uid: str, wire: str, location: str) -> dict[str, Any]:
    info: dict[str, Any] = {
        "run_id": uid,
        "run_uuid": uid,
        "run_name": run.name,
        "experiment_id": wire,
        "user_id": run.claimed_user,
        "status": run.status,
        "artifact_uri": f"{location}/{uid}/artifacts",
        "lifecycle_stage": run.lifecycle,
    }
    if run.started_ms is not None:
        info["start_time"] = run.started_ms
    if run.ended_ms is not None:
        info["end_time"] = run.ended_ms
    return info


def _linked(inputs: Sequence[Input], links: RunLinks) -> dict[str, Any]:
    """What went into a run, and the models that came out of it."""
    return {
        "inputs": _inputs(inputs, links),
        "outputs": {"model_outputs": [{"model_id": model, "step": step} for model, step in links.outputs]},
    }


def _inputs(inputs: Sequence[Input], links: RunLinks) -> dict[str, Any]:
    return {
        "dataset_inputs": [
            {
                "dataset": {
                    "name": given.name,
                    "digest": given.digest,
                    "source_type": given.source_type,
                    "source": given.source,
                }
                | ({"schema": given.schema} if given.schema else {})
                | ({"profile": given.profile} if given.profile else {}),
                "tags": pairs((json.loads(given.tags) if isinstance(given.tags, str) else given.tags).items()),
            }
            for given in inputs
        ],
        "model_inputs": [{"model_id": model} for model in links.inputs],
    }


# --- files


def files_json(entries: Iterable[Entry], *, by_name: bool = False) -> list[dict[str, Any]]:
    """One level of a folder. by_name: with the last part of each path alone."""
    return [
        {"path": entry.name if by_name else entry.path, "is_dir": entry.is_folder}
        | ({} if entry.size_bytes is None else {"file_size": entry.size_bytes})
        for entry in entries
    ]


# --- logged models


def model_json(model: Any, data: ModelData) -> dict[str, Any]:
    """A logged model with all that it holds."""
    info = {
        "model_id": model.model_id,
        "experiment_id": wire_id(model.experiment),
        "name": model.name,
        "creation_timestamp_ms": model.created_ms,
        "last_updated_timestamp_ms": model.updated_ms,
        "artifact_uri": model_uri(model.model_id, model.experiment),
        "status": _MODEL_STATUS[model.status],
        "model_type": model.model_type,
        "tags": pairs(data.tags),
        "registrations": [{"name": name, "version": str(number)} for name, number in data.registrations],
    }
    if model.source_run is not None:
        info["source_run_id"] = model.source_run.uid.hex
    metrics = [
        {
            "key": point.key,
            "value": number(point.value),
            "timestamp": point.at_ms,
            "step": point.step,
            "model_id": model.model_id,
            "dataset_name": point.dataset_name,
            "dataset_digest": point.dataset_digest,
            "run_id": point.run_uid,
        }
        for point in data.metrics
    ]
    return {"info": info, "data": {"params": pairs(data.params), "metrics": metrics}}
