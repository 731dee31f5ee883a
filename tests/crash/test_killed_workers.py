"""SIGKILL to web workers while clients log and upload: what was acknowledged is there, what was not is whole or absent.

A few kills in every run; as many as it takes to believe it under `make test-full`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest
import requests

from artifacts.models import Blob, ParkedBlob
from experiments.models import Run
from tests.crash.clients import POINTS, BatchWriter, Client, FileWriter, RunWriter, described, digest
from tests.services.live import LiveMled
from tests.services.processes import wait_until
from tests.services.scale import sized

pytestmark = pytest.mark.slow
KILLS = sized(3, 30)
WRITERS = 4
SEED = 20261122


class Api:
    """One client's plain calls."""

    def __init__(self, mled: LiveMled, project: str, token: str) -> None:
        self.uri = mled.tracking_uri(project)
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def post(self, call: str, **body: object) -> dict:
        answer = self.session.post(f"{self.uri}/api/2.0/mlflow/{call}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, call: str, **query: object) -> dict:
        answer = self.session.get(f"{self.uri}/api/2.0/mlflow/{call}", params=query, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def new_run(self) -> dict:
        return self.post("runs/create", experiment_id="0", start_time=1)["run"]["info"]

    def file(self, path: str) -> requests.Response:
        return self.session.get(f"{self.uri}/api/2.0/mlflow-artifacts/artifacts/{path}", timeout=30)


@pytest.fixture
def token(own_live_mled: LiveMled) -> str:
    own_live_mled.create_project("forest")
    own_live_mled.create_user("ada@example.org", role="data_scientist", project="forest")
    return own_live_mled.issue_token("ada@example.org", project="forest")


@pytest.fixture
def api(own_live_mled: LiveMled, token: str) -> Api:
    return Api(own_live_mled, "forest", token)


def kill_workers_while(mled: LiveMled, clients: Sequence[Client]) -> None:
    """Start the clients, kill workers at random moments, and let the clients bring home what they have begun."""
    chance = random.Random(SEED)
    for client in clients:
        client.start()
    wait_until(
        lambda: all(client.journal.acknowledged for client in clients), within=30, what="every client has written"
    )
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.05, 0.5))
        workers = mled.web_workers()
        for pid in workers if chance.random() < 0.3 else [chance.choice(workers)]:
            mled.kill_a_web_worker(pid)
        wait_until(mled.is_healthy, within=5, what="the server answers again", every=0.02)
    taken = {client: len(client.journal.acknowledged) for client in clients}
    wait_until(
        lambda: all(len(client.journal.acknowledged) > taken[client] for client in clients),
        within=15,
        what="every client has written after the last kill",
    )
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join(60)
    journals = [client.journal for client in clients]
    assert not [strange for journal in journals for strange in journal.strange], described(journals)
    assert sum(journal.answers.get(0, 0) for journal in journals) > 0, "No kill ever hit a request."


def verify(mled: LiveMled) -> None:
    mled.manage("sequencer", "--once")
    assert "Sound." in mled.manage("verify_ledger")


def test_no_acknowledged_batch_is_lost_and_none_is_there_by_half(own_live_mled, api, token):
    writers = [BatchWriter(api.uri, token, api.new_run()["run_id"], seed) for seed in range(WRITERS)]
    kill_workers_while(own_live_mled, writers)
    for writer in writers:
        data = api.get("runs/get", run_id=writer.run_id)["run"]["data"]
        params = {one["key"]: one["value"] for one in data["params"]}
        tags = {one["key"]: one["value"] for one in data["tags"] if one["key"].startswith("t")}
        curves = [api.get("metrics/get-history", run_id=writer.run_id, metric_key=f"curve{n}") for n in range(3)]
        steps = [point["step"] for curve in curves for point in curve.get("metrics", [])]
        assert len(steps) == len(set(steps)), "A point is there twice."
        for name, number in writer.journal.sent.items():
            whole = {number * POINTS + index for index in range(POINTS)}
            found = (params.get(f"p{name}") == name, tags.get(f"t{name}") == name, whole <= set(steps))
            assert found in ((True, True, True), (False, False, False)), f"Batch {name} is there by half: {found}"
            assert found[0] or name not in writer.journal.acknowledged, f"Batch {name} was acknowledged and is lost."
            assert found[0] or not whole & set(steps)
        assert len(steps) == len(params) * POINTS
    verify(own_live_mled)


def test_no_acknowledged_run_is_lost_and_no_number_is_given_twice(own_live_mled, api, token):
    writers = [RunWriter(api.uri, token, f"writer{seed}", seed) for seed in range(WRITERS)]
    kill_workers_while(own_live_mled, writers)
    found = api.post("runs/search", experiment_ids=["0"], max_results=50_000)["runs"]
    names = [run["info"]["run_name"] for run in found]
    for run in found:
        tags = {one["key"]: one["value"] for one in run["data"]["tags"]}
        assert tags["made"] == tags["mlflow.runName"] == run["info"]["run_name"]
    for writer in writers:
        assert set(writer.journal.acknowledged) <= set(names)
    with own_live_mled.in_database():
        numbers = list(Run.objects.values_list("number", flat=True))
        assert len(numbers) == len(set(numbers)) == len(names)
    verify(own_live_mled)


def test_no_acknowledged_file_is_lost_and_no_torn_one_can_be_read(own_live_mled, api, token):
    writers = []
    for seed in range(WRITERS):
        info = api.new_run()
        writer = FileWriter(api.uri, token, info["run_id"], seed)
        writer.root = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
        writers.append(writer)
    kill_workers_while(own_live_mled, writers)
    for writer in writers:
        for path, content in writer.journal.sent.items():
            answer = api.file(path)
            if path in writer.journal.acknowledged:
                assert answer.status_code == 200, f"{path} was acknowledged and is lost."
            assert answer.status_code in (200, 404)
            if answer.status_code == 200:
                assert digest(answer.content) == digest(content), f"{path} is torn."
    check_blobs(own_live_mled)
    verify(own_live_mled)


def check_blobs(mled: LiveMled) -> None:
    """Whatever lies in the store under a digest has that digest; every row finds its content."""
    store = mled.data / "blobs"
    kept = {path.name: path for path in store.rglob("*") if path.is_file() and "incoming" not in path.parts}
    for name, path in kept.items():
        assert digest(path.read_bytes()) == name
    with mled.in_database():
        parked = {row.digest: bytes(row.content) for row in ParkedBlob.objects.all()}
        assert all(digest(content) == name for name, content in parked.items())
        for blob in Blob.objects.all():
            held = len(parked[blob.digest]) if blob.digest in parked else kept[blob.digest].stat().st_size
            assert held == blob.size_bytes


def test_sixteen_writers_never_hear_of_a_locked_database(own_live_mled, api, token):
    """Batches, runs and files from sixteen clients at once; no answer but 200."""
    clients: list[Client] = [BatchWriter(api.uri, token, api.new_run()["run_id"], seed) for seed in range(10)]
    clients += [RunWriter(api.uri, token, f"writer{seed}", seed) for seed in range(4)]
    for seed in range(2):
        info = api.new_run()
        writer = FileWriter(api.uri, token, info["run_id"], seed)
        writer.root = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
        clients.append(writer)
    for client in clients:
        client.start()
    time.sleep(sized(5, 60))
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join(60)
    journals = [client.journal for client in clients]
    assert set().union(*(journal.answers for journal in journals)) == {200}, described(journals)
    assert all(journal.acknowledged == journal.sent for journal in journals)
    assert "locked" not in own_live_mled.log.read_text()
    verify(own_live_mled)
