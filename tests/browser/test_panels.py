"""Runs in panels: parallel coordinates and a scatter that are brushed, moved and kept, by mouse, keys and touch."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from accounts.models import Project, User
from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from tests.browser.conftest import ADA, Logged
from tests.browser.looking import NARROW, faults_of
from tests.factories import a_batch, a_run, acting_as, an_experiment

pytestmark = pytest.mark.once

PROJECT = "panels"
MATTERS = f"/p/{PROJECT}/what-matters/?result=acc"
RUNS = 40


@pytest.fixture(scope="session")
def swept(logged: Logged) -> None:
    """Forty runs of a sweep: lr over four powers of ten, two architectures, dropout that every eighth does not say."""
    logged.live.create_project(PROJECT, name="Panels")
    logged.live.add_member(PROJECT, ADA, "data_scientist")
    with logged.live.in_database():
        ada = acting_as(User.objects.get(email=ADA))
        project = Project.objects.get(slug=PROJECT)
        experiment = an_experiment(ada, project, name="sweep")
        set_metric_direction(ada, project, key="acc", higher_is_better=True)
        for n in range(RUNS):
            lr = 10 ** (-5 + n / 10)
            params = {"lr": f"{lr:.4g}", "arch": ("gru", "tcn")[n % 2]} | (
                {} if n % 8 == 3 else {"dropout": str(n % 5 / 10)}
            )
            acc = 0.9 - 0.02 * (math.log10(lr) + 3) ** 2 - 0.01 * (n % 2)
            log_batch(ada, a_run(ada, experiment, name=f"trial-{n}"), batch=a_batch(params=params, acc=[0.1, acc]))


def panels(page: Page) -> tuple[Locator, Locator]:
    """Parallel coordinates and the panel of one parameter, drawn."""
    both = page.locator("[data-panel]")
    for at in range(2):
        both.nth(at).scroll_into_view_if_needed()
        expect(both.nth(at).locator(".m-plot-notice")).to_contain_text("runs")
    return both.nth(0), both.nth(1)


def heads(together: Locator) -> list[str]:
    return [re.sub(r" \(log\)| best ↑", "", text) for text in together.locator(".m-plot-head").all_inner_texts()]


def drag(page: Page, *points: tuple[float, float]) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


def axis(together: Locator, name: str) -> Locator:
    return together.get_by_role("group", name=re.compile(rf"^{name}.*axis"))


def along(strip: Locator, share: float) -> tuple[float, float]:
    """A place on an axis, from its foot (0) to its head (1)."""
    box = strip.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + 6 + (box["height"] - 12) * (1 - share)


def held(panel: Locator) -> int:
    words = panel.locator(".m-plot-ways p").inner_text()
    return int(words.split(" of ")[0])


def test_a_scientist_brushes_axes_and_opens_what_they_hold(ada: Page, logged: Logged, swept: None, tmp_path: Path):
    ada.goto(MATTERS)
    together, _ = panels(ada)
    expect(together.locator(".m-plot-notice")).to_contain_text("40 runs")
    assert heads(together)[0] == "lr"
    assert heads(together)[-1] == "acc"

    # By mouse on the result, then one word, then the place of the missing, of which the brush holds all at once.
    strip = axis(together, "acc").locator(".m-plot-strip")
    drag(ada, along(strip, 1.0), along(strip, 0.5))
    best = held(together)
    assert 5 < best < RUNS
    expect(together.get_by_role("region", name="Brushed runs").locator("tbody tr")).to_have_count(best)
    ada.mouse.click(*along(axis(together, "arch").locator(".m-plot-strip"), 0.75))
    assert held(together) < best
    ada.mouse.click(*along(axis(together, "dropout").locator(".m-plot-strip"), 0.0))
    missing = held(together)
    assert missing > 0
    expect(together.locator(".m-plot-ways p")).to_contain_text("dropout not recorded")

    # The query of the brush finds as many.
    address = ada.url
    together.get_by_role("link", name="Open them in the table").click()
    expect(ada.locator("tbody input[name=runs]")).to_have_count(missing)
    query = ada.locator("#query").input_value()
    assert "best(metrics.acc) >=" in query
    assert "params.arch = 'tcn'" in query
    assert "params.dropout IS NULL" in query

    # The address brings all of it back; the list leads on.
    ada.goto(address)
    together, _ = panels(ada)
    assert held(together) == missing
    together.get_by_role("button", name="Clear brush").click()
    expect(together.get_by_role("region", name="Brushed runs")).to_be_hidden()

    # What is drawn, as files; the panel stays as it is.
    picture = together.locator(".m-plot-base")
    before = picture.evaluate("canvas => canvas.toDataURL()")
    with ada.expect_download() as download:
        together.get_by_role("button", name="CSV of").click()
    download.value.save_as(tmp_path / "panel.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "panel.csv").read_text())))
    assert len(rows) == RUNS
    assert {row["params.arch"] for row in rows} == {"gru", "tcn"}
    assert sum(row["params.dropout"] == "" for row in rows) == RUNS // 8
    with ada.expect_download() as download:
        together.get_by_role("button", name="SVG of").click()
    download.value.save_as(tmp_path / "panel.svg")
    drawn = (tmp_path / "panel.svg").read_text()
    assert drawn.startswith("<svg xmlns=")
    assert drawn.count("<path") >= RUNS
    with ada.expect_download() as download:
        together.get_by_role("button", name="PNG of").click()
    download.value.save_as(tmp_path / "panel.png")
    assert (tmp_path / "panel.png").read_bytes()[:4] == b"\x89PNG"
    assert picture.evaluate("canvas => canvas.toDataURL()") == before
    assert ada.complaints == []


def test_axes_are_moved_turned_and_brushed_by_keys_alone(ada: Page, logged: Logged, swept: None):
    ada.goto(MATTERS)
    together, _ = panels(ada)
    before = heads(together)
    together.locator(".m-plot-head").first.focus()
    ada.keyboard.press("Shift+ArrowRight")
    assert heads(together) == [before[1], before[0], *before[2:]]
    ada.keyboard.press("Enter")
    ada.keyboard.press("Enter")  # the first entry of its menu: logarithmic
    first = axis(together, "lr")
    logged_once = "(log)" in together.locator(".m-plot-head").nth(1).inner_text()
    slider = first.get_by_role("slider", name="lr from")
    slider.focus()
    for key in ("PageUp", "PageUp", "ArrowUp"):
        ada.keyboard.press(key)
    assert 0 < held(together) < RUNS
    expect(slider).to_have_attribute("aria-valuenow", "42")
    held_before = held(together)
    first.get_by_role("slider", name="lr to").focus()
    ada.keyboard.press("PageDown")
    assert held(together) < held_before
    ada.keyboard.press("Delete")
    expect(together.get_by_role("region", name="Brushed runs")).to_be_hidden()

    # A name is dragged to another place, and all of it stands in the address.
    start = together.locator(".m-plot-head").first.bounding_box()
    last = together.locator(".m-plot-head").last.bounding_box()
    assert start is not None
    assert last is not None
    drag(ada, (start["x"] + 20, start["y"] + 10), (last["x"] + last["width"], start["y"] + 10))
    assert heads(together)[-1] == before[1]
    ada.reload()
    together, _ = panels(ada)
    assert heads(together)[-1] == before[1]
    assert ("(log)" in axis(together, "lr").locator(".m-plot-head").inner_text()) == logged_once

    # Runs are stepped through, lit and opened.
    area = together.locator(".m-plot-area")
    area.focus()
    ada.keyboard.press("ArrowRight")
    expect(together.locator(".m-chart-tip")).to_contain_text("trial-")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("heading", name=re.compile("trial-"))).to_be_visible()
    assert ada.complaints == []


def test_one_parameter_has_its_trend_its_front_and_a_brush_and_words_have_boxes(ada: Page, logged: Logged, swept: None):
    ada.goto(MATTERS)
    _, alone = panels(ada)
    notice = alone.locator(".m-plot-notice")
    expect(notice).to_contain_text(re.compile(r"least squares on log x, r −?0\.\d\d, n 40"))
    alone.locator("summary", has_text="Fields").click()
    alone.get_by_label("Colour").select_option("params.arch")
    expect(notice).to_contain_text("40 runs")
    alone.get_by_role("button", name="Pareto").click()
    expect(notice).to_contain_text("say under Fields which way lr is better")
    alone.locator("summary", has_text="Fields").click()
    alone.get_by_label("Better x").select_option("min")
    expect(notice).to_contain_text(re.compile(r"Pareto front of \d+: lr lower and acc best higher is better"))
    ada.keyboard.press("Escape")

    box = alone.locator(".m-plot-area").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] * 0.55
    drag(ada, (middle, box["y"] + 8), (box["x"] + box["width"] - 4, box["y"] + box["height"] * 0.5))
    some = held(alone)
    assert 0 < some < RUNS
    expect(alone.get_by_role("link", name="Compare these")).to_have_attribute(
        "href", re.compile(r"/compare/\?runs=PAN")
    )
    alone.get_by_role("link", name="Open them in the table").click()
    expect(ada.locator("tbody input[name=runs]")).to_have_count(some)
    ada.go_back()

    _, alone = panels(ada)
    assert held(alone) == some
    ada.get_by_role("button", name="Explore arch").click()
    expect(alone.locator(".m-plot-notice")).to_contain_text(
        "40 runs in 2 groups · boxes: quartiles by linear interpolation"
    )
    alone.get_by_text("Data as table").click()
    expect(alone.get_by_role("region", name="Data of the picture").locator("tbody tr")).to_have_count(RUNS)
    assert ada.complaints == []


def test_a_finger_brushes_an_axis_and_the_page_is_open_to_all(ada: Page, browser: Browser, logged: Logged, swept: None):
    phone = browser.new_context(
        base_url=logged.live.url,
        viewport=NARROW,
        has_touch=True,
        is_mobile=True,
        storage_state=ada.context.storage_state(),
    ).new_page()
    phone.goto(MATTERS)
    together, _ = panels(phone)
    together.locator(".m-plot-area").scroll_into_view_if_needed()
    strip = axis(together, "lr").locator(".m-plot-strip")
    (x, low), (_, high) = along(strip, 0.1), along(strip, 0.6)
    devtools = phone.context.new_cdp_session(phone)
    devtools.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": low}]})
    for share in (0.25, 0.5, 0.75, 1):
        point = {"x": x, "y": low + share * (high - low)}
        devtools.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(together.locator(".m-plot-ways p")).to_contain_text("of 40 runs: lr")
    assert 0 < held(together) < RUNS
    assert (
        faults_of(
            ada, [f"{MATTERS}&panel=bar;y=metrics.acc.best", f"{MATTERS}&panel=box;x=params.arch;y=metrics.acc.best"]
        )
        == {}
    )
    assert ada.complaints == []
