"""Clients that write through the MLflow door and keep a journal of what was acknowledged, whatever happens."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

POINTS = 20  # in each batch
PIECE = 64 * 1024


@dataclass
class Journal:
    """What one client has sent. acknowledged: the server said so; sent: it may or may not have come through."""

    acknowledged: dict[str, Any] = field(default_factory=dict)
    sent: dict[str, Any] = field(default_factory=dict)
    answers: dict[int, int] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)

    def note(self, status: int) -> None:
        self.answers[status] = self.answers.get(status, 0) + 1


class Client(threading.Thread):
    """Writes one thing after the other until told to stop. What fails is sent again, as MLflow's client does."""

    def __init__(self, uri: str, token: str, run: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.uri, self.token, self.run_id = uri, token, run
        self.random = random.Random(seed)
        self.journal = Journal()
        self.stopping = threading.Event()
        self._session = self._new_session()

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.token}"
        return session

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            self._write_until_taken(number)
            number += 1

    def _write_until_taken(self, number: int) -> None:
        """The same write again and again; given up only when the test ends."""
        name, what = self.next_write(number)
        self.journal.sent[name] = what
        while True:
            status = self._attempt(name, what)
            if status == 200:
                self.journal.acknowledged[name] = what
                return
            if self.stopping.is_set():
                return
            time.sleep(0.05)

    def _attempt(self, name: str, what: Any) -> int:
        try:
            answer = self.write(name, what)
        except requests.RequestException:
            self._session.close()
            self._session = self._new_session()
            self.journal.note(0)
            return 0
        self.journal.note(answer.status_code)
        if answer.status_code not in (200, 503):
            self.journal.strange.append(f"{name}: {answer.status_code} {answer.text[:300]}")
        return answer.status_code

    def post(self, call: str, body: dict[str, Any]) -> requests.Response:
        return self._session.post(f"{self.uri}/api/2.0/mlflow/{call}", json=body, timeout=40)

    def next_write(self, number: int) -> tuple[str, Any]:
        raise NotImplementedError

    def write(self, name: str, what: Any) -> requests.Response:
        raise NotImplementedError


class BatchWriter(Client):
    """Batches of one param, one tag and POINTS points that belong together."""

    def next_write(self, number: int) -> tuple[str, Any]:
        return f"{number}", number

    def write(self, name: str, what: int) -> requests.Response:
        metrics = [
            {"key": f"curve{what % 3}", "value": what + 0.5, "timestamp": 1 + index, "step": what * POINTS + index}
            for index in range(POINTS)
        ]
        body = {
            "run_id": self.run_id,
            "metrics": metrics,
            "params": [{"key": f"p{name}", "value": name}],
            "tags": [{"key": f"t{name}", "value": name}],
        }
        return self.post("runs/log-batch", body)


class RunWriter(Client):
    """New runs, each with a tag."""

    experiment_id = "0"

    def next_write(self, number: int) -> tuple[str, Any]:
        return f"{self.run_id}-{number}", number

    def write(self, name: str, what: int) -> requests.Response:
        tags = [{"key": "made", "value": name}]
        return self.post("runs/create", {"experiment_id": self.experiment_id, "run_name": name, "tags": tags})


class FileWriter(Client):
    """Files that are sent slowly, so that a server can die in the middle of one."""

    root = ""

    def next_write(self, number: int) -> tuple[str, Any]:
        size = self.random.randrange(1, 12) * PIECE + self.random.randrange(PIECE)
        if number % 2:  # few bytes, which the database keeps at first
            size = self.random.randrange(8000)
        return f"{self.root}/part/{number}.bin", self.random.randbytes(size)

    def write(self, name: str, what: bytes) -> requests.Response:
        return self._session.put(
            f"{self.uri}/api/2.0/mlflow-artifacts/artifacts/{name}", data=self._pieces(what), timeout=40
        )

    def _pieces(self, content: bytes) -> Iterator[bytes]:
        for start in range(0, len(content), PIECE):
            yield content[start : start + PIECE]
            time.sleep(0.01)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def described(journals: list[Journal]) -> str:
    """Counts for a message of a test."""
    total: dict[int, int] = {}
    for journal in journals:
        for status, count in journal.answers.items():
            total[status] = total.get(status, 0) + count
    return json.dumps(total)
