"""A governed project at MLflow's door: protected names move by promotion, and a client hears so at once."""

import time
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.client.test_registered_models import a_version, register
from tests.client.wire import Refusal, Wire, mled_only

pytestmark = [mled_only, pytest.mark.filterwarnings("ignore::FutureWarning")]

DENIED = Refusal(403, "PERMISSION_DENIED")


@pytest.fixture(scope="module")
def governed(request: pytest.FixtureRequest) -> Wire:
    """An engineer's connection to a governed project."""
    from accounts.access import find_project
    from accounts.actions.governance import govern_project
    from kernel.actor import operator

    mled: Any = request.getfixturevalue("live_mled")
    mled.create_user("governed@example.org")
    mled.create_project("governed")
    mled.add_member("governed", "governed@example.org", "ml_engineer")
    with mled.in_database():
        project = find_project(operator(), "governed")
        govern_project(operator(), project, is_governed=True, protected_names=["champion", "production"])
    return Wire(f"{mled.url}/mlflow/governed", mled.issue_token("governed@example.org", project="governed"))


def test_a_protected_alias_is_refused_with_the_way_to_ask(governed: Wire) -> None:
    name = register(governed)
    number = a_version(governed, name)
    for alias in ("champion", "Champion", "production"):
        refusal = governed.refused("registered-models/alias", name=name, alias=alias, version=number)
        assert refusal == DENIED
        assert "/api/v1/projects/governed/promotions/" in refusal.message
    assert governed.refused("registered-models/alias", method="DELETE", name=name, alias="champion") == DENIED
    asked = {"name": name, "version": number, "stage": "production", "archive_existing_versions": False}
    assert governed.refused("model-versions/transition-stage", **asked) == DENIED


def test_other_names_move_freely_for_an_engineer(governed: Wire) -> None:
    name = register(governed)
    number = a_version(governed, name)
    governed.post("registered-models/alias", name=name, alias="shadow", version=number)
    staged = governed.post(
        "model-versions/transition-stage",
        name=name, version=number, stage="Staging", archive_existing_versions=False,
    )  # fmt: skip
    assert staged["model_version"]["current_stage"] == "Staging"
    assert governed.refused("model-versions/delete", method="DELETE", name=name, version=number) == DENIED
    assert governed.refused("registered-models/delete", method="DELETE", name=name) == DENIED


def test_the_client_hears_it_at_once(governed: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", governed.token)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "5")
    client = MlflowClient(tracking_uri=governed.base, registry_uri=governed.base)
    name = register(governed)
    a_version(governed, name)
    begun = time.monotonic()
    with pytest.raises(MlflowException, match="promotion") as refusal:
        client.set_registered_model_alias(name, "champion", "1")
    assert refusal.value.error_code == "PERMISSION_DENIED"
    with pytest.raises(MlflowException, match="promotion"):
        client.transition_model_version_stage(name, "1", "Production")
    assert time.monotonic() - begun < 40


def test_a_run_behind_an_alias_is_not_deleted(governed: Wire) -> None:
    run = governed.new_run(governed.new_experiment())
    name = register(governed)
    number = a_version(governed, name, source=f"runs:/{run}/model", run_id=run)
    governed.post("registered-models/alias", name=name, alias="shadow", version=number)
    refusal = governed.refused("runs/delete", run_id=run)
    assert refusal == DENIED
    assert f"{name} version 1: alias 'shadow'" in refusal.message
