"""A newcomer logs a past experiment: from home to the id of the run, with the keyboard, with and without scripts."""

from __future__ import annotations

import re
import time

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADA, Logged, enter
from tests.browser.looking import NARROW, WIDE, faults_of, serious

pytestmark = pytest.mark.once

PLACE = "past"
HERE = f"/p/{PLACE}/record/"


@pytest.fixture(scope="session")
def past(logged: Logged) -> str:
    """A project with a dataset of one version; the token of its scientist."""
    live = logged.live
    live.create_project(PLACE, name="Past trials")
    live.add_member(PLACE, ADA, "data_scientist")
    token = live.issue_token(ADA, project=PLACE)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    base = f"{live.url}/api/v1/projects/{PLACE}/"
    made = session.post(f"{base}datasets/", json={"name": "ward-notes"}).json()
    versions = f"{base}datasets/{made['id']}/versions/"
    assert session.post(versions, json={"source": "s3://notes/2026", "digest": "ab12cd"}).ok
    return str(token)


def test_a_newcomer_records_an_experiment_within_three_minutes(sign_in, past: str):
    page: Page = sign_in(ADA)
    began = time.monotonic()
    page.goto(f"/p/{PLACE}/")
    page.get_by_role("link", name="I already ran it").first.click()
    form = page.locator("#record-form")
    page.get_by_label("Experiment", exact=True).fill("paper/baselines")
    page.get_by_label("Name of the run").fill("svm-rbf")
    page.get_by_label("Dataset version").press_sequentially("ward v9")
    page.get_by_label("Started").fill("2026-03-02T14:00")
    expect(page.locator("[data-utc=started]")).to_have_text("2026-03-02 14:00 UTC")
    page.get_by_label("Name of parameter 1").fill("kernel")
    for typed in ("rbf", "C", "10", "C", "1e2"):  # Enter leads from field to field, and to a row that is new
        page.keyboard.press("Enter")
        page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name of parameter 4")).to_be_focused()
    page.keyboard.type("seed")
    page.keyboard.press("Enter")
    page.keyboard.type("3")
    expect(page.locator("#params [data-kind]")).to_have_text(["text", "whole number", "number", "whole number"])
    results = page.locator("#results")
    results.locator("summary").click()
    results.get_by_role("textbox", name="Results as JSON, YAML or CSV").fill("val/auroc: 0.8127\nval/ece: 0,04")
    results.get_by_role("button", name="Fill the rows").click()
    expect(page.get_by_label("Name of result 2")).to_have_value("val/ece")
    page.get_by_label("Files", exact=True).set_input_files(
        [{"name": "uv.lock", "mimeType": "text/plain", "buffer": b"numpy==2.4.6\n"}]
    )
    expect(page.locator("#upload-list li")).to_contain_text("Sent")
    page.keyboard.press("Control+Enter")
    told = page.locator("#record-problems")
    expect(told).to_be_focused()
    expect(told).to_contain_text("4 fields need another look")
    assert told.get_by_role("link").all_inner_texts() == ["Architecture", "Dataset version", "Parameter 3", "Result 2"]
    told.get_by_role("link", name="Architecture").click()
    expect(page.get_by_label("Architecture")).to_be_focused()
    page.keyboard.type("SVM, RBF kernel")
    page.get_by_label("Dataset version").fill("ward")
    expect(page.locator("#versions-known option")).to_have_attribute("value", "ward-notes v1")
    page.get_by_label("Dataset version").fill("ward-notes v1")
    page.get_by_role("button", name="Remove parameter 3").click()
    expect(page.get_by_label("Name of parameter 3")).to_have_value("seed")
    page.get_by_label("Value of result 2").fill("0.04")
    expect(page.locator("#seen")).to_contain_text("4 of 9")
    expect(page.locator("#seen")).to_contain_text("seed = 3")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("[data-write-preview]")).to_contain_text("Nothing to show yet.")
    page.set_viewport_size(NARROW)
    assert not serious(page)
    page.set_viewport_size(WIDE)
    form.get_by_role("button", name="Store experiment").dblclick()
    expect(page.get_by_role("status").filter(has_text="is stored.")).to_contain_text(
        re.compile(r"PAS\w*-\d+ is stored")
    )
    page.get_by_role("button", name="Copy ID", exact=True).click()
    assert time.monotonic() - began < 180
    page.get_by_role("link", name="Open ").click()
    expect(page.locator(".m-origin")).to_contain_text("recorded by hand by Ada")
    page.goto(f"/p/{PLACE}/runs/")
    expect(page.locator("tbody a.name")).to_have_count(1)
    page.goto(f"{HERE}?like=1")
    assert page.complaints == ["Failed to load resource: the server responded with a status of 404 (Not Found)"]


def test_every_page_of_it_is_in_order_and_works_without_scripts(ada: Page, plain: Page, past: str):
    plain.goto(HERE)
    plain.get_by_label("Experiment", exact=True).fill("paper/plain")
    plain.get_by_label("Architecture").fill("Trees")
    plain.locator("#started").fill("2026-03-02T14:00")
    plain.get_by_label("Name of parameter 1").fill("depth")
    plain.get_by_label("Value of parameter 1").fill("3")
    plain.locator("#params").get_by_role("button", name="Parameter").click()
    expect(plain.get_by_label("Name of parameter 4")).to_be_visible()
    plain.get_by_text("The data is not in the catalogue yet").click()
    plain.get_by_label("Name of the data").fill("x-rays")
    plain.get_by_label("Digest").fill("d1")
    plain.get_by_label("Where it lies").fill("s3://xrays/1")
    plain.get_by_label("Files", exact=True).set_input_files(
        [{"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"}]
    )
    plain.get_by_label("or took").fill("90")
    plain.get_by_role("button", name="Store experiment").click()
    expect(plain.get_by_role("alert")).to_contain_text("1 field needs another look")
    expect(plain.get_by_label("Files that are kept")).to_contain_text("a.txt")
    plain.get_by_label("or took").fill("90 min")
    plain.get_by_role("button", name="Store experiment").click()
    expect(plain.get_by_role("status").filter(has_text="is stored.")).to_be_visible()
    done = plain.url.partition(PLACE)[2]
    paths = [HERE, f"/p/{PLACE}{done}", f"/p/{PLACE}/runs/", f"/r/{done.split('/')[-2]}/", "/"]
    assert faults_of(ada, paths) == {}
    assert ada.complaints == []


def test_what_was_typed_outlives_the_session(sign_in, past: str, logged: Logged):
    page: Page = sign_in(ADA)
    page.set_viewport_size(NARROW)
    page.goto(HERE)
    page.get_by_label("Experiment", exact=True).fill("paper/outlived")
    page.get_by_label("Name of the run").fill("typed for an hour")
    page.context.clear_cookies(name="mled_session")
    page.keyboard.press("Control+Enter")
    told = page.get_by_role("dialog", name="You are signed out")
    expect(told).to_contain_text("what you typed is still here")
    assert serious(page) == []
    told.get_by_role("button", name="Send it again").click()
    expect(told).to_be_visible()  # nobody has signed in yet
    with page.context.expect_page() as opened:
        told.get_by_role("link", name="Sign in in another tab").click()
    enter(opened.value, ADA, logged.passwords[ADA])
    opened.value.close()
    told.get_by_role("button", name="Send it again").click()
    expect(page.get_by_label("Name of the run")).to_have_value("typed for an hour")
    expect(page.locator("#record-problems")).to_be_focused()  # it came there, and more has to be said
