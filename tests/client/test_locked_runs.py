"""A locked run takes nothing through the protocol, and says why."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.client.wire import Wire, mled_only

pytestmark = mled_only


@pytest.fixture
def lock(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Lock a run as its project's member would in the browser."""
    mled = request.getfixturevalue("live_mled")
    blocker = request.getfixturevalue("django_db_blocker")

    def lock(run_id: str) -> None:
        from accounts.models import User
        from experiments.actions.runs import lock_run
        from experiments.models import Run
        from tests.factories import acting_as

        with blocker.unblock(), mled.in_database():
            member = acting_as(User.objects.get(email="wire@example.org"))
            lock_run(member, Run.objects.get(uid=uuid.UUID(run_id)))

    return lock


WRITES: list[tuple[str, dict[str, Any]]] = [
    ("log-metric", {"key": "m", "value": 2, "timestamp": 9}),
    ("log-parameter", {"key": "q", "value": "1"}),
    ("set-tag", {"key": "t", "value": "2"}),
    ("delete-tag", {"key": "t"}),
    ("log-batch", {"params": [{"key": "q", "value": "1"}], "metrics": [{"key": "m", "value": 2, "timestamp": 9}]}),
    ("update", {"status": "FAILED"}),
    ("log-inputs", {"datasets": [{"dataset": {"name": "d", "digest": "1", "source_type": "s", "source": "x"}}]}),
    ("delete", {}),
]


def test_a_locked_run_takes_nothing_and_says_why(wire: Wire, run: str, lock: Callable[[str], None]) -> None:
    wire.log(run, "m", 1)
    wire.post("runs/set-tag", run_id=run, key="t", value="1")
    wire.post("runs/update", run_id=run, status="FINISHED", end_time=5)
    lock(run)
    before = wire.run(run)
    for call, body in WRITES:
        refusal = wire.refused(f"runs/{call}", run_id=run, **body)
        assert (refusal.status, refusal.code) == (403, "PERMISSION_DENIED"), call
        assert "locked" in refusal.message.lower(), call
    assert wire.run(run) == before
    assert wire.history(run, "m") == [(1, 0, 1000)]


def test_a_locked_run_takes_no_file(wire: Wire, run: str, lock: Callable[[str], None]) -> None:
    root = wire.run(run)["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/").lstrip("/")
    path = f"api/2.0/mlflow-artifacts/artifacts/{root}/kept.txt"
    assert wire.call("PUT", path, data=b"kept").status_code == 200
    lock(run)
    for method in ("PUT", "DELETE"):
        answer = wire.call(method, path, data=b"changed" if method == "PUT" else None)
        assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED"), method
    assert wire.call("GET", path).content == b"kept"


def test_an_experiment_with_a_locked_run_is_not_deleted(
    wire: Wire, experiment: str, lock: Callable[[str], None]
) -> None:
    runs = [wire.new_run(experiment), wire.new_run(experiment)]
    lock(runs[1])
    refusal = wire.refused("experiments/delete", experiment_id=experiment)
    assert (refusal.status, refusal.code) == (403, "PERMISSION_DENIED")
    assert "locked" in refusal.message.lower()
    assert wire.get("experiments/get", experiment_id=experiment)["experiment"]["lifecycle_stage"] == "active"
    assert {wire.run(run)["info"]["lifecycle_stage"] for run in runs} == {"active"}
