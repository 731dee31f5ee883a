"""An auditor in the browser: finds who changed a tag, proves it, takes it home, sees the run as it was."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADA, OTTO, Logged
from tests.browser.looking import WIDE, faults_of

pytestmark = pytest.mark.once


@pytest.fixture(scope="session")
def traced(logged: Logged) -> str:
    """The id of a run whose tag was changed twice, and whose names are as long as they may be."""
    from mlflow import MlflowClient

    live = logged.live
    live.create_project("trace", name="Trace")
    live.add_member("trace", ADA, "data_scientist")
    live.add_member("trace", OTTO, "auditor")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", live.issue_token(ADA))
        client = MlflowClient(live.tracking_uri("trace"))
        run = str(client.create_run(client.create_experiment("e" * 200), run_name="W" * 250).info.run_id)
        client.log_param(run, "p" * 250, "v" * 3000)
        for value in ("draft", "candidate"):
            client.set_tag(run, "stage", value)
        for number in range(60):
            client.set_tag(run, "count", str(number))
    live.manage("sequencer", "--once")
    return run


@pytest.mark.usefixtures("traced")
def test_an_auditor_finds_proves_and_exports_what_happened(sign_in, traced: str, tmp_path: Path):
    page: Page = sign_in(OTTO)
    page.goto("/p/trace/")
    page.get_by_role("link", name="Audit log").click()
    expect(page.get_by_role("heading", name="Audit log")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(51)
    page.get_by_role("link", name="Earlier").click()
    expect(page).to_have_url(re.compile("before="))
    expect(page.get_by_role("link", name="Newest")).to_be_visible()
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Actor").select_option(label="Ada")
    page.get_by_label("Door").select_option("mlflow")
    page.get_by_label("Text").fill("candidate")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("row")).to_have_count(2)
    row = page.get_by_role("row").nth(1)
    expect(row.locator("summary")).to_contain_text(re.compile(r"stage\s+draft\s+→\s+candidate"))
    expect(row).to_contain_text("Data scientist")
    row.locator("summary").click()
    expect(row.get_by_text("experiments.set_tags")).to_be_visible()
    page.get_by_role("link", name="Verify now").click()
    expect(page.get_by_role("status").first).to_contain_text("Whole: the 1 event on this page")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export", exact=True).click()
    file = tmp_path / "log.jsonl"
    download.value.save_as(file)
    [line] = [json.loads(text) for text in file.read_text().splitlines()]
    assert line["payload"]["changes"][0]["fields"] == {"stage": ["draft", "candidate"]}
    page.get_by_role("link", name="Without Text").click()
    expect(page.get_by_role("row")).to_have_count(51)
    page.get_by_role("link", name="As of a date").click()
    page.get_by_label("What").fill(f"run:{traced}")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("region", name="Tags")).to_contain_text("candidate")
    assert page.complaints == []  # type: ignore[attr-defined]


def test_the_pages_of_the_log_are_open_to_all_and_nothing_sticks_out(sign_in, traced: str):
    log = "/p/trace/log/"
    paths = [log, f"{log}?verify=1&kind=experiments.run", f"{log}?q=nothing-such", f"{log}?role=king"]
    paths += [f"{log}as-of/", f"{log}as-of/?what=members", f"{log}as-of/?what=run:{traced}&at=2026-01-01T00:00&and="]
    paths += [f"{log}as-of/?what=run:{traced}", f"{log}as-of/?what=x"]
    assert faults_of(sign_in(OTTO), paths) == {}


def test_no_column_of_the_log_is_cut_off_on_a_wide_screen(sign_in, traced: str):
    page: Page = sign_in(OTTO)
    page.set_viewport_size(WIDE)
    page.goto("/p/trace/log/?door=mlflow")
    table = page.locator(".m-log-t")
    expect(table).to_contain_text("mlflow-python-client")
    assert table.evaluate("one => one.scrollWidth - one.parentElement.clientWidth") <= 0
