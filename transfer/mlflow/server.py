"""A running MLflow server as a source, over the protocol that its own client speaks."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from artifacts.storage import Incoming
from experiments.metrics.batch import Points
from kernel.errors import NotFound
from transfer.mlflow.folders import Files
from transfer.mlflow.http import Speaking, path_of
from transfer.mlflow.points import as_points
from transfer.mlflow.records import (
    FilesAway,
    NotReadable,
    SourceDataset,
    SourceExperiment,
    SourceFile,
    SourceMetric,
    SourceModel,
    SourceRegistered,
    SourceRun,
    SourceVersion,
    model_in,
    origin_of,
)

_API: Final = "/api/2.0/mlflow"
_PROXY: Final = "/api/2.0/mlflow-artifacts/artifacts"
_RUNS_AT_ONCE: Final = 200
_POINTS_AT_ONCE: Final = 20_000
_WHOLE_AT_ONCE: Final = 24
_AT_ONCE: Final = 8  # requests side by side, for the metrics of one run
_PROMPTS: Final = "tags.`mlflow.prompt.is_prompt` = 'true'"
_STATUS: Final = {"LOGGED_MODEL_READY": "READY", "LOGGED_MODEL_UPLOAD_FAILED": "FAILED"}


class ServerSource:
    """Reads what the server gives to anyone who may read it all; what it serves of deleted things too.

    files: where artifacts are that the server itself cannot hand out; None where it serves them.
    """

    def __init__(self, speaking: Speaking, files: Files | None = None, *, with_files: bool = True) -> None:
        self._http, self._elsewhere, self._with_files = speaking, files, with_files
        self._keys: dict[str, list[str]] = {}  # the metrics of the runs that were read last
        self._side_by_side = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="mlflow")

    def origin(self) -> str:
        return origin_of(self.experiments(), self._http.address)

    def told(self) -> str:
        return f"the MLflow server at {self._http.address}"

    def notes(self) -> Iterable[str]:
        return ()

    # --- experiments and runs

    def experiments(self) -> Iterator[SourceExperiment]:
        asked = {"view_type": "ALL", "max_results": 1000, "order_by": ["creation_time ASC"]}
        for one in self._pages("/experiments/search", "experiments", asked):
            yield SourceExperiment(
                str(one["experiment_id"]),
                str(one["name"]),
                is_deleted=one.get("lifecycle_stage") == "deleted",
                created_ms=_whole(one.get("creation_time")),
                tags=_pairs(one.get("tags")),
            )

    def count_runs(self, experiment_id: str) -> int | None:
        return None

    def runs(self, experiment_id: str) -> Iterator[SourceRun]:
        asked = {
            "experiment_ids": [experiment_id],
            "run_view_type": "ALL",
            "max_results": _RUNS_AT_ONCE,
            "order_by": ["attributes.start_time ASC"],
        }
        found = self._pages("/runs/search", "runs", asked)
        while some := [str(one["info"]["run_id"]) for one in islice(found, _WHOLE_AT_ONCE)]:
            yield from self._side_by_side.map(self.run, some)  # a search leaves out models that went in and out

    def run(self, run_id: str) -> SourceRun:
        whole = self._ask("/runs/get", {"run_id": run_id})["run"]
        self._keys[run_id] = [str(one["key"]) for one in (whole.get("data") or {}).get("metrics") or []]
        while len(self._keys) > 4 * _WHOLE_AT_ONCE:
            self._keys.pop(next(iter(self._keys)), None)
        return _run(whole)

    def history(self, run_id: str) -> Iterator[tuple[str, Points]]:
        if run_id not in self._keys:
            self.run(run_id)
        keys = deque(sorted(self._keys.get(run_id, ())))
        under_way: deque[tuple[str, Any]] = deque()
        while keys or under_way:
            while keys and len(under_way) < _AT_ONCE:
                key = keys.popleft()
                under_way.append((key, self._side_by_side.submit(self._series, run_id, key)))
            key, found = under_way.popleft()
            yield key, found.result()

    def _series(self, run_id: str, key: str) -> Points:
        return as_points(
            (_int(one.get("step", 0)), _int(one["timestamp"]), _number(one.get("value", 0)))
            for one in self._history_pages(run_id, key)
        )

    def _history_pages(self, run_id: str, key: str) -> Iterator[Mapping[str, Any]]:
        query = {"run_id": run_id, "metric_key": key, "max_results": str(_POINTS_AT_ONCE)}
        token = ""
        while True:
            answer = self._ask("/metrics/get-history", query | ({"page_token": token} if token else {}))
            yield from answer.get("metrics") or []
            token = answer.get("next_page_token") or ""
            if not token:
                return

    # --- models

    def models(self, experiment_id: str) -> Iterator[SourceModel]:
        asked = {"experiment_ids": [experiment_id], "max_results": 50}
        try:
            yield from map(_model, self._pages("/logged-models/search", "models", asked))
        except NotFound:  # MLflow before 3.0 has none
            return

    def registered(self) -> Iterator[SourceRegistered]:
        for condition in ("", _PROMPTS):
            query = {"max_results": 100} | ({"filter": condition} if condition else {})
            for one in self._pages("/registered-models/search", "registered_models", query, posted=False):
                yield self._registered(one, prompt=bool(condition))

    def _registered(self, one: Mapping[str, Any], *, prompt: bool) -> SourceRegistered:
        name = str(one["name"])
        quote = '"' if "'" in name else "'"
        condition = f"name = {quote}{name}{quote}" + (f" AND {_PROMPTS}" if prompt else "")
        query = {"filter": condition, "max_results": 1000}
        versions = self._pages("/model-versions/search", "model_versions", query, posted=False)
        return SourceRegistered(
            name,
            description=one.get("description") or "",
            created_ms=_whole(one.get("creation_timestamp")),
            tags=_pairs(one.get("tags")),
            aliases={str(alias["alias"]): _int(alias["version"]) for alias in one.get("aliases") or []},
            versions=tuple(sorted(map(_version, versions), key=lambda version: version.number)),
        )

    # --- files

    def files(self, owner: SourceRun | SourceModel) -> Iterator[SourceFile]:
        if not self._with_files:
            return
        if self._elsewhere is not None and not owner.files_at.startswith("mlflow-artifacts:"):
            yield from self._elsewhere.below(owner)
            return
        folders = deque([""])
        while folders:
            folder = folders.popleft()
            for path, is_folder, size in sorted(self._listed(owner, folder)):
                if is_folder:
                    folders.append(path)
                else:
                    yield SourceFile(path, size)

    def _listed(self, owner: SourceRun | SourceModel, folder: str) -> Iterator[tuple[str, bool, int | None]]:
        """One level: paths from the top of the run or model."""
        if owner.files_at.startswith("mlflow-artifacts:"):
            place = _proxied(owner.files_at)
            found = self._http.ask(_PROXY, {"path": f"{place}/{folder}" if folder else place}).get("files")
            for one in found or []:
                name = str(one["path"]).rpartition("/")[2]
                yield f"{folder}/{name}" if folder else name, bool(one.get("is_dir")), _size(one)
            return
        try:
            for one in self._given(owner, folder):
                yield str(one["path"]), bool(one.get("is_dir")), _size(one)
        except (NotFound, NotReadable) as error:
            raise FilesAway(f"The server does not list them: {error.message}") from None

    def _given(self, owner: SourceRun | SourceModel, folder: str) -> Iterator[Mapping[str, Any]]:
        if isinstance(owner, SourceModel):
            query = {"artifact_directory_path": folder} if folder else {}
            answer = self._ask(f"/logged-models/{owner.id}/artifacts/directories", query)
            yield from answer.get("files") or []
            return
        token = ""
        while True:
            query = (
                {"run_id": owner.id} | ({"path": folder} if folder else {}) | ({"page_token": token} if token else {})
            )
            answer = self._ask("/artifacts/list", query)
            yield from answer.get("files") or []
            token = answer.get("next_page_token") or ""
            if not token:
                return

    def open(self, owner: SourceRun | SourceModel, file: SourceFile) -> AbstractContextManager[Incoming]:
        if self._elsewhere is not None and not owner.files_at.startswith("mlflow-artifacts:"):
            return self._elsewhere.open(owner, file)
        if owner.files_at.startswith("mlflow-artifacts:"):
            return self._http.fetch(f"{_PROXY}/{path_of(_proxied(owner.files_at, file.path))}")
        if isinstance(owner, SourceModel):
            place = f"/ajax-api/2.0/mlflow/logged-models/{owner.id}/artifacts/files"
            return self._http.fetch(place, {"artifact_file_path": file.path})
        return self._http.fetch("/get-artifact", {"run_uuid": owner.id, "path": file.path})

    def close(self) -> None:
        self._side_by_side.shutdown(wait=False, cancel_futures=True)
        self._http.close()
        if self._elsewhere is not None:
            self._elsewhere.close()

    # --- the wire

    def _ask(self, path: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
        return _object(self._http.ask(_API + path, query))

    def _pages(
        self, path: str, name: str, asked: Mapping[str, Any], *, posted: bool = True
    ) -> Iterator[Mapping[str, Any]]:
        token = ""
        while True:
            wanted = {**asked, **({"page_token": token} if token else {})}
            answer = _object(self._http.ask(_API + path, body=wanted)) if posted else self._ask(path, wanted)
            yield from answer.get(name) or []
            token = answer.get("next_page_token") or ""
            if not token:
                return


def _object(answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer, dict):
        raise NotReadable("The server does not answer as MLflow does.")
    return answer


def _run(one: Mapping[str, Any]) -> SourceRun:
    info, data = one["info"], one.get("data") or {}
    inputs, outputs = one.get("inputs") or {}, one.get("outputs") or {}
    return SourceRun(
        str(info.get("run_id") or info["run_uuid"]),
        str(info["experiment_id"]),
        name=info.get("run_name") or "",
        status=str(info.get("status") or "RUNNING"),
        user=info.get("user_id") or "",
        started_ms=_whole(info.get("start_time")),
        ended_ms=_whole(info.get("end_time")),
        is_deleted=info.get("lifecycle_stage") == "deleted",
        files_at=info.get("artifact_uri") or "",
        params=_pairs(data.get("params")),
        tags=_pairs(data.get("tags")),
        datasets=tuple(
            sorted(map(_dataset, inputs.get("dataset_inputs") or []), key=lambda one: (one.name, one.digest))
        ),
        model_inputs=tuple(sorted(str(given["model_id"]) for given in inputs.get("model_inputs") or [])),
        model_outputs=tuple(
            sorted((str(given["model_id"]), _int(given.get("step", 0))) for given in outputs.get("model_outputs") or [])
        ),
    )


def _dataset(one: Mapping[str, Any]) -> SourceDataset:
    given = one["dataset"]
    texts = {
        name: str(given.get(name) or "") for name in ("name", "digest", "source_type", "source", "schema", "profile")
    }
    return SourceDataset(**texts, tags=_pairs(one.get("tags")))


def _model(one: Mapping[str, Any]) -> SourceModel:
    info, data = one["info"], one.get("data") or {}
    return SourceModel(
        str(info["model_id"]),
        str(info["experiment_id"]),
        str(info.get("name") or ""),
        model_type=info.get("model_type") or "",
        run_id=info.get("source_run_id") or "",
        status=_STATUS.get(str(info.get("status")), "PENDING"),
        created_ms=_whole(info.get("creation_timestamp_ms")),
        files_at=info.get("artifact_uri") or "",
        params=_pairs(data.get("params")),
        tags=_pairs(info.get("tags")),
        metrics=tuple(sorted(map(_metric, data.get("metrics") or []), key=SourceMetric.place)),
    )


def _metric(one: Mapping[str, Any]) -> SourceMetric:
    value = _number(one.get("value", 0))
    return SourceMetric(
        str(one["key"]),
        None if value != value else value,
        _int(one.get("step", 0)),
        _int(one["timestamp"]),
        str(one.get("run_id") or ""),
        dataset_name=one.get("dataset_name") or "",
        dataset_digest=one.get("dataset_digest") or "",
    )


def _version(one: Mapping[str, Any]) -> SourceVersion:
    return SourceVersion(
        _int(one["version"]),
        source=one.get("source") or "",
        model_id=one.get("model_id") or model_in(one.get("source") or ""),
        run_id=one.get("run_id") or "",
        run_link=one.get("run_link") or "",
        status=str(one.get("status") or "READY"),
        stage=one.get("current_stage") or "None",
        description=one.get("description") or "",
        created_ms=_whole(one.get("creation_timestamp")),
        tags=_pairs(one.get("tags")),
    )


def _proxied(address: str, path: str = "") -> str:
    """Where the proxy of artifacts has it. Raises FilesAway for what leads to another address of that server."""
    place = f"{urlsplit(address).path.strip('/')}/{path}".strip("/")
    if {".", ".."} & set(place.split("/")):
        raise FilesAway(f"'{place[:200]}' leads out of the artifacts.")
    return place


def _pairs(given: Sequence[Mapping[str, Any]] | None) -> dict[str, str]:
    return {
        str(one["key"]): str(one.get("value") or "") for one in sorted(given or [], key=lambda one: str(one["key"]))
    }


def _int(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise NotReadable(f"The server says '{str(value)[:40]}' where a whole number belongs.") from None


def _whole(value: Any) -> int | None:
    return None if value is None else _int(value)


def _size(one: Mapping[str, Any]) -> int | None:
    """How large a file is: MLflow leaves out a 0."""
    return None if one.get("is_dir") else _int(one.get("file_size") or 0)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise NotReadable(f"The server says '{str(value)[:40]}' where a number belongs.") from None
