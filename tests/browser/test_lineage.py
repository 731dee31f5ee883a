"""The lineage graph in a browser: keys, zoom, what is marked, and the table; with 6 nodes and with 200."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Project, User
from artifacts.actions.recall import withdraw_version
from registry.actions.logged_models import create_logged_model
from registry.queries.lineage import Ref, find_start, lineage_of
from tests.browser.conftest import ADA, Logged
from tests.browser.looking import NARROW, WIDE, faults_of
from tests.factories import a_run, acting_as, an_experiment
from tests.registry.test_lineage import uses

pytestmark = pytest.mark.once

RUNS = 95
PROJECT = "lineages"
LINEAGE = f"/p/{PROJECT}/lineage/"


@pytest.fixture(scope="session")
def addresses(logged: Logged) -> dict[str, str]:
    """Graphs: of a run with its data and model, of data that is recalled, and one of two hundred nodes."""
    logged.live.create_project(PROJECT, name="Lineages")
    logged.live.add_member(PROJECT, ADA, "data_scientist")
    with logged.live.in_database():
        ada = acting_as(User.objects.get(email=ADA))
        experiment = an_experiment(ada, Project.objects.get(slug=PROJECT), name="lineage")
        run = a_run(ada, experiment, name="one of many")
        data = uses(ada, run, "wards", "w1")
        create_logged_model(ada, experiment, name="kept", source_run=run)
        for number in range(RUNS):
            one = a_run(ada, experiment, name=f"sweep {number}")
            uses(ada, one, "wards", "w1")
            create_logged_model(ada, experiment, name=f"net {number}", source_run=one)
        small = a_run(ada, experiment, name="few")
        recalled = uses(ada, small, "few-rows", "f1")
        create_logged_model(ada, experiment, name="few-model", source_run=small)
        withdraw_version(ada, recalled, reason="Units were mixed.")
        start = Ref("dataset", str(data.pk))
        graph = lineage_of(ada, (start.kind, find_start(ada, start)))
        folds = [node.key for node in graph.nodes if node.is_fold]
        opened = "".join(f"&open={key}" for key in folds)
        return {
            "few": f"{LINEAGE}?of=run:{small.uid.hex}",
            "recalled": f"{LINEAGE}?of=dataset:{recalled.pk}",
            "folded": f"{LINEAGE}?of={start}",
            "many": f"{LINEAGE}?of={start}{opened}",
            "run": f"/r/{small.uid.hex}/data/",
            "uid": small.uid.hex,
        }


def sticks_out(page: Page) -> int:
    """How many pixels of the graph lie beside its box."""
    return int(page.locator("[data-graphbox]").evaluate("box => box.scrollWidth - box.clientWidth"))


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label')"))


def test_arrows_go_along_the_edges_and_o_opens_a_page(ada: Page, addresses):
    ada.goto(addresses["few"])
    ada.get_by_role("region", name="Lineage graph").focus()
    ada.keyboard.press("ArrowRight")
    assert focused(ada).startswith("run, few")
    ada.keyboard.press("ArrowRight")
    assert focused(ada).startswith("logged model, few-model")
    ada.keyboard.press("ArrowLeft")
    ada.keyboard.press("ArrowLeft")
    assert focused(ada).startswith("dataset version, few-rows v1, Recalled")
    ada.keyboard.press("ArrowRight")
    ada.keyboard.press("o")
    ada.wait_for_url(f"**/r/{addresses['uid']}/")
    assert ada.complaints == []


def test_enter_goes_on_from_a_node(ada: Page, addresses):
    ada.goto(addresses["few"])
    ada.get_by_role("link", name="logged model, few-model").focus()
    ada.keyboard.press("Enter")
    ada.wait_for_url("**of=model:**")
    expect(ada.get_by_role("heading", level=1)).to_have_text("Lineage of few-model")


def test_two_hundred_nodes_fit_the_width_and_can_be_read(ada: Page, addresses):
    ada.set_viewport_size({"width": 1440, "height": 900})
    ada.goto(addresses["many"])
    assert ada.locator(".m-node").count() >= 190
    assert sticks_out(ada) <= 0
    letters = ada.evaluate("document.querySelector('.m-node text.s').getBoundingClientRect().height")
    assert letters >= 10
    boxes = ada.evaluate(
        "[...document.querySelectorAll('.m-node')].map(n => n.querySelector('.nd:not(.under)').getBoundingClientRect())"
        ".map(r => [r.x, r.y, r.width, r.height])"
    )
    boxes.sort()
    for (x, y, _, height), (other_x, other_y, *_rest) in itertools.pairwise(boxes):
        assert abs(x - other_x) > 1 or other_y >= y + height
    expect(ada.locator("svg a[aria-current=true]")).to_be_visible()


def test_zoom_by_button_and_by_key(ada: Page, addresses):
    ada.goto(addresses["many"])

    def width() -> float:
        return float(ada.locator("svg[data-graph]").get_attribute("width") or 0)

    before = width()
    ada.get_by_role("button", name="Larger").click()
    assert width() == pytest.approx(before * 1.25, rel=0.01)
    ada.get_by_role("region", name="Lineage graph").focus()
    ada.keyboard.press("-")
    assert width() == pytest.approx(before, rel=0.01)
    ada.get_by_role("button", name="Fit").click()
    assert ada.evaluate(
        "(() => { const b = document.querySelector('[data-graphbox]'); return b.scrollWidth <= b.clientWidth })()"
    )


def test_the_graph_is_dragged(ada: Page, addresses):
    ada.goto(addresses["many"])
    box = ada.locator("[data-graphbox]")
    before = box.evaluate("box => box.scrollTop")
    at = box.bounding_box()
    assert at is not None
    ada.mouse.move(at["x"] + 300, at["y"] + 300)
    ada.mouse.down()
    ada.mouse.move(at["x"] + 300, at["y"] + 150, steps=5)
    ada.mouse.up()
    assert box.evaluate("box => box.scrollTop") == pytest.approx(before + 150, abs=2)
    assert ada.url.endswith(addresses["many"].rpartition("&")[2])


def test_a_fold_opens(ada: Page, addresses):
    ada.goto(addresses["folded"])
    ada.get_by_role("link", name=f"{RUNS + 1} runs").click()
    expect(ada.get_by_role("link", name="run, sweep 7,")).to_be_visible()


def test_what_is_recalled_is_red_with_icon_and_word(ada: Page, addresses):
    ada.goto(addresses["recalled"])
    for node in ada.locator(".m-node").all():
        assert "bad" in str(node.get_attribute("class"))
        assert node.locator("text.f").text_content() in ("Recalled", "On recalled data")
        assert node.locator("svg.i.f use").count() == 1


def test_the_table_is_one_click_away_and_stays_in_the_address(ada: Page, addresses):
    ada.goto(addresses["recalled"])
    ada.get_by_role("link", name="Table", exact=True).click()
    ada.wait_for_url("**view=table**")
    rows = ada.get_by_role("row")
    expect(rows).to_have_count(4)
    expect(rows.nth(3)).to_contain_text("few-model")
    ada.get_by_role("link", name="From here few-model").click()
    ada.wait_for_url("**of=model:**")
    ada.wait_for_url(lambda url: "view=table" in url)


def test_without_scripts_the_graph_is_a_drawing_of_links(plain: Page, addresses):
    plain.goto(addresses["few"])
    plain.get_by_role("link", name="logged model, few-model").click()
    plain.wait_for_url(lambda url: "of=model:" in url)


def test_lineage_is_open_to_all_and_sticks_out_nowhere(ada: Page, addresses):
    names = ("few", "recalled", "folded", "many", "run")
    paths = [addresses[name] + view for name in names for view in ("", "&view=table") if not (view and name == "run")]
    assert faults_of(ada, paths, sizes=(NARROW, WIDE)) == {}
    assert ada.complaints == []


def test_a_phone_starts_at_the_node_in_letters_that_can_be_read(ada: Page, addresses):
    ada.set_viewport_size(NARROW)
    ada.goto(addresses["many"])
    expect(ada.locator("svg a[aria-current=true]")).to_be_visible()
    assert ada.evaluate("document.querySelector('.m-node text.s').getBoundingClientRect().height") >= 10
