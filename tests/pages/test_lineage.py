"""The lineage of data, runs and models as a page: a drawing of links, the same as a table, and a panel elsewhere."""

from __future__ import annotations

import re

import pytest

from artifacts.actions.recall import withdraw_version
from artifacts.models import DatasetVersion
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.models import Run
from registry.actions.logged_models import create_logged_model
from registry.models import LoggedModel
from tests.factories import Team, a_run
from tests.pages.conftest import Browser, Page, address


@pytest.fixture
def data(team: Team, trained: Run) -> DatasetVersion:
    given = DatasetInput("icu-vitals", "d1", "local", "s3://lake/icu", tags={"mlflow.data.context": "train"})
    log_inputs(team.scientist, trained, inputs=[given])
    return DatasetVersion.objects.get(dataset__project=team.project)


@pytest.fixture
def model(team: Team, trained: Run, data: DatasetVersion) -> LoggedModel:
    return create_logged_model(team.scientist, trained.experiment, name="net", source_run=trained)


def lineage(team: Team, ref: str, **more: object) -> tuple[str, dict[str, object]]:
    return address(team.project, "lineage/"), {"of": ref, **more}


def look(browser: Browser, team: Team, ref: str, expecting: int = 200, **more: object) -> Page:
    path, query = lineage(team, ref, **more)
    return browser.get(path, expecting, **query)


def nodes(page: Page) -> list[str]:
    """What a screen reader says of each node."""
    return re.findall(r'data-key="[^"]+" aria-label="([^"]+)"', page.source)


def test_the_graph_shows_data_run_and_model_each_with_a_link_to_its_page(ada, team, trained, data, model):
    page = look(ada, team, f"run:{trained.uid.hex}")
    assert nodes(page) == [
        "dataset version, icu-vitals v1, digest d1",
        f"run, gru-d-w48, {trained.readable_id}, finished, you are here",
        "logged model, net, pending",
    ]
    assert f"/r/{trained.uid.hex}/" in page.links("/r/")
    assert page.links(f"/logged-models/{model.model_id}/")
    assert page.source.count('class="ed"') == 2


def test_a_node_leads_on_to_the_graph_around_it(ada, team, trained, data, model):
    page = look(ada, team, f"run:{trained.uid.hex}")
    (onward,) = page.links("lineage/?of=dataset")
    assert "icu-vitals v1" in ada.get(onward)


def test_the_table_says_the_same(ada, team, trained, data, model):
    page = look(ada, team, f"run:{trained.uid.hex}", view="table")
    assert "icu-vitals v1 dataset version 1 upstream" in page
    assert "gru-d-w48 run here" in page
    assert "icu-vitals v1 (train)" in page
    assert "net logged model 1 downstream" in page
    assert '<svg class="m-svg' not in page.source


def test_recalled_data_is_marked_with_a_word(ada, team, trained, data, model):
    withdraw_version(team.engineer, data, reason="Units were mixed.")
    page = look(ada, team, f"dataset:{data.pk}")
    assert any("Recalled" in node for node in nodes(page))
    assert sum("On recalled data" in node for node in nodes(page)) == 2
    table = look(ada, team, f"dataset:{data.pk}", view="table")
    assert table.text.count("On recalled data") == 2


def test_many_runs_are_one_node_that_opens(ada, team, trained, data):
    for number in range(20):
        given = DatasetInput("icu-vitals", "d1", "local", "s3://lake/icu")
        log_inputs(team.scientist, a_run(team.scientist, name=f"sweep {number}"), inputs=[given])
    page = look(ada, team, f"dataset:{data.pk}")
    assert "21 runs, 20 running, 1 finished" in nodes(page)
    (opened,) = page.links("open=fold")
    assert sum("sweep" in node for node in nodes(ada.get(opened))) == 20


def test_steps_are_chosen_in_the_address(ada, team, trained, data, model):
    page = look(ada, team, f"dataset:{data.pk}", down=1)
    assert len(nodes(page)) == 2
    assert "+1" in page
    (further,) = page.links("open=run")
    assert len(nodes(ada.get(further))) == 3


def test_without_a_start_the_page_says_how_to_get_one(ada, team):
    assert "Open a dataset version, a run or a model" in ada.get(address(team.project, "lineage/"))


@pytest.mark.parametrize(
    ("query", "status"),
    [({"of": "run"}, 400), ({"of": "city:berlin"}, 400), ({"of": "run:" + "0" * 32}, 404), ({"of": "dataset:x"}, 404)],
)
def test_a_start_that_is_none_gets_an_answer(ada, team, query, status):
    ada.get(address(team.project, "lineage/"), expecting=status, **query)


@pytest.mark.parametrize(
    "query", [{"up": "7"}, {"down": "-1"}, {"up": "x"}, {"view": "song"}, {"down": "999999999999"}]
)
def test_bad_input_gets_an_answer(ada, team, trained, query):
    look(ada, team, f"run:{trained.uid.hex}", expecting=400, **query)


def test_what_was_opened_is_no_more_than_a_key(ada, team, trained, data):
    page = look(ada, team, f"run:{trained.uid.hex}", open='"><script>alert(1)</script>')
    assert "<script>alert" not in page.source


def test_names_are_text_and_cut_to_their_box(ada, team):
    run = a_run(team.scientist, name="<b>" + "W" * 300)
    page = look(ada, team, f"run:{run.uid.hex}")
    assert "<b>WWW" not in page.source
    assert "…</text>" in page.source


def test_lineage_is_hidden_from_strangers(zoe, team, trained, data):
    for ref in (f"run:{trained.uid.hex}", f"dataset:{data.pk}", ""):
        look(zoe, team, ref, expecting=404)


def test_the_panel_stands_on_the_pages_of_run_and_logged_model(ada, team, trained, data, model):
    for path in (f"/r/{trained.uid.hex}/data/", address(team.project, f"logged-models/{model.model_id}/")):
        page = ada.get(path)
        assert "Lineage from source to what stands on it Open graph" in page
        assert len(nodes(page)) == 3
        assert page.links("lineage/?of=")


def test_the_panel_of_a_thing_alone_says_so(ada, team):
    run = a_run(team.scientist)
    assert "Nothing is recorded before or after it." in ada.get(f"/r/{run.uid.hex}/data/")
