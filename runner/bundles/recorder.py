"""What takes the place of a tracking server: as much of MLflow's protocol as one run needs, by the standard library."""

from __future__ import annotations

import json
import math
import threading
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Point = tuple[int, int, float]  # step, milliseconds, value


class Recorder:
    """Takes what one command logs. files: where its artifacts go."""

    def __init__(self, files: Path) -> None:
        self.run_id, self.files, self.lock = uuid.uuid4().hex, files, threading.Lock()
        self.runs: dict[str, dict[str, Any]] = {}
        self.models: dict[str, dict[str, str]] = {}
        self._run(self.run_id)

    def listening(self) -> _Listening:
        """As a context: the address that the command is told."""
        return _Listening(self)

    def last_values(self) -> dict[str, float]:
        """Of each metric its last value: by step, then time, then value, as MLflow orders them. Where the command began
        a run of its own instead, of that."""
        runs = [self.runs[self.run_id], *self.runs.values()]
        metrics: dict[str, list[Point]] = next((run["metrics"] for run in runs if run["metrics"]), {})
        return {key: max(points, key=_order)[2] for key, points in metrics.items()}

    def _run(self, run_id: str) -> dict[str, Any]:
        known: dict[str, Any] = {
            "metrics": {},
            "params": {},
            "tags": {},
            "status": "RUNNING",
            "start": int(time.time() * 1000),
        }
        return self.runs.setdefault(run_id, known)

    def answer(
        self, method: str, path: str, query: Mapping[str, Any], body: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """What the client hears; None for what is not known here."""
        with self.lock:
            noun, _, rest = path.partition("/")
            said = {**query, **body}
            if noun == "experiments":
                return self._experiment(rest, said)
            if noun == "runs":
                return self._on_run(rest, said)
            if noun == "metrics":
                return {"metrics": self._history(said)}
            return self._on_model(method, rest, said) if noun == "logged-models" else None

    def _experiment(self, rest: str, said: Mapping[str, Any]) -> dict[str, Any]:
        place = (self.files / "experiment").as_uri()
        one = {"experiment_id": "0", "name": "again", "lifecycle_stage": "active", "artifact_location": place}
        if rest == "create":
            return {"experiment_id": "0"}
        return {"experiments": [one]} if rest == "search" else {"experiment": one}

    def _on_run(self, rest: str, said: Mapping[str, Any]) -> dict[str, Any]:
        if rest == "create":
            run_id = uuid.uuid4().hex
            self._keep(run_id, {"tags": said.get("tags", [])})
            return {"run": self._told(run_id)}
        if rest == "search":
            return {"runs": [self._told(run_id) for run_id in self.runs]}
        run_id = said.get("run_id") or said.get("run_uuid") or self.run_id
        kinds = {"log-metric": "metrics", "log-parameter": "params", "set-tag": "tags"}
        if rest in kinds:
            self._keep(run_id, {kinds[rest]: [said]})
        elif rest == "log-batch":
            self._keep(run_id, said)
        elif rest == "update":
            self._run(run_id)["status"] = said.get("status", "RUNNING")
            return {"run_info": self._told(run_id)["info"]}
        elif rest == "get":
            return {"run": self._told(run_id)}
        return {}

    def _keep(self, run_id: str, batch: Mapping[str, Any]) -> None:
        run = self._run(run_id)
        for one in batch.get("metrics", ()):
            point = (int(one.get("step") or 0), int(one.get("timestamp") or 0), float(one.get("value", 0)))
            run["metrics"].setdefault(one["key"], []).append(point)
        for kind in ("params", "tags"):
            run[kind].update({one["key"]: str(one.get("value", "")) for one in batch.get(kind, ())})

    def _history(self, said: Mapping[str, Any]) -> list[dict[str, Any]]:
        points = self._run(said.get("run_id", self.run_id))["metrics"].get(said.get("metric_key", ""), [])
        return [_metric(said["metric_key"], point) for point in points]

    def _told(self, run_id: str) -> dict[str, Any]:
        run = self._run(run_id)
        place = (self.files / run_id).as_uri()
        info: dict[str, Any] = {
            "run_id": run_id,
            "run_uuid": run_id,
            "experiment_id": "0",
            "status": run["status"],
            "run_name": "again",
            "start_time": run["start"],
            "lifecycle_stage": "active",
            "artifact_uri": place,
        }
        lists: dict[str, list[dict[str, Any]]] = {
            kind: [{"key": key, "value": value} for key, value in run[kind].items()] for kind in ("params", "tags")
        }
        lists["metrics"] = [_metric(key, max(points, key=_order)) for key, points in run["metrics"].items()]
        return {"info": info, "data": lists, "inputs": {}, "outputs": {}}

    def _on_model(self, method: str, rest: str, said: Mapping[str, Any]) -> dict[str, Any] | None:
        model_id, _, part = rest.partition("/")
        if method == "POST" and not model_id:
            model_id = f"m-{uuid.uuid4().hex}"
            self.models[model_id] = {"name": said.get("name") or model_id, "status": "LOGGED_MODEL_PENDING"}
        model = self.models.get(model_id)
        if model is None:
            return None
        model["status"] = f"LOGGED_MODEL_{said['status']}" if str(said.get("status", "")).isalpha() else model["status"]
        info = {
            "model_id": model_id,
            "experiment_id": "0",
            "name": model["name"],
            "source_run_id": self.run_id,
            "creation_timestamp_ms": 0,
            "last_updated_timestamp_ms": 0,
            "status": said.get("status") or model["status"],
            "artifact_uri": (self.files / model_id).as_uri(),
        }
        return {} if part else {"model": {"info": info, "data": {"params": [], "metrics": []}}}


def _order(point: Point) -> tuple[int, int, bool, float]:
    """NaN is after all numbers, as there."""
    step, at, value = point
    return step, at, math.isnan(value), 0.0 if math.isnan(value) else value


def _metric(key: str, point: Point) -> dict[str, Any]:
    odd = "NaN" if math.isnan(point[2]) else "Infinity" if point[2] > 0 else "-Infinity"
    value = point[2] if math.isfinite(point[2]) else odd
    return {"key": key, "step": point[0], "timestamp": point[1], "value": value}


class _Listening:
    def __init__(self, recorder: Recorder) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (_Door,), {"recorder": recorder}))

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Door(BaseHTTPRequestHandler):
    recorder: Recorder
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        asked = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}") if length else {}
        query = {key: values[-1] for key, values in parse_qs(asked.query).items()}
        path = unquote(asked.path).strip("/").partition("mlflow/")[2]
        try:
            found = self.recorder.answer(self.command, path, query, body)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self._send(400, {"error_code": "INVALID_PARAMETER_VALUE", "message": str(error)})
            return
        unknown = {"error_code": "ENDPOINT_NOT_FOUND", "message": f"Not served here: {path}"}
        self._send(*((404, unknown) if found is None else (200, found)))

    def _send(self, status: int, told: Mapping[str, Any]) -> None:
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815  # as the standard library calls them

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what the command prints is all that is read."""
