"""Nested runs, stars, all runs and the box that jumps, by hand."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADA, Logged, names
from tests.browser.looking import WIDE, faults_of

pytestmark = pytest.mark.once
PROJECT = "sweeps"


@pytest.fixture(scope="session")
def sweeps(logged: Logged) -> str:
    """Two sweeps of an MLflow script, one of 53 trials, the first of which has folds, and a run beside them."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    logged.live.create_project(PROJECT, name="Sweeps")
    logged.live.add_member(PROJECT, ADA, "data_scientist")
    client = MlflowClient(logged.live.tracking_uri(PROJECT))
    experiment = client.create_experiment("icu/sweeps")
    client.create_experiment("icu/kept")

    def log(name: str, parent: str, loss: float) -> str:
        tags = {"mlflow.parentRunId": parent} if parent else {}
        run = client.create_run(experiment, run_name=name, tags=tags).info.run_id
        metrics = [Metric("val/loss", loss, 1_700_000_000_000, 0)] if parent else []
        client.log_batch(run, metrics=metrics, params=[Param("lr", f"{loss / 100:.3f}")])
        client.set_terminated(run)
        return run

    wide, small = log("sweep-lr", "", 1), log("sweep-depth", "", 2)
    trials = [log(f"trial-{at:02d}", wide, at) for at in range(53)]
    for at in range(3):
        log(f"fold-{at}", trials[0], 100 + at)
        log(f"depth-{at}", small, 200 + at)
    log("alone", "", 3)
    return f"/p/{PROJECT}/runs/"


def chip(page: Page, name: str):
    return page.locator("tbody tr", has=page.get_by_role("link", name=name, exact=True)).locator("[data-nest]")


def test_a_sweep_opens_where_it_stands_and_stays_open_under_another_order(ada: Page, sweeps: str):
    ada.set_viewport_size(WIDE)
    ada.goto(f"{sweeps}?sort=name&tree=1")
    expect(ada.locator("tbody a.name")).to_have_text(["alone", "sweep-depth", "sweep-lr"])
    expect(chip(ada, "sweep-lr")).to_have_text("+56")
    chip(ada, "sweep-depth").click()
    expect(ada.get_by_role("link", name="depth-2", exact=True)).to_be_visible()
    expect(ada.locator("tbody a.name")).to_have_text(
        ["alone", "sweep-depth", "depth-0", "depth-1", "depth-2", "sweep-lr"]
    )
    expect(chip(ada, "sweep-depth")).to_have_text("−3")
    assert re.search(r"open=SWE-\d+", ada.url)
    for _ in range(6):
        ada.keyboard.press("j")
    ada.keyboard.press("ArrowRight")  # the current row is the other sweep
    expect(ada.locator("tbody a.name")).to_have_count(56)
    ada.get_by_role("button", name="Show 50 more").click()
    expect(ada.locator("tbody a.name")).to_have_count(59)
    chip(ada, "trial-00").click()
    expect(ada.get_by_role("link", name="fold-2", exact=True)).to_be_visible()
    ada.locator("thead a", has_text="val/loss").first.click()
    expect(ada.locator("th[aria-sort]")).to_contain_text("val/loss")
    expect(ada.get_by_role("link", name="depth-2", exact=True)).to_be_visible()
    shown = names(ada)
    assert shown.index("depth-2") < shown.index("depth-1") < shown.index("depth-0")
    ada.reload()
    expect(ada.get_by_role("link", name="depth-2", exact=True)).to_be_visible()
    chip(ada, "sweep-depth").click()
    expect(ada.get_by_role("link", name="depth-2", exact=True)).to_have_count(0)
    ada.fill("#query", "metrics.`val/loss` >= 100 AND metrics.`val/loss` < 200")
    ada.keyboard.press("Enter")
    expect(chip(ada, "sweep-lr")).to_have_text(re.compile("[+−]3"))
    expect(ada.get_by_text("does not match; a run nested in it does").first).to_be_attached()
    ada.get_by_role("link", name="Nested", exact=True).click()
    expect(ada.locator("tbody a.name")).to_have_count(3)
    assert sorted(names(ada)) == ["fold-0", "fold-1", "fold-2"]
    assert ada.complaints == []


def test_a_star_shows_at_once_and_leads_back(ada: Page, sweeps: str):
    ada.set_viewport_size(WIDE)
    ada.goto(f"{sweeps}?sort=name&tree=0")
    row = ada.locator("tbody tr", has=ada.get_by_role("link", name="alone", exact=True))
    row.hover()
    row.get_by_role("button", name="Star alone").click()
    expect(row.get_by_role("button", name="Star alone")).to_have_attribute("aria-pressed", "true")
    ada.wait_for_url(lambda url: "star" not in url)
    ada.fill("#query", "starred = true")
    ada.keyboard.press("Enter")
    expect(ada.locator("tbody a.name")).to_have_count(1)
    ada.goto("/")
    expect(ada.get_by_role("heading", name="Starred")).to_be_visible()
    ada.get_by_role("link", name="All my runs").click()
    expect(ada.get_by_role("heading", name="All runs")).to_be_visible()
    ada.keyboard.press("Control+k")
    ada.keyboard.type("depth 1")
    expect(ada.get_by_role("option").first).to_contain_text("depth-1")
    ada.keyboard.press("ArrowDown")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("heading", name="depth-1")).to_be_visible()
    ada.locator("summary", has_text="Actions").click()
    ada.get_by_label("Move to experiment").select_option(label="icu/kept")
    ada.get_by_role("button", name="Move run").click()
    expect(ada.get_by_text("1 run moved.")).to_be_visible()
    expect(ada.get_by_role("link", name="icu/kept")).to_be_visible()
    ada.get_by_role("form", name="Undo").get_by_role("button").click()
    expect(ada.get_by_role("link", name="icu/sweeps")).to_be_visible()
    assert ada.complaints == []


def test_the_pages_keep_nobody_out(ada: Page, sweeps: str):
    def opened(page: Page, path: str) -> None:
        if "open=" in path:
            expect(page.get_by_role("link", name="depth-2", exact=True)).to_be_attached()

    ada.goto(f"{sweeps}?sort=name")
    (ref,) = [row for row in ada.locator("tbody tr[data-ref]").all() if "sweep-depth" in row.inner_text()]
    paths = [f"{sweeps}?open={ref.get_attribute('data-ref')}", "/runs/", "/", "/jump/?q=depth"]
    assert faults_of(ada, paths, ready=opened) == {}
