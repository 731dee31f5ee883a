"""The run table as one's own: widths, pins, formats, undo, keys; and alive: what is new moves nothing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import ADA, Logged
from tests.browser.looking import serious

pytestmark = pytest.mark.once
PROJECT = "columns"
SHOWN = ("created", "duration", "user", "metrics.val/auroc", "metrics.val/ece", "params.arch", "params.lr", "tags.team")
COLUMNS = "&".join(f"columns={key}" for key in SHOWN)


@pytest.fixture(scope="session")
def table(logged: Logged) -> str:
    """Sixteen runs, the newest of which still runs; the table's address."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    logged.live.create_project(PROJECT, name="Columns")
    logged.live.add_member(PROJECT, ADA, "data_scientist")
    client = MlflowClient(logged.live.tracking_uri(PROJECT))
    experiment = client.create_experiment("icu/columns")
    for number in range(16):
        started = 1_700_000_000_000 + number
        run = client.create_run(experiment, run_name=f"run-{number:02}", start_time=started).info.run_id
        metrics = [Metric("val/auroc", 0.8 + number / 1000, 1, 0), Metric("val/ece", 0.05 - number / 1000, 1, 0)]
        params = [Param("arch", "gru" if number % 2 else "tcn"), Param("lr", str(10 ** -(number % 3)))]
        client.log_batch(run, metrics=metrics, params=params, tags=[RunTag("team", "icu")])
        if number < 15:
            client.set_terminated(run)
    return f"/p/{PROJECT}/runs/"


def width(page: Page, key: str) -> float:
    return page.locator(f"th[data-column-key='{key}']").bounding_box()["width"]  # type: ignore[index]


def menu(page: Page, key: str):
    """The open menu of a column."""
    page.locator(f"th[data-column-key='{key}'] .m-headopen").focus()
    page.keyboard.press("Enter")
    return page.locator(".m-headmenu:popover-open")


def kept(page: Page):
    """Waits until the server has kept a setting."""
    return page.expect_response(lambda answer: answer.url.endswith("/me/settings/") and answer.ok)


def test_columns_are_widened_pinned_and_formatted_and_stay_so(ada: Page, table: str):
    ada.set_viewport_size({"width": 1440, "height": 800})
    ada.goto(f"{table}?{COLUMNS}")
    edge = ada.locator("th[data-column-key='params.arch'] [data-resize]").bounding_box()
    assert edge
    before = width(ada, "params.arch")
    ada.mouse.move(edge["x"] + 4, edge["y"] + 8)
    ada.mouse.down()
    ada.mouse.move(edge["x"] + 64, edge["y"] + 8)
    with kept(ada):
        ada.mouse.up()
    assert width(ada, "params.arch") == pytest.approx(before + 60, abs=2)
    opened = menu(ada, "params.lr")
    before = width(ada, "params.lr")
    with kept(ada):
        opened.get_by_role("button", name="Wider").press("Enter")
    assert width(ada, "params.lr") == before + 24
    assert serious(ada) == []
    ada.keyboard.press("Escape")
    menu(ada, "metrics.val/ece").get_by_role("button", name="3 decimals").press("Enter")
    expect(ada.locator("tbody tr").first.locator("td", has_text="0.035")).to_be_visible()
    expect(ada.locator("th[data-column-key='metrics.val/ece'] .m-headopen")).to_be_focused()
    menu(ada, "metrics.val/ece").get_by_role("button", name="Pin to the left").press("Enter")
    expect(ada.locator("th[data-column-group='Pinned']")).to_have_attribute("data-column-key", "metrics.val/ece")
    ada.reload()
    assert width(ada, "params.lr") == before + 24
    ada.set_viewport_size({"width": 900, "height": 800})
    pinned = ada.locator("th[data-column-key='metrics.val/ece']")
    at = pinned.bounding_box()
    ada.locator(".m-runsbox").evaluate("box => { box.scrollLeft = 400 }")
    assert pinned.bounding_box() == at
    assert serious(ada) == []
    menu(ada, "metrics.val/ece").get_by_role("button", name="Unpin").press("Enter")
    expect(ada.locator("th[data-column-group='Pinned']")).to_have_count(0)
    assert ada.complaints == []  # type: ignore[attr-defined]


def test_views_are_undone_and_redone_and_text_fields_keep_their_own_undo(ada: Page, table: str):
    ada.goto(f"{table}?{COLUMNS}")
    undo, redo = ada.get_by_role("button", name="Undo", exact=True), ada.get_by_role("button", name="Redo", exact=True)
    expect(undo).to_be_disabled()
    ada.locator("thead a", has_text="val/auroc").click()
    expect(ada.locator("th[aria-sort=descending]")).to_be_visible()
    ada.locator("#query").fill("params.arch = 'tcn'")
    ada.keyboard.press("Enter")
    expect(ada.locator("tbody a.name")).to_have_count(8)
    ada.locator("h1").click()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "e"):
        ada.keyboard.press(key)
    expect(ada.locator("tr[data-current] .m-eye")).to_have_attribute("aria-pressed", "false")
    ada.wait_for_url(lambda url: "hide=" in url)
    ada.keyboard.press("Control+z")
    expect(ada.locator("tr[data-current] .m-eye")).to_have_attribute("aria-pressed", "true")
    ada.keyboard.press("Control+z")
    expect(ada.locator("tbody a.name")).to_have_count(16)
    expect(ada.locator("#query")).to_have_value("")
    undo.click()
    expect(ada.locator("th[aria-sort]")).to_have_count(0)
    expect(undo).to_be_disabled()
    ada.keyboard.press("Control+y")
    expect(ada.locator("th[aria-sort=descending]")).to_be_visible()
    redo.click()
    expect(ada.locator("tbody a.name")).to_have_count(8)
    ada.locator("#query").fill("params.lr")
    ada.keyboard.press("Control+z")
    expect(ada.locator("tbody a.name")).to_have_count(8)
    ada.go_back()
    expect(ada.locator("tbody a.name")).to_have_count(16)
    expect(redo).to_be_enabled()
    assert ada.complaints == []  # type: ignore[attr-defined]


def look_again(page: Page) -> None:
    """The reader comes back to this window: what is new is asked at once."""
    with page.expect_response(re.compile("/runs/newer/")):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_what_is_new_is_told_and_moves_nothing(ada: Page, table: str, logged: Logged):
    from mlflow import MlflowClient

    ada.set_viewport_size({"width": 1280, "height": 420})
    ada.goto(f"{table}?{COLUMNS}")
    box = ada.locator(".m-runsbox")
    box.evaluate("box => { box.scrollTop = 60 }")
    ada.get_by_label("Select run-10", exact=True).check()
    row = ada.locator("tr", has=ada.get_by_role("link", name="run-12", exact=True))
    row.hover()
    before = row.bounding_box()
    colours = ada.locator("tbody .m-sw").evaluate_all("all => all.map(one => one.getAttribute('class'))")
    client = MlflowClient(logged.live.tracking_uri(PROJECT))
    found = client.search_experiments(filter_string="name = 'icu/columns'")[0].experiment_id
    running = client.search_runs([found], "attributes.run_name = 'run-15'")[0].info.run_id
    other = client.search_runs([found], "attributes.run_name = 'run-03'")[0].info.run_id
    late = client.create_run(found, run_name="late").info.run_id
    client.log_metric(running, "val/auroc", 0.9375)
    client.set_tag(other, "team", "ward")
    look_again(ada)
    expect(ada.locator("#newer")).to_contain_text("1 new run, 2 changed.")
    newest = ada.locator("tr", has=ada.get_by_role("link", name="run-15", exact=True))
    expect(newest).to_contain_text("0.9375")
    expect(ada.locator("tr", has=ada.get_by_role("link", name="run-03", exact=True))).to_contain_text("ward")
    assert row.bounding_box() == before
    assert box.evaluate("box => box.scrollTop") == 60
    expect(ada.get_by_label("Select run-10", exact=True)).to_be_checked()
    assert ada.locator("tbody .m-sw").evaluate_all("all => all.map(one => one.getAttribute('class'))") == colours
    assert serious(ada) == []
    ada.get_by_role("link", name="Show them").click()
    expect(ada.locator("tbody a.name")).to_have_count(17)
    expect(ada.get_by_label("Select run-10", exact=True)).to_be_checked()
    asked: list[Request] = []
    ada.on("request", lambda request: "/newer/" in request.url and asked.append(request))
    ada.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    ada.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    client.set_terminated(late)
    ada.evaluate("delete document.hidden")
    look_again(ada)
    assert len(asked) == 1
    expect(ada.locator("tr", has=ada.get_by_role("link", name="late", exact=True))).to_contain_text("Finished")
    assert ada.complaints == []  # type: ignore[attr-defined]
