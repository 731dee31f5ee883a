"""Speak MLflow's protocol to a live server call by call, and name what it answers."""

import os
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

PEER_URL = os.environ.get("MLED_CLIENT_TESTS_URL", "")
PEER_TOKEN = os.environ.get("MLED_CLIENT_TESTS_TOKEN", "")

# Marks what MLED states on purpose beyond or unlike MLflow's own server, so that the rest can check itself there.
mled_only = pytest.mark.skipif(bool(PEER_URL), reason="MLED's own answer; the server under test is another one")


@dataclass(frozen=True)
class Refusal:
    """An error as a client tells errors apart. The words are compared only where a test looks at them."""

    status: int
    code: str
    message: str = field(default="", compare=False)


INVALID = Refusal(400, "INVALID_PARAMETER_VALUE")
MISSING = Refusal(404, "RESOURCE_DOES_NOT_EXIST")
TAKEN = Refusal(400, "RESOURCE_ALREADY_EXISTS")


def unique(prefix: str) -> str:
    return f"{prefix} {uuid.uuid4().hex[:12]}"


class Wire:
    """One client's connection. `post` and `get` expect success; `refused` expects a clear error."""

    def __init__(self, base: str, token: str) -> None:
        self.base = base.rstrip("/")
        self.token = token
        self.session = requests.Session()
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def another(self) -> "Wire":
        """A second client with the same rights, for threads."""
        return Wire(self.base, self.token)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any request below the tracking URI, as it is: no redirects, nothing expected."""
        return self.session.request(method, f"{self.base}/{path}", timeout=60, allow_redirects=False, **options)

    def _answer(self, method: str, path: str, **options: Any) -> Any:
        answer = self.call(method, f"api/2.0/mlflow/{path}", **options)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text[:400]}"
        return answer.json()

    def post(self, path: str, /, **body: Any) -> Any:
        return self._answer("POST", path, json=body)

    def patch(self, path: str, /, **body: Any) -> Any:
        return self._answer("PATCH", path, json=body)

    def delete(self, path: str, /, **body: Any) -> Any:
        return self._answer("DELETE", path, json=body)

    def get(self, path: str, /, **params: Any) -> Any:
        return self._answer("GET", path, params=params)

    def refused(self, path: str, /, *, method: str = "POST", **asked: Any) -> Refusal:
        """The error that a call meets. A user's mistake must never look like the server's (5xx: the client retries)."""
        where = {"params": asked} if method == "GET" else {"json": asked}
        answer = self.call(method, f"api/2.0/mlflow/{path}", **where)
        assert 400 <= answer.status_code < 500, f"{path} answered {answer.status_code}: {answer.text[:400]}"
        said = answer.json()
        return Refusal(answer.status_code, said["error_code"], said["message"])

    # The few things that nearly every test needs.

    def new_experiment(self, **fields: Any) -> str:
        return str(self.post("experiments/create", **{"name": unique("experiment"), **fields})["experiment_id"])

    def new_run(self, experiment_id: str, **fields: Any) -> str:
        return str(self.post("runs/create", experiment_id=experiment_id, **fields)["run"]["info"]["run_id"])

    def run(self, run_id: str) -> Any:
        return self.get("runs/get", run_id=run_id)["run"]

    def tags(self, run_id: str) -> dict[str, str]:
        return {tag["key"]: tag.get("value", "") for tag in self.run(run_id)["data"].get("tags", [])}

    def params(self, run_id: str) -> dict[str, str]:
        return {param["key"]: param.get("value", "") for param in self.run(run_id)["data"].get("params", [])}

    def latest(self, run_id: str) -> dict[str, Any]:
        """The latest metric per key as (value, step, timestamp)."""
        metrics = self.run(run_id)["data"].get("metrics", [])
        return {one["key"]: (one["value"], one.get("step", 0), one["timestamp"]) for one in metrics}

    def history(self, run_id: str, key: str) -> list[tuple[Any, int, int]]:
        """Every point of a curve as (value, step, timestamp), in the order of the answer."""
        points = self.get("metrics/get-history", run_id=run_id, metric_key=key).get("metrics", [])
        return [(point["value"], point.get("step", 0), point["timestamp"]) for point in points]

    def log(self, run_id: str, key: str, value: Any, *, step: int = 0, at: int = 1000) -> None:
        self.post("runs/log-metric", run_id=run_id, key=key, value=value, step=step, timestamp=at)
