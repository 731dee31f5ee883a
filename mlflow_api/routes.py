"""Every call of MLflow's protocol: who answers it, what it takes, and how far MLED serves it.

This table is also the documentation: docs/mlflow-coverage.md is made from it (`manage.py mlflow_coverage`).
Paths are those below /api/ and /ajax-api/; one that begins with a slash lies at the root.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from accounts.authentication import Presumed
from mlflow_api.bodies import MEGABYTE
from mlflow_api.calls import Reply
from mlflow_api.endpoints import (
    artifacts,
    experiments,
    logged_models,
    metrics,
    model_versions,
    multipart,
    proxy,
    registered_models,
    runs,
    server,
)
from mlflow_api.errors import NoSuchEndpoint, WrongMethod
from mlflow_api.messages import registry_requests as registry
from mlflow_api.messages import requests as ask
from mlflow_api.refused import FAMILIES


class Needs(StrEnum):
    """What a caller must bring. Which role may do it is said where the action or query is declared."""

    NOTHING = "nothing"
    TOKEN = "a token"  # noqa: S105 - not a secret
    READ = "a token with the scope 'read'"
    LOG = "a token with the scope 'log'"
    LINK = "an address that this server signed"


class Coverage(StrEnum):
    FULL = "full"
    PARTIAL = "partial"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Route:
    """One call. asks: the message it takes; None where the handler reads the request itself.

    straight: tried first where nothing has to be asked about the caller, with the message, or the call where there is
    none; its answer, True for the empty one, or False where it did nothing.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    needs: Needs
    asks: type | None = None
    coverage: Coverage = Coverage.FULL
    note: str = ""
    body_limit: int = 8 * MEGABYTE
    straight: Callable[[Presumed, Any, Any], Reply | bool] | None = None

    @property
    def is_refused(self) -> bool:
        return self.coverage is Coverage.REFUSED


READ, LOG, TOKEN, NOTHING, LINK = Needs.READ, Needs.LOG, Needs.TOKEN, Needs.NOTHING, Needs.LINK
FULL, PARTIAL = Coverage.FULL, Coverage.PARTIAL
_M2, _M3, _FILES = "2.0/mlflow/", "3.0/mlflow/", "2.0/mlflow-artifacts/"

ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/health", server.health, NOTHING),
    Route("GET", "/version", server.version, NOTHING),
    Route("GET", _M3 + "server-info", server.info, TOKEN),
    # experiments
    Route("POST", _M2 + "experiments/create", experiments.create, LOG, ask.CreateExperiment),
    Route("GET", _M2 + "experiments/get", experiments.get, READ, ask.OfExperiment),
    Route("GET", _M2 + "experiments/get-by-name", experiments.get_by_name, READ, ask.GetExperimentByName),
    Route("POST", _M2 + "experiments/search", experiments.search, READ, ask.SearchExperiments),
    Route("GET", _M2 + "experiments/search", experiments.search, READ, ask.SearchExperiments),
    Route("POST", _M2 + "experiments/update", experiments.update, LOG, ask.UpdateExperiment),
    Route("POST", _M2 + "experiments/delete", experiments.delete, LOG, ask.OfExperiment),
    Route("POST", _M2 + "experiments/restore", experiments.restore, LOG, ask.OfExperiment),
    Route("POST", _M2 + "experiments/set-experiment-tag", experiments.set_tag, LOG, ask.SetExperimentTag),
    Route("POST", _M2 + "experiments/delete-experiment-tag", experiments.delete_tag, LOG, ask.DeleteExperimentTag),
    # runs
    Route("POST", _M2 + "runs/create", runs.create, LOG, ask.CreateRun, straight=runs.create_straight),
    Route("GET", _M2 + "runs/get", runs.get, READ, ask.OfRun),
    Route("POST", _M2 + "runs/update", runs.update, LOG, ask.UpdateRun),
    Route("POST", _M2 + "runs/delete", runs.delete, LOG, ask.OfRun),
    Route("POST", _M2 + "runs/restore", runs.restore, LOG, ask.OfRun),
    Route("POST", _M2 + "runs/search", runs.search, READ, ask.SearchRuns),
    Route("POST", _M2 + "runs/set-tag", runs.set_tag, LOG, ask.SetTag),
    Route("POST", _M2 + "runs/delete-tag", runs.delete_tag, LOG, ask.DeleteTag),
    Route(
        "POST",
        _M2 + "runs/log-parameter",
        runs.log_parameter,
        LOG,
        ask.LogParameter,
        straight=runs.log_parameter_straight,
    ),
    Route(
        "POST",
        _M2 + "runs/log-metric",
        metrics.log_metric,
        LOG,
        ask.LogMetric,
        straight=metrics.log_metric_straight,
    ),
    Route(
        "POST",
        _M2 + "runs/log-batch",
        metrics.log_batch,
        LOG,
        ask.LogBatch,
        body_limit=32 * MEGABYTE,  # all that MLflow's own limits of numbers and lengths allow, in any script (ADR 60)
        straight=metrics.log_batch_straight,
    ),
    Route("POST", _M2 + "runs/log-inputs", runs.log_inputs, LOG, ask.LogInputs, body_limit=64 * MEGABYTE),
    Route("POST", _M2 + "runs/outputs", logged_models.log_outputs, LOG, ask.LogOutputs),
    Route("POST", _M2 + "runs/log-model", runs.log_model, LOG, ask.LogModel),
    # histories
    Route("GET", _M2 + "metrics/get-history", metrics.get_history, READ, ask.GetHistory),
    Route("GET", _M2 + "metrics/get-history-bulk", metrics.get_history_bulk, READ, ask.GetHistoryBulk),
    Route("GET", _M2 + "metrics/get-history-bulk-interval", metrics.get_history_interval, READ, ask.GetHistoryInterval),
    # files
    Route("GET", _M2 + "artifacts/list", artifacts.list_of_run, READ, ask.ListArtifacts),
    Route("GET", "/get-artifact", artifacts.get_of_run, READ, ask.GetArtifact),
    Route("GET", _FILES + "artifacts", proxy.list_folder, READ, ask.ListProxied),
    Route("GET", _FILES + "artifacts/{path:any}", proxy.download, READ, straight=proxy.download_straight),
    Route("PUT", _FILES + "artifacts/{path:any}", proxy.upload, LOG, straight=proxy.upload_straight),
    Route("DELETE", _FILES + "artifacts/{path:any}", proxy.delete, LOG),
    Route("POST", _FILES + "mpu/create/{path:any}", multipart.create, LOG, ask.CreateParts),
    Route("PUT", multipart.PART_PATH, multipart.send_part, LINK, note="MLED's own: where a file's parts go"),
    Route("POST", _FILES + "mpu/complete/{path:any}", multipart.complete, LOG, ask.CompleteParts),
    Route("POST", _FILES + "mpu/abort/{path:any}", multipart.abort, LOG, ask.AbortParts),
    Route(
        "GET",
        _FILES + "presigned/{path:any}",
        multipart.presigned,
        READ,
        coverage=PARTIAL,
        note="where clients reach the object store; else 501, and clients fall back",
    ),
    # logged models
    Route("POST", _M2 + "logged-models", logged_models.create, LOG, ask.CreateLoggedModel),
    Route("POST", _M2 + "logged-models/search", logged_models.search, READ, ask.SearchLoggedModels),
    Route("GET", _M2 + "logged-models/{model_id}", logged_models.get, READ, ask.Nothing),
    Route("PATCH", _M2 + "logged-models/{model_id}", logged_models.finalize, LOG, ask.FinalizeLoggedModel),
    Route("DELETE", _M2 + "logged-models/{model_id}", logged_models.delete, LOG, ask.Nothing),
    Route("PATCH", _M2 + "logged-models/{model_id}/tags", logged_models.set_tags, LOG, ask.SetLoggedModelTags),
    Route("DELETE", _M2 + "logged-models/{model_id}/tags/{key:any}", logged_models.delete_tag, LOG, ask.Nothing),
    Route("POST", _M2 + "logged-models/{model_id}/params", logged_models.log_params, LOG, ask.LogLoggedModelParams),
    Route(
        "GET",
        _M2 + "logged-models/{model_id}/artifacts/directories",
        logged_models.list_files,
        READ,
        ask.ListModelFiles,
    ),
    # registered models
    Route("POST", _M2 + "registered-models/create", registered_models.create, LOG, registry.CreateRegisteredModel),
    Route("GET", _M2 + "registered-models/get", registered_models.get, READ, registry.OfModel),
    Route("GET", _M2 + "registered-models/search", registered_models.search, READ, registry.SearchRegistry),
    Route("PATCH", _M2 + "registered-models/update", registered_models.update, LOG, registry.UpdateRegisteredModel),
    Route("POST", _M2 + "registered-models/rename", registered_models.rename, LOG, registry.RenameRegisteredModel),
    Route("DELETE", _M2 + "registered-models/delete", registered_models.delete, LOG, registry.OfModel),
    Route(
        "POST",
        _M2 + "registered-models/get-latest-versions",
        registered_models.get_latest,
        READ,
        registry.GetLatestVersions,
    ),
    Route(
        "GET",
        _M2 + "registered-models/get-latest-versions",
        registered_models.get_latest,
        READ,
        registry.GetLatestVersions,
    ),
    Route("POST", _M2 + "registered-models/set-tag", registered_models.set_tag, LOG, registry.SetModelTag),
    Route("DELETE", _M2 + "registered-models/delete-tag", registered_models.delete_tag, LOG, registry.DeleteModelTag),
    Route("POST", _M2 + "registered-models/alias", registered_models.set_alias, LOG, registry.SetAlias),
    Route("DELETE", _M2 + "registered-models/alias", registered_models.delete_alias, LOG, registry.OfAlias),
    Route("GET", _M2 + "registered-models/alias", registered_models.get_by_alias, READ, registry.OfAlias),
    # model versions
    Route("POST", _M2 + "model-versions/create", model_versions.create, LOG, registry.CreateModelVersion),
    Route("GET", _M2 + "model-versions/get", model_versions.get, READ, registry.OfVersion),
    Route("GET", _M2 + "model-versions/get-download-uri", model_versions.get_download_uri, READ, registry.OfVersion),
    Route("GET", _M2 + "model-versions/search", model_versions.search, READ, registry.SearchRegistry),
    Route("PATCH", _M2 + "model-versions/update", model_versions.update, LOG, registry.UpdateModelVersion),
    Route("DELETE", _M2 + "model-versions/delete", model_versions.delete, LOG, registry.OfVersion),
    Route(
        "POST", _M2 + "model-versions/transition-stage", model_versions.transition_stage, LOG, registry.TransitionStage
    ),
    Route("POST", _M2 + "model-versions/set-tag", model_versions.set_tag, LOG, registry.SetVersionTag),
    Route("DELETE", _M2 + "model-versions/delete-tag", model_versions.delete_tag, LOG, registry.DeleteVersionTag),
    *(
        Route(method, path, server.nothing, TOKEN, None, Coverage.REFUSED, family.why)
        for family in FAMILIES
        for method, path in family.calls
    ),
)


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route of a path below the tracking URI, and what stands in its placeholders.

    Raises NoSuchEndpoint, WrongMethod.
    """
    routes, named = _routes_at(_below_api(path))
    route = routes.get(method) or (routes.get("GET") if method == "HEAD" else None)
    if route is None:
        raise WrongMethod(method[:20], sorted(routes))
    return route, named


def _below_api(path: str) -> str:
    for root in ("/api/", "/ajax-api/"):
        if path.startswith(root):
            return path[len(root) :]
    return path


def _routes_at(path: str) -> tuple[dict[str, Route], dict[str, str]]:
    exact = _EXACT.get(path)
    if exact is not None:
        return exact, {}
    for pattern, routes in _PATTERNS:
        found = pattern.fullmatch(path)
        if found is not None:
            return routes, found.groupdict()
    raise NoSuchEndpoint(f"The protocol has no endpoint '{path[:120]}'.", hint="Check the tracking URI.")


def _by_path() -> Iterator[tuple[str, dict[str, Route]]]:
    found: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        methods = found.setdefault(route.path, {})
        if route.method in methods:
            raise ValueError(f"{route.method} {route.path} stands twice in the table.")
        methods[route.method] = route
    yield from found.items()


def _pattern(path: str) -> re.Pattern[str]:
    """'{name}' stands for one part of a path, '{name:any}' for the rest of it."""
    text = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
    return re.compile(re.sub(r"\\\{(\w+):any\\\}", r"(?P<\1>.+)", text), re.DOTALL)


_EXACT: Final = {path: methods for path, methods in _by_path() if "{" not in path}
_PATTERNS: Final = [(_pattern(path), methods) for path, methods in _by_path() if "{" in path]
