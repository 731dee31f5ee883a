"""In a governed project MLflow's client moves no protected alias or stage; once a promotion did, it finds it moved."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput
from mlflow.exceptions import MlflowException

from tests.client.wire import mled_only, unique

pytestmark = [mled_only, pytest.mark.filterwarnings("ignore::FutureWarning")]


class Governed:
    """A governed project: an engineer's client in it, and acts of its people as the pages do them."""

    def __init__(self, mled: Any, blocker: Any) -> None:
        self.mled, self.blocker, self.slug = mled, blocker, unique("guarded").replace(" ", "-").lower()
        self.engineer, self.manager = f"emil@{self.slug}.org", f"mona@{self.slug}.org"
        mled.create_project(self.slug)
        for address, role in ((self.engineer, "ml_engineer"), (self.manager, "project_manager")):
            mled.create_user(address)
            mled.add_member(self.slug, address, role)
        self.do(self._govern)
        self.token = mled.issue_token(self.engineer, project=self.slug)

    def do(self, act: Callable[[], Any]) -> Any:
        """Act in the server's database."""
        with self.blocker.unblock(), self.mled.in_database():
            return act()

    def _govern(self) -> None:
        from accounts.actions.governance import govern_project
        from accounts.models import Project
        from kernel.actor import operator

        project = Project.objects.get(slug=self.slug)
        govern_project(operator(), project, is_governed=True, protected_names=["champion", "production"])

    def promote(self, name: str, kind: str, target: str) -> None:
        """The engineer asks, the manager signs, the log goes on."""
        self.do(lambda: self._approve(name, kind, target))
        self.mled.manage("sequencer", "--once")

    def _approve(self, name: str, kind: str, target: str) -> None:
        from accounts.actions.users import change_password
        from accounts.models import User
        from accounts.signing import prove
        from registry.actions.promotions import ask_promotion, decide_promotion
        from registry.models import ModelVersion
        from tests.factories import PASSWORD, acting_as

        engineer, manager = (acting_as(User.objects.get(email=who)) for who in (self.engineer, self.manager))
        version = ModelVersion.objects.get(model__name=name, model__project__slug=self.slug)
        request = ask_promotion(engineer, version, kind=kind, target=target)
        change_password(manager, password=PASSWORD)
        decide_promotion(manager, request, approve=True, comment="", proof=prove(manager, PASSWORD, email=self.manager))


@pytest.fixture(scope="module")
def governed(request: pytest.FixtureRequest) -> Governed:
    return Governed(request.getfixturevalue("live_mled"), request.getfixturevalue("django_db_blocker"))


@pytest.fixture
def engineer(governed: Governed, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowClient]:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", governed.token)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = governed.mled.tracking_uri(governed.slug)
    yield MlflowClient(tracking_uri=uri, registry_uri=uri)
    assert os.environ["MLFLOW_TRACKING_TOKEN"] == governed.token


@pytest.fixture
def name(engineer: MlflowClient, tmp_path: Path) -> str:
    """A model with one version, which the client trained, measured and registered."""
    run_id = engineer.create_run("0").info.run_id
    data = Dataset(name=unique("icu"), digest="a1b2c3d4", source_type="local", source="icu.csv")
    engineer.log_inputs(run_id, datasets=[DatasetInput(data, [])])
    engineer.log_metric(run_id, "auc", 0.9)
    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    engineer.log_artifact(run_id, str(tmp_path / "MLmodel"), "model")
    engineer.set_terminated(run_id)
    name = unique("vitals").replace(" ", "-")
    engineer.create_registered_model(name)
    engineer.create_model_version(name, f"runs:/{run_id}/model", run_id)
    return name


def refused(act: Callable[[], Any], target: str) -> None:
    with pytest.raises(MlflowException) as refusal:
        act()
    told = str(refusal.value)
    assert f"'{target}' is protected" in told
    assert "moves by an approved promotion only" in told
    assert "Ask for" in told
    assert "/promotions/" in told
    assert refusal.value.error_code == "PERMISSION_DENIED"


def test_a_protected_alias_is_refused_with_how_to_ask(engineer: MlflowClient, name: str) -> None:
    refused(lambda: engineer.set_registered_model_alias(name, "champion", "1"), "champion")
    refused(lambda: engineer.set_registered_model_alias(name, "Champion", "1"), "Champion")
    assert engineer.get_model_version(name, "1").aliases == []


def test_a_protected_stage_is_refused_with_how_to_ask(engineer: MlflowClient, name: str) -> None:
    refused(lambda: engineer.transition_model_version_stage(name, "1", "Production"), "Production")
    assert engineer.get_model_version(name, "1").current_stage == "None"


def test_other_aliases_and_stages_move_as_ever(engineer: MlflowClient, name: str) -> None:
    engineer.set_registered_model_alias(name, "challenger", "1")
    engineer.transition_model_version_stage(name, "1", "Staging")
    found = engineer.get_model_version_by_alias(name, "challenger")
    assert (found.version, found.current_stage) == ("1", "Staging")
    engineer.delete_registered_model_alias(name, "challenger")


def test_after_the_promotion_the_client_finds_the_alias(engineer: MlflowClient, name: str, governed: Governed) -> None:
    governed.promote(name, "alias", "champion")
    assert engineer.get_model_version_by_alias(name, "champion").version == "1"
    refused(lambda: engineer.delete_registered_model_alias(name, "champion"), "champion")
    with pytest.raises(MlflowException, match="cannot be deleted"):
        engineer.delete_model_version(name, "1")
    with pytest.raises(MlflowException, match="cannot be deleted"):
        engineer.delete_registered_model(name)


def test_after_the_promotion_the_client_finds_the_stage(engineer: MlflowClient, name: str, governed: Governed) -> None:
    governed.promote(name, "stage", "Production")
    assert engineer.get_model_version(name, "1").current_stage == "Production"
    refused(lambda: engineer.transition_model_version_stage(name, "1", "Archived"), "Production")
