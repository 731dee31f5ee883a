"""Runs of a real training side by side: base, differences, groups, a run added, pictures, code, packages, plots."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADA, Logged
from tests.browser.looking import NARROW, WIDE, faults_of

pytestmark = pytest.mark.once

PLACE = "ridge"
SOURCE = "def update(weights, slope):\n    return weights - {rate} * slope\n"


@pytest.fixture(scope="session")
def trained(logged: Logged) -> list[str]:
    """Ids of three runs that fit a line by gradient descent and draw it as it comes."""
    logged.live.create_project(PLACE)
    logged.live.add_member(PLACE, ADA, "data_scientist")
    from mlflow import MlflowClient

    client = MlflowClient(logged.live.tracking_uri(PLACE))
    experiment = client.create_experiment("lines")
    return [
        _train(client, experiment, rate, name, draws)
        for rate, name, draws in ((0.1, "slow", True), (0.5, "fast", True), (0.5, "silent", False))
    ]


def _train(client, experiment: str, rate: float, name: str, draws: bool) -> str:
    run = client.create_run(experiment, run_name=name).info.run_id
    client.log_param(run, "rate", str(rate))
    client.log_param(run, "points", "50")
    x = np.linspace(-1, 1, 50)
    y, weights = 2 * x + 1, np.zeros(2)
    for step in range(21):
        gap = weights[0] * x + weights[1] - y
        client.log_metric(run, "val/loss", float(np.mean(gap**2)), step=step)
        if draws and step % 10 == 0:
            client.log_image(run, _picture(weights, x, y), key="val/fit", step=step, synchronous=True)
        weights -= rate * np.array([np.mean(gap * x), np.mean(gap)]) * 2
    client.log_text(run, SOURCE.format(rate=rate), "code/train.py")
    client.log_text(run, f"numpy=={np.__version__}\n" + ("pillow==13.0.0\n" if draws else ""), "requirements.txt")
    client.set_terminated(run)
    return run


def _picture(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> Image.Image:
    """The line so far in black on what is to be fitted in grey."""
    image = Image.new("RGB", (64, 64), "white")
    for values, colour in ((y, (160, 160, 160)), (weights[0] * x + weights[1], (0, 0, 0))):
        for left, up in zip(x, values, strict=True):
            image.putpixel((int(31 + 30 * left), int(np.clip(40 - 12 * up, 0, 63))), colour)
    return image


def address(runs: list[str], tab: str = "", **more: str) -> str:
    return f"/compare/{tab}?runs={','.join(runs)}" + "".join(f"&{name}={value}" for name, value in more.items())


def test_runs_are_added_moved_and_grouped_in_place_and_sections_stay_shut(ada: Page, trained: list[str]):
    slow, _, silent = trained
    ada.goto(address([slow]))
    ada.locator("#add-run > summary").click()
    expect(ada.get_by_label("Name or id of a run")).to_be_focused()
    ada.keyboard.type("fas")
    found = ada.locator("#add-found a")
    expect(found).to_have_count(1)
    ada.keyboard.press("ArrowDown")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    ada.locator("#add-run > summary").click()
    ada.get_by_label("Name or id of a run").fill(silent)
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("heading", name="Compare 3 runs")).to_be_visible()
    table = ada.get_by_role("region", name="Fields by runs")
    expect(table).to_contain_text("rate")
    expect(table).not_to_contain_text("points")

    table.get_by_text("fast", exact=True).hover()
    ada.keyboard.press("b")
    expect(ada.locator("thead th.base")).to_contain_text("fast")
    ada.keyboard.press("n")
    expect(ada.locator("td.diff:focus")).to_have_count(1)
    ada.wait_for_load_state()
    ada.get_by_role("list", name="Runs compared").get_by_role("link", name=re.compile("Move .* left")).first.click()
    expect(ada.locator("thead th").nth(1)).to_contain_text("fast")
    expect(ada.locator("thead th.base")).to_contain_text("fast")
    ada.keyboard.press("Control+z")
    expect(ada.locator("thead th").nth(1)).to_contain_text("slow")
    ada.keyboard.press("Control+y")
    expect(ada.locator("thead th").nth(1)).to_contain_text("fast")

    ada.get_by_label("Group by").select_option("params.rate")
    expect(ada.locator("thead th").nth(2)).to_contain_text("2 runs")
    expect(table).to_contain_text("n 2")
    with ada.expect_response("**/me/settings/") as kept:
        ada.get_by_role("button", name="Parameters").click()
        expect(table.get_by_role("rowheader", name="rate")).to_be_hidden()
    assert kept.value.ok
    ada.reload()
    expect(ada.get_by_role("button", name="Parameters")).to_have_attribute("aria-expanded", "false")
    with ada.expect_response("**/me/settings/"):  # or it stays shut for her elsewhere
        ada.get_by_role("button", name="Parameters").click()
    expect(table.get_by_role("rowheader", name="rate")).to_be_visible()
    assert ada.complaints == []


def test_pictures_share_a_slider_and_sources_and_packages_show_what_changed(ada: Page, trained: list[str]):
    ada.goto(address(trained, "images/"))
    figures = ada.locator("[data-pictures]")
    expect(figures).to_have_count(3)
    expect(figures.nth(0).locator("[data-words]")).to_have_text("step 20")
    expect(figures.nth(2)).to_contain_text("No picture of this name")
    shown = figures.nth(0).locator("img")
    last = shown.get_attribute("src")
    ada.locator("h1").click()
    ada.keyboard.press("ArrowLeft")
    expect(ada.locator("#step-value")).to_have_text("10")
    ada.wait_for_url(lambda url: "step=10" in url)
    assert shown.get_attribute("src") != last
    ada.get_by_label("Step").press("Home")
    expect(figures.nth(1).locator("[data-words]")).to_have_text("step 0")
    expect(shown).to_have_js_property("naturalWidth", 64)
    ada.reload()
    expect(ada.locator("#step-value")).to_have_text("0")

    ada.get_by_role("link", name="Code", exact=True).click()
    expect(ada.locator("del").first).to_have_text("1")
    expect(ada.locator("ins").first).to_have_text("5")
    ada.get_by_role("link", name="One column").click()
    expect(ada.locator("table.m-diff.unified")).to_be_visible()
    ada.keyboard.press("7")
    expect(ada.get_by_role("region", name="Fields by runs")).to_contain_text("pillow")
    expect(ada.get_by_role("region", name="Fields by runs")).to_contain_text("removed")
    assert ada.complaints == []


def test_plots_are_drawn_and_the_table_leaves_as_a_file(ada: Page, trained: list[str]):
    ada.goto(address(trained, "plots/"))
    expect(ada.locator("[data-panel] canvas").first).to_be_visible()
    with ada.expect_download() as file:
        ada.get_by_role("link", name="CSV", exact=True).click()
    with io.StringIO(file.value.path().read_text()) as table:
        assert next(table).startswith("kind,field,")
    assert ada.complaints == []


def test_every_tab_is_open_to_all_in_light_and_dark(ada: Page, trained: list[str]):
    tabs = ("", "plots/", "images/", "files/", "code/", "packages/", "data/", "environment/")
    paths = [address(trained, tab) for tab in tabs]
    paths += [
        address(trained, "code/", diff="unified"),
        address(trained, group="params.rate"),
        address([*trained, "X-1"]),
    ]
    assert faults_of(ada, paths, sizes=(NARROW, WIDE)) == {}
    assert ada.complaints == []
