"""A scientist selects runs, compares them, looks at their curves together, and keeps the view."""

import csv
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PROJECT, Logged
from tests.browser.looking import NARROW, WIDE, faults_of

pytestmark = pytest.mark.once


def select(page: Page, *names: str) -> None:
    page.goto(f"/p/{PROJECT}/runs/")
    for name in names:
        page.get_by_label(f"Select {name}", exact=True).check()


def test_selected_runs_are_compared_with_one_key(ada: Page, logged: Logged):
    select(ada, "gru-d-w24")
    bar = ada.get_by_role("region", name="Selected runs")
    expect(bar).to_contain_text("1 selected")
    expect(bar.get_by_role("button", name="Compare")).to_be_disabled()
    ada.get_by_label("Select tcn-w48", exact=True).check()
    ada.locator("h1").click()
    ada.keyboard.press("c")
    expect(ada.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    expect(ada.locator("table")).to_contain_text("tcn")
    expect(ada.locator("table")).not_to_contain_text("Experiment")
    assert ada.complaints == []


def test_a_selection_outlives_another_order_and_a_range_is_one_click(ada: Page, logged: Logged):
    select(ada, "gru-d-w24")
    ada.get_by_role("link", name=re.compile("^val.auroc")).click()
    expect(ada.locator("th[aria-sort=descending]")).to_contain_text("val/auroc")
    expect(ada.get_by_label("Select gru-d-w24", exact=True)).to_be_checked()
    ada.get_by_label("Select gru-d-w24", exact=True).uncheck()
    boxes = ada.locator("tbody input[name=runs]")
    boxes.first.click()
    boxes.last.click(modifiers=["Shift"])
    expect(ada.get_by_role("region", name="Selected runs")).to_contain_text("3 selected")
    expect(ada.get_by_label("Select all runs on this page")).to_be_checked()
    ada.get_by_role("button", name="Clear").click()
    expect(ada.get_by_role("region", name="Selected runs")).to_be_hidden()


def test_rows_are_selected_by_keyboard_alone(ada: Page, logged: Logged):
    ada.goto(f"/p/{PROJECT}/runs/")
    for key in ("j", "x", "j", "x"):
        ada.keyboard.press(key)
    expect(ada.get_by_role("region", name="Selected runs")).to_contain_text("2 selected")
    ada.keyboard.press("c")
    expect(ada.get_by_role("heading", name="Compare 2 runs")).to_be_visible()


def test_the_base_changes_and_n_goes_from_difference_to_difference(ada: Page, logged: Logged):
    select(ada, "gru-d-w24", "tcn-w48")
    ada.keyboard.press("c")
    expect(ada.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    ada.wait_for_load_state()  # the keys are a script's
    ada.locator("h1").click()
    ada.keyboard.press("n")
    expect(ada.locator("td.diff:focus")).to_have_count(1)
    first = ada.locator("thead th.base").inner_text()
    ada.get_by_role("link", name="Set base").click()
    expect(ada.locator("thead th.base")).not_to_have_text(first)
    ada.get_by_role("link", name="Hide identical").or_(ada.get_by_role("button", name="Hide identical")).click()
    expect(ada.locator("table")).to_contain_text("Experiment")
    assert ada.complaints == []


def test_a_view_is_kept_and_opened_again_from_the_menu(ada: Page, logged: Logged):
    ada.goto(f"/p/{PROJECT}/runs/")
    ada.get_by_label("Query", exact=True).fill("params.arch = 'tcn'")
    ada.keyboard.press("Enter")
    expect(ada.locator("table[data-rows] tbody tr")).to_have_count(1)
    ada.locator("#views summary", has_text="Save as").click()
    ada.get_by_label("Keep this view as").fill("only tcn")
    ada.get_by_role("button", name="Keep view").click()
    expect(ada.locator("#views summary").first).to_contain_text("only tcn")
    ada.goto(f"/p/{PROJECT}/runs/")
    expect(ada.locator("table[data-rows] tbody tr")).to_have_count(3)
    ada.locator("#views summary", has_text="Views").click()
    ada.get_by_role("link", name="only tcn").click()
    expect(ada.locator("table[data-rows] tbody tr")).to_have_count(1)
    ada.locator("#views summary", has_text="only tcn").click()
    ada.get_by_role("button", name="Delete view").click()
    expect(ada.get_by_text("is gone; no run changed")).to_be_visible()
    assert ada.complaints == []


def test_the_table_leaves_as_a_file(ada: Page, logged: Logged):
    ada.goto(f"/p/{PROJECT}/runs/?sort=name")
    ada.locator("#runs-head summary", has_text="Export").click()
    with ada.expect_download() as file:
        ada.get_by_role("link", name="columns shown as CSV").click()
    with file.value.path().open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["name"] for row in rows] == ["gru-d-w24", "gru-d-w48", "tcn-w48"]
    assert [float(row["metrics.val/auroc"]) for row in rows] == [0.8 + number / 100 for number in range(3)]


def test_the_workbench_is_open_to_all_and_nothing_sticks_out(ada: Page, logged: Logged):
    runs = ",".join(logged.runs.values())
    paths = [
        f"/compare/?runs={runs}",
        f"/compare/?runs={runs}&identical=1&figure=max",
        f"/compare/curves/?runs={runs}",
        "/compare/",
        f"/p/{PROJECT}/charts/",
        f"/p/{PROJECT}/charts/?group=params.arch",
        f"/p/{PROJECT}/charts/?q=nonsense+%3C",
        f"/p/{PROJECT}/what-matters/",
        f"/p/{PROJECT}/what-matters/?q=params.arch+%3D+'none'",
    ]
    assert faults_of(ada, paths, sizes=(NARROW, WIDE)) == {}
    assert ada.complaints == []
