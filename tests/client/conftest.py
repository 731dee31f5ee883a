"""One live server for the whole session: MLED's own, or the one that MLED_CLIENT_TESTS_URL names."""

import os
from collections.abc import Iterator

import pytest
from mlflow import MlflowClient

from tests.client.wire import PEER_TOKEN, PEER_URL, Wire


@pytest.fixture(scope="session")
def wire(request: pytest.FixtureRequest) -> Wire:
    """A member's connection to a project of its own."""
    if PEER_URL:
        return Wire(PEER_URL, PEER_TOKEN)
    mled = request.getfixturevalue("live_mled")
    mled.create_user("wire@example.org")
    mled.create_project("wire")
    mled.add_member("wire", "wire@example.org", "ml_engineer")
    return Wire(f"{mled.url}/mlflow/wire", mled.issue_token("wire@example.org", project="wire"))


@pytest.fixture(scope="session")
def client(wire: Wire) -> Iterator[MlflowClient]:
    """MLflow's own client at the same place. It gives up at once, so that a fault shows as one."""
    settings = {"MLFLOW_TRACKING_TOKEN": wire.token, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update({name: value for name, value in settings.items() if value})
    yield MlflowClient(tracking_uri=wire.base, registry_uri=wire.base)
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture
def experiment(wire: Wire) -> str:
    return wire.new_experiment()


@pytest.fixture(scope="module")
def module_experiment(wire: Wire) -> str:
    """An experiment that the tests of one file share where each brings runs of its own."""
    return wire.new_experiment()


@pytest.fixture
def run(wire: Wire, module_experiment: str) -> str:
    return wire.new_run(module_experiment, start_time=1)
