"""A scientist brings in her old spreadsheet: upload, columns, a dry run with errors, runs in the table, the undo."""

from __future__ import annotations

import re

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADA, Logged
from tests.browser.looking import faults_of
from tests.experiments.test_sheets_reading import book

pytestmark = pytest.mark.once

PLACE = "sheet-columns"
HERE = f"/p/{PLACE}/sheets/"
HEADER = ["Experiment", "Run name", "Model", "Data", "Start time", "Took (min)", "lr", "val auroc", "Ward"]


@pytest.fixture(scope="session")
def columns(logged: Logged) -> str:
    """A project with a dataset of one version."""
    live = logged.live
    live.create_project(PLACE, name="Where each column goes")
    live.add_member(PLACE, ADA, "data_scientist")
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {live.issue_token(ADA, project=PLACE)}"
    base = f"{live.url}/api/v1/projects/{PLACE}/"
    made = session.post(f"{base}datasets/", json={"name": "ward-notes"}).json()
    versions = f"{base}datasets/{made['id']}/versions/"
    assert session.post(versions, json={"source": "s3://notes/2026", "digest": "ab12cd"}).ok
    return PLACE


def workbook(data: str) -> dict[str, object]:
    def fill(made: object) -> None:
        sheet = made.active  # type: ignore[attr-defined]
        sheet.append(HEADER)
        sheet.append(["paper", "svm-1", "SVM", "ward-notes v1", "2026-03-02 14:00", 80, 0.1, 0.81, "icu-1"])
        sheet.append(["paper", "svm-2", "SVM", data, "2026-03-03 14:00", 90, 0.01, 0.82, None])
        sheet.append(["paper", "svm-3", "SVM", "ward-notes v1", "2026-03-04 14:00", 95, 0.001, 0.83, "icu-2"])

    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return {"name": "old trials.xlsx", "mimeType": kind, "buffer": book(fill).getvalue()}


def brought(page: Page, data: str) -> None:
    page.goto(HERE)
    page.get_by_label("CSV or XLSX file").set_input_files([workbook(data)])  # type: ignore[list-item]
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.get_by_role("heading", name="old trials.xlsx")).to_be_visible()
    expect(page.get_by_role("region", name="Where each column goes")).to_be_visible()


def test_an_old_spreadsheet_becomes_runs_and_is_taken_back(ada: Page, columns: str):
    page = ada
    page.goto(f"/p/{PLACE}/record/")
    page.get_by_role("link", name="Many, from a spreadsheet").click()
    brought(page, "ward-notes v7")
    own = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    expect(page.get_by_label("Time zone of times without one")).to_have_value(own)
    wide = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 900})
    expect(page.get_by_text("icu-1 · icu-2")).to_be_visible()
    page.set_viewport_size(wide or {"width": 1440, "height": 900})
    ward = page.get_by_label("Where column I, Ward, goes")
    expect(page.get_by_label("Where column F, Took (min), goes")).to_have_value("duration_min")
    expect(ward).to_have_value("param")
    expect(page.get_by_label("Name of column A as")).to_be_hidden()
    ward.select_option("tag")
    page.get_by_label("Name of column I as").fill("ward")
    page.get_by_role("button", name="Save and preview").click()
    preview = page.get_by_role("region", name="The first rows")
    expect(preview).to_contain_text("ward = icu-1")
    expect(preview).to_contain_text("val auroc = 0.81")
    page.get_by_role("button", name="Check all 3 rows").click()
    expect(page.get_by_role("region", name="Row by row")).to_contain_text(
        "D, Data: There is no v7: the latest is ward-notes v1. Write ward-notes v1."
    )
    wrong = page.url
    assert faults_of(page, [wrong, HERE]) == {}
    brought(page, "ward-notes v1")  # the corrected file begins with the columns of the first
    expect(page.get_by_label("Where column I, Ward, goes")).to_have_value("tag")
    page.get_by_role("button", name="Check all 3 rows").click()
    page.get_by_role("button", name="Import 3 rows").click()
    expect(page.get_by_text("3 imported.")).to_be_visible()
    done = page.url
    page.get_by_role("link", name=re.compile("svm-3")).click()
    expect(page.locator(".m-origin")).to_contain_text("recorded by hand by Ada")
    page.goto(f"/p/{PLACE}/runs/")
    expect(page.locator("tbody a.name")).to_have_text(["svm-3", "svm-2", "svm-1"])
    assert faults_of(page, [done]) == {}
    page.goto(done)
    page.locator("summary", has_text="Undo").click()
    page.get_by_label("Why?").fill("Wrong file")
    page.get_by_role("button", name="Take back 3 runs").click()
    expect(page.get_by_text("3 taken back.")).to_be_visible()
    page.goto(f"/p/{PLACE}/runs/")
    expect(page.locator("tbody a.name")).to_have_count(0)
    assert page.complaints == []  # type: ignore[attr-defined]
