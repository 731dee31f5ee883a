"""MLflow's own client in a project with a quota: refused when it is full, and on again once there is room."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from accounts.models import Project
from artifacts.actions.quotas import set_quota
from artifacts.quotas import size_of_files
from kernel.actor import operator
from tests.client.wire import PEER_URL, Wire
from tests.services.live import LiveMled

pytestmark = pytest.mark.skipif(bool(PEER_URL), reason="Quotas are MLED's own.")

FULL = re.compile("413|that it may")  # its status, or our words


class Quota:
    """The quota of the project that the client speaks to."""

    def __init__(self, mled: LiveMled, blocker: Any) -> None:
        self.mled, self.blocker = mled, blocker

    def leave(self, free_bytes: int | None) -> None:
        """Room for so much more; None: no quota."""
        with self.blocker.unblock(), self.mled.in_database():
            project = Project.objects.get(slug="wire")
            limit = None if free_bytes is None else size_of_files(project.pk) + free_bytes
            set_quota(operator(), project, limit_bytes=limit)


@pytest.fixture
def quota(wire: Wire, request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[Quota]:
    made = Quota(request.getfixturevalue("live_mled"), django_db_blocker)
    yield made
    made.leave(None)


def a_file(folder: Path, name: str, size: int) -> str:
    path = folder / name
    path.write_bytes(os.urandom(size))
    return str(path)


@pytest.mark.parametrize("size", [1_000, 300_000])
def test_a_client_is_refused_when_it_is_full_and_goes_on_when_there_is_room(
    client: MlflowClient, wire: Wire, run: str, quota: Quota, tmp_path: Path, size: int
) -> None:
    quota.leave(2 * size)
    for name in ("a.bin", "b.bin"):
        client.log_artifact(run, a_file(tmp_path, name, size))
    with pytest.raises(Exception, match=FULL):
        client.log_artifact(run, a_file(tmp_path, "c.bin", size))
    assert {one.path for one in client.list_artifacts(run)} == {"a.bin", "b.bin"}
    root = client.get_run(run).info.artifact_uri.removeprefix("mlflow-artifacts:/").lstrip("/")
    answer = wire.call("DELETE", f"api/2.0/mlflow-artifacts/artifacts/{root}/a.bin")
    assert answer.status_code == 200
    client.log_artifact(run, a_file(tmp_path, "c.bin", size))
    with pytest.raises((MlflowException, OSError)):
        client.log_artifact(run, a_file(tmp_path, "d.bin", size))
    quota.leave(size)
    client.log_artifact(run, a_file(tmp_path, "d.bin", size))
    assert {one.path for one in client.list_artifacts(run)} == {"b.bin", "c.bin", "d.bin"}


def test_params_and_metrics_of_a_full_project_go_on(
    client: MlflowClient, run: str, quota: Quota, tmp_path: Path
) -> None:
    client.log_artifact(run, a_file(tmp_path, "a.bin", 10))
    quota.leave(0)
    client.log_param(run, "lr", 0.1)
    client.log_metric(run, "loss", 0.5)
    with pytest.raises(Exception, match=FULL):
        client.log_text(run, "words", "notes.txt")
    assert client.get_run(run).data.metrics == {"loss": 0.5}
