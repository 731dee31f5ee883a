"""Large files through a real server, in both directions: its processes never hold one."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
import pytest

from tests.factories import unique
from tests.services.live import LiveMled

pytestmark = pytest.mark.once
MB = 1 << 20


class Traffic:
    """A client of one run's files that makes what it sends as it goes, and hashes what it gets."""

    def __init__(self, live: LiveMled) -> None:
        self.live, self.project = live, unique("large")
        address = f"{self.project}@example.org"
        live.create_user(address)
        live.create_project(self.project)
        live.add_member(self.project, address, "ml_engineer")
        self.token = live.issue_token(address, project=self.project)
        body = json.dumps({"experiment_id": "0"}).encode()
        run = json.loads(b"".join(self.ask("POST", "api/2.0/mlflow/runs/create", body, len(body))))
        self.files = "api/2.0/mlflow-artifacts/artifacts/" + run["run"]["info"]["artifact_uri"].partition(":/")[2]

    def ask(self, method: str, path: str, body: object = None, size: int = 0) -> Iterator[bytes]:
        base = urlsplit(self.live.tracking_uri(self.project))
        line = http.client.HTTPConnection(base.hostname or "", base.port, timeout=120)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        line.request(method, f"{base.path}/{path}", body, headers | {"Content-Length": str(size)})  # type: ignore[arg-type]
        answer = line.getresponse()
        assert answer.status == 200, answer.read()
        while data := answer.read(MB):
            yield data
        line.close()

    def there_and_back(self, name: str, mebibytes: int) -> bool:
        sent, got = hashlib.sha256(), hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            for number in range(mebibytes):
                piece = f"{name} {number:10d} ".encode().ljust(MB, b".")
                sent.update(piece)
                yield piece

        list(self.ask("PUT", f"{self.files}/{name}", pieces(), mebibytes * MB))
        for data in self.ask("GET", f"{self.files}/{name}"):
            got.update(data)
        return sent.digest() == got.digest()

    @contextmanager
    def growth(self) -> Iterator[Callable[[], float]]:
        """How many mebibytes the web processes held at most, beyond what they had before."""
        before, most, over = self.held(), [0.0], threading.Event()

        def watch() -> None:
            while not over.wait(0.02):
                most.append(self.held())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield lambda: max(most) - before
        finally:
            over.set()
            watcher.join()

    def held(self) -> float:
        return sum(psutil.Process(pid).memory_full_info().pss for pid in self.live.web_workers()) / MB


@pytest.fixture(scope="module", params=["live_mled", "live_mled_on_s3"])
def traffic(request: pytest.FixtureRequest) -> Traffic:
    return Traffic(request.getfixturevalue(request.param))


def test_a_file_larger_than_what_is_held(traffic: Traffic) -> None:
    assert traffic.there_and_back("warm-up.bin", 20)
    with traffic.growth() as grown:
        assert traffic.there_and_back("large.bin", 128)
    assert grown() < 48


def test_eight_at_once(traffic: Traffic) -> None:
    with ThreadPoolExecutor(8) as clients:
        assert all(clients.map(lambda number: traffic.there_and_back(f"warm-{number}.bin", 9), range(8)))
        with traffic.growth() as grown:
            assert all(clients.map(lambda number: traffic.there_and_back(f"{number}.bin", 32), range(8)))
    assert grown() < 8 * 24
