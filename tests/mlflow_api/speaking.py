"""Speak MLflow's protocol to the door inside this process, and one good request for each call that is served."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from mlflow_api.routes import ROUTES, Route
from tests.factories import Everything

SERVED = [route for route in ROUTES if not route.is_refused]
# A good answer takes an upload of one's own, or a store that clients reach: tests/client/test_multipart.py.
ELSEWHERE = {"mpu/part/{upload_id}/{number}", "mpu/complete/{path:any}", "presigned/{path:any}"}
ANSWERED = [route for route in SERVED if route.path.removeprefix("2.0/mlflow-artifacts/") not in ELSEWHERE]
REFUSED = [route for route in ROUTES if route.is_refused]


def name_of(route: Route) -> str:
    """A route in a test's name."""
    return f"{route.method} {route.path}"


class Mlflow:
    """One client: a token, and the root that its tracking URI leads to."""

    def __init__(self, token: str = "", root: str = "") -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.client = Client(headers=headers, raise_request_exception=False)
        self.root = root

    def send(self, method: str, path: str, asked: Any = None, *, body: bytes | None = None, **more: Any) -> Any:
        """A request; what is asked goes into the query of a GET and into the JSON body of anything else."""
        where = f"{self.root}{path if path.startswith('/') else f'/api/{path}'}"
        if method == "GET":
            return self.client.get(where, asked or {}, **more)
        content = json.dumps(asked or {}).encode() if body is None else body
        return self.client.generic(method, where, content, **{"content_type": "application/json", **more})

    def make(self, request: Request) -> Any:
        """Send a prepared request."""
        return self.send(request.route.method, request.path, request.asked, body=request.body)

    def ask(self, method: str, path: str, /, **asked: Any) -> Any:
        """The JSON of a call that succeeds."""
        answer = self.send(method, path if path[0] in "/23" else f"2.0/mlflow/{path}", asked)
        assert answer.status_code == 200, answer.content.decode()
        return json.loads(b"".join(answer.streaming_content) if answer.streaming else answer.content)

    def get(self, path: str, /, **asked: Any) -> Any:
        return self.ask("GET", path, **asked)

    def post(self, path: str, /, **asked: Any) -> Any:
        return self.ask("POST", path, **asked)


def error_of(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal, which is JSON with a message."""
    said = json.loads(answer.content)
    assert said["message"]
    assert answer["Content-Type"] == "application/json"
    return answer.status_code, said["error_code"]


@dataclass(frozen=True)
class Request:
    """A request that the one who may make it can make with success."""

    route: Route
    path: str
    asked: dict[str, Any]
    body: bytes | None = None


def good_request(route: Route, of: Everything) -> Request:
    """A request for this route about these things. Fails for a route that nobody thought of here."""
    short = route.path.removeprefix("2.0/mlflow/").removeprefix("2.0/mlflow-artifacts/")
    experiment, run, model = str(of.experiment.pk), of.run.uid.hex, of.model.model_id
    folder = f"{experiment}/{run}/artifacts"
    asked: dict[str, dict[str, Any]] = {
        "/health": {},
        "/version": {},
        "3.0/mlflow/server-info": {},
        "experiments/create": {"name": "another"},
        "experiments/get": {"experiment_id": experiment},
        "experiments/get-by-name": {"experiment_name": of.experiment.name},
        "experiments/search": {"max_results": 10},
        "experiments/update": {"experiment_id": experiment, "new_name": "renamed"},
        "experiments/delete": {"experiment_id": experiment},
        "experiments/restore": {"experiment_id": experiment},
        "experiments/set-experiment-tag": {"experiment_id": experiment, "key": "k", "value": "v"},
        "experiments/delete-experiment-tag": {"experiment_id": experiment, "key": "secret-tag"},
        "runs/create": {"experiment_id": experiment},
        "runs/get": {"run_id": run},
        "runs/update": {"run_id": run, "status": "FINISHED", "end_time": 5},
        "runs/delete": {"run_id": run},
        "runs/restore": {"run_id": run},
        "runs/search": {"experiment_ids": [experiment]},
        "runs/set-tag": {"run_id": run, "key": "k", "value": "v"},
        "runs/delete-tag": {"run_id": run, "key": "secret-tag"},
        "runs/log-parameter": {"run_id": run, "key": "k", "value": "v"},
        "runs/log-metric": {"run_id": run, "key": "k", "value": 1, "timestamp": 1},
        "runs/log-batch": {
            "run_id": run,
            "metrics": [{"key": "k", "value": 1, "timestamp": 1}],
            "params": [],
            "tags": [],
        },
        "runs/log-inputs": {"run_id": run, "datasets": [], "models": [{"model_id": model}]},
        "runs/outputs": {"run_id": run, "models": [{"model_id": model, "step": 1}]},
        "runs/log-model": {
            "run_id": run,
            "model_json": '{"artifact_path": "m", "flavors": {}, "utc_time_created": "2026"}',
        },
        "metrics/get-history": {"run_id": run, "metric_key": "secret-loss"},
        "metrics/get-history-bulk": {"run_id": run, "metric_key": "secret-loss"},
        "metrics/get-history-bulk-interval": {"run_ids": run, "metric_key": "secret-loss"},
        "artifacts/list": {"run_id": run},
        "/get-artifact": {"run_id": run, "path": "secret/secret.txt"},
        "artifacts": {"path": folder},
        "artifacts/{path:any}": {},
        "logged-models": {"experiment_id": experiment, "name": "net"},
        "logged-models/search": {"experiment_ids": [experiment]},
        "logged-models/{model_id}": {"status": "LOGGED_MODEL_READY"} if route.method == "PATCH" else {},
        "logged-models/{model_id}/tags": {"tags": [{"key": "k", "value": "v"}]},
        "logged-models/{model_id}/tags/{key:any}": {},
        "logged-models/{model_id}/params": {"params": [{"key": "k", "value": "v"}]},
        "logged-models/{model_id}/artifacts/directories": {},
    }
    name, version = of.version.model.name, {"name": of.version.model.name, "version": str(of.version.number)}
    asked |= {
        "registered-models/create": {"name": "another"},
        "registered-models/get": {"name": name},
        "registered-models/search": {"max_results": 10},
        "registered-models/update": {"name": name, "description": "d"},
        "registered-models/rename": {"name": name, "new_name": "renamed"},
        "registered-models/delete": {"name": name},
        "registered-models/get-latest-versions": {"name": name},
        "registered-models/set-tag": {"name": name, "key": "k", "value": "v"},
        "registered-models/delete-tag": {"name": name, "key": "secret-tag"},
        "registered-models/alias": {
            **({"name": name} if route.method != "POST" else version),
            "alias": "secret-alias",
        },
        "model-versions/create": {"name": name, "source": f"models:/{model}", "model_id": model},
        "model-versions/get": version,
        "model-versions/get-download-uri": version,
        "model-versions/search": {"max_results": 10},
        "model-versions/update": {**version, "description": "d"},
        "model-versions/delete": version,
        "model-versions/transition-stage": {**version, "stage": "Staging", "archive_existing_versions": True},
        "model-versions/set-tag": {**version, "key": "k", "value": "v"},
        "model-versions/delete-tag": {**version, "key": "secret-tag"},
    }
    upload = {"path": "/tmp/a.bin", "upload_id": of.upload.pk.hex}
    asked |= {
        "mpu/create/{path:any}": {"path": "/tmp/a.bin", "num_parts": 2},
        "mpu/part/{upload_id}/{number}": {},
        "mpu/complete/{path:any}": {**upload, "parts": [{"part_number": 1, "etag": "e"}]},
        "mpu/abort/{path:any}": upload,
        "presigned/{path:any}": {},
    }
    path = route.path.replace("{model_id}", model).replace("{key:any}", "secret")
    path = path.replace("{path:any}", folder if "/mpu/" in path else f"{folder}/secret/secret.txt")
    path = path.replace("{upload_id}", of.upload.pk.hex).replace("{number}", "1")
    return Request(route, path, asked[short], b"bytes" if route.method == "PUT" else None)
