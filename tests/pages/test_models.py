"""Models that runs saved: listed with the run, each with its files and the address that loads it."""

import pytest

from experiments.actions.batches import log_batch
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import Run
from registry.actions.files import put_model_file
from registry.actions.links import log_outputs
from registry.actions.logged_models import create_logged_model, delete_logged_model, finalize_logged_model
from registry.models import LoggedModel
from tests.factories import STARTED_MS, Team, a_run
from tests.pages.conftest import Browser
from tests.specimens import figure
from tests.world import stored


@pytest.fixture
def ridge(team: Team, trained: Run) -> LoggedModel:
    """A model that Ada's run saved, measured by it."""
    model = create_logged_model(
        team.scientist, trained.experiment, name="ridge", source_run=trained, params={"alpha": "0.1"}
    )
    put_model_file(team.scientist, model, path="MLmodel", stored=stored(b"flavors:\n  sklearn: {}\n"))
    log_outputs(team.scientist, trained, outputs=[(model, 3)])
    point = MetricPoint("rmse", 0.25, STARTED_MS, 3, model_id=model.model_id, dataset_name="icu-vitals")
    log_batch(team.scientist, trained, batch=Batch(metrics=[point]))
    return finalize_logged_model(team.scientist, model, status="READY")


def address(model: LoggedModel, rest: str = "") -> str:
    return f"/p/{model.project.slug}/logged-models/{model.model_id}/{rest}"


def test_packages_that_came_with_a_model_stand_on_the_code_tab_too(ada: Browser, team: Team):
    run = a_run(team.scientist)
    model = create_logged_model(team.scientist, run.experiment, name="net", source_run=run)
    assert "Packages not recorded" in ada.get(f"/r/{run.uid.hex}/code/")
    put_model_file(team.scientist, model, path="requirements.txt", stored=stored(b"numpy\n"))
    page = ada.get(f"/r/{run.uid.hex}/code/")
    assert "net/requirements.txt with the model" in page
    assert "Packages not recorded" not in page


@pytest.mark.parametrize("tab", ["", "artifacts/"])
def test_a_run_lists_the_models_it_made(ada: Browser, trained: Run, ridge: LoggedModel, tab):
    page = ada.get(f"/r/{trained.uid.hex}/{tab}")
    assert "Models 1" in page
    assert f"models:/{ridge.model_id}" in page
    assert address(ridge) in page.links("logged-models")


def test_a_model_shows_its_run_files_metrics_and_params(ada: Browser, trained: Run, ridge: LoggedModel):
    page = ada.get(address(ridge))
    assert "ridge Ready" in page
    assert page.links(f"/r/{trained.uid.hex}/")
    assert "flavors: sklearn: {}" in page
    assert "rmse 0.2500 3 icu-vitals" in page
    assert "alpha 0.1" in page


def test_a_model_file_is_downloaded_as_an_attachment(ada: Browser, ridge: LoggedModel):
    answer = ada.client.get(address(ridge, "files/MLmodel"))
    assert answer.getvalue() == b"flavors:\n  sklearn: {}\n"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]


def test_a_picture_of_a_model_is_shown(ada: Browser, team: Team, ridge: LoggedModel):
    put_model_file(team.scientist, ridge, path="plot.png", stored=stored(figure("png")))
    assert ada.client.get(address(ridge, "preview/plot.png"))["Content-Type"] == "image/png"
    ada.get(address(ridge, "preview/MLmodel"), expecting=404)


@pytest.mark.parametrize("rest", ["", "files/MLmodel", "preview/plot.png"])
def test_a_model_is_hidden_from_strangers(zoe: Browser, ridge: LoggedModel, rest):
    zoe.get(address(ridge, rest), expecting=404)
    assert "/login/" in Browser().get(address(ridge, rest), expecting=302).response["Location"]


def test_a_deleted_model_is_gone_from_its_run(ada: Browser, team: Team, trained: Run, ridge: LoggedModel):
    delete_logged_model(team.scientist, ridge)
    assert "ridge" not in ada.get(f"/r/{trained.uid.hex}/artifacts/")
    ada.get(address(ridge), expecting=404)
