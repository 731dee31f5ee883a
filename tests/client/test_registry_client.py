"""Registering, finding, loading and deleting models with MLflow's own Python package."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.client.wire import Wire, unique

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # of the client, about stages
    pytest.mark.filterwarnings("ignore::UserWarning"),  # of the client, about types of inputs
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


_PLAIN: dict[str, Any] = {"serialization_format": "cloudpickle", "pip_requirements": ["scikit-learn"]}


@pytest.fixture
def fluent(wire: Wire, client: MlflowClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The module-level functions, pointed at the server and at a new experiment. Gives a name for a model."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", wire.base)
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(wire.base)
    mlflow.set_registry_uri(wire.base)
    mlflow.set_experiment(unique("registry"))
    yield unique("credit").replace(" ", "-")
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_registry_uri(None)
    mlflow.set_tracking_uri(None)


def trained() -> Any:
    """A small model, and what it should answer."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])


def log(name: str | None = None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mlflow.sklearn.log_model(trained(), name="model", registered_model_name=name, **_PLAIN)


def predicted(address: str) -> list[int]:
    return [int(one) for one in mlflow.sklearn.load_model(address).predict([[0.0], [3.0]])]


def test_a_model_is_logged_registered_and_loaded_by_version_alias_and_stage(fluent: str, client: MlflowClient) -> None:
    with mlflow.start_run() as run:
        info = log(fluent)
    assert str(info.registered_model_version) == "1"
    version = client.get_model_version(fluent, "1")
    assert (version.run_id, version.status, version.current_stage) == (run.info.run_id, "READY", "None")
    client.set_registered_model_alias(fluent, "champion", "1")
    client.transition_model_version_stage(fluent, "1", "Production")
    for address in (
        f"models:/{fluent}/1",
        f"models:/{fluent}@champion",
        f"models:/{fluent}/Production",
        f"models:/{fluent}/latest",
        f"models:/{info.model_id}",
    ):
        assert predicted(address) == [0, 1]
    pyfunc = mlflow.pyfunc.load_model(f"models:/{fluent}@champion")
    assert [int(one) for one in pyfunc.predict([[0.0], [3.0]])] == [0, 1]


def test_a_logged_model_is_registered_afterwards_in_every_way(fluent: str, client: MlflowClient) -> None:
    with mlflow.start_run() as run:
        info = log()
    for address in (info.model_uri, f"models:/{info.model_id}", f"runs:/{run.info.run_id}/model"):
        version = mlflow.register_model(address, fluent, tags={"how": address[:4]})
        assert version.run_id == run.info.run_id
        assert predicted(f"models:/{fluent}/{version.version}") == [0, 1]
    versions = client.search_model_versions(f"name = '{fluent}'", order_by=["version_number ASC"])
    assert [str(one.version) for one in versions] == ["1", "2", "3"]
    assert [str(one.version) for one in client.get_latest_versions(fluent, stages=["None"])] == ["3"]


def test_files_that_were_logged_as_a_folder_are_registered_by_their_run(
    fluent: str, client: MlflowClient, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(trained(), str(tmp_path / "saved"), **_PLAIN)
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(tmp_path / "saved"), "folder")
    version = mlflow.register_model(f"runs:/{run.info.run_id}/folder", fluent)
    assert version.source.endswith(f"/{run.info.run_id}/artifacts/folder")
    assert predicted(f"models:/{fluent}/1") == [0, 1]
    home = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{fluent}/1", dst_path=str(tmp_path / "got"))
    assert (Path(home) / "MLmodel").read_bytes() == (tmp_path / "saved" / "MLmodel").read_bytes()


def test_the_client_does_with_a_model_whatever_it_can(fluent: str, client: MlflowClient) -> None:
    client.create_registered_model(fluent, tags={"team": "risk"}, description="who pays back")
    with pytest.raises(MlflowException, match="RESOURCE_ALREADY_EXISTS"):
        client.create_registered_model(fluent)
    first = client.create_model_version(fluent, "s3://bucket/a", tags={"k": "v"}, description="first")
    client.create_model_version(fluent, "s3://bucket/b")
    client.update_registered_model(fluent, description="who pays back in time")
    client.update_model_version(fluent, first.version, description="the first")
    client.set_registered_model_tag(fluent, "reviewed", "no")
    client.set_model_version_tag(fluent, first.version, "auc", "0.9")
    client.set_registered_model_alias(fluent, "challenger", "2")
    assert client.get_model_version_by_alias(fluent, "challenger").source == "s3://bucket/b"
    client.transition_model_version_stage(fluent, "1", "Staging")
    client.transition_model_version_stage(fluent, "2", "Staging", archive_existing_versions=True)
    assert client.get_model_version(fluent, "1").current_stage == "Archived"
    model = client.get_registered_model(fluent)
    assert (model.description, model.tags) == ("who pays back in time", {"team": "risk", "reviewed": "no"})
    assert {alias: str(number) for alias, number in model.aliases.items()} == {"challenger": "2"}
    [found] = client.search_registered_models(f"name = '{fluent}' AND tags.team = 'risk'")
    assert found.name == fluent
    client.rename_registered_model(fluent, f"{fluent}-2")
    renamed = client.get_registered_model(f"{fluent}-2")
    assert client.get_model_version(renamed.name, "1").tags == {"k": "v", "auc": "0.9"}
    client.delete_registered_model_tag(renamed.name, "reviewed")
    client.delete_model_version_tag(renamed.name, "1", "auc")
    client.delete_registered_model_alias(renamed.name, "challenger")
    client.delete_model_version(renamed.name, "1")
    with pytest.raises(MlflowException, match="RESOURCE_DOES_NOT_EXIST"):
        client.get_model_version(renamed.name, "1")
    client.delete_registered_model(renamed.name)
    assert client.search_registered_models(f"name LIKE '{fluent}%'") == []


def test_a_version_is_copied_to_another_model(fluent: str, client: MlflowClient) -> None:
    with mlflow.start_run():
        log(fluent)
    copied = client.copy_model_version(f"models:/{fluent}/1", f"{fluent}-prod")
    assert (copied.name, str(copied.version)) == (f"{fluent}-prod", "1")
    assert predicted(f"models:/{fluent}-prod/1") == [0, 1]


def test_prompts_are_registered_and_loaded(fluent: str, client: MlflowClient) -> None:
    mlflow.genai.register_prompt(name=fluent, template="Greet {{name}} kindly.", commit_message="first")
    mlflow.genai.register_prompt(name=fluent, template="Greet {{name}} briefly.")
    assert mlflow.genai.load_prompt(f"prompts:/{fluent}/1").format(name="Ada") == "Greet Ada kindly."
    mlflow.genai.set_prompt_alias(fluent, alias="live", version=2)
    assert mlflow.genai.load_prompt(f"prompts:/{fluent}@live").template == "Greet {{name}} briefly."
    assert fluent in [prompt.name for prompt in mlflow.genai.search_prompts(f"name = '{fluent}'")]
    assert client.search_registered_models(f"name = '{fluent}'") == []
