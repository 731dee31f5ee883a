"""A project moves out and into another in the browser: exported, taken out, checked, imported, told at each step."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Logged
from tests.browser.looking import faults_of

pytestmark = pytest.mark.once

HERE, THERE = "moving-out", "moving-in"
CARRY = "from transfer.tasks import carry_on; carry_on()"
NORA, OLE = "nora@moving.example.org", "ole@moving.example.org"


def _log(uri: str) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    run = client.create_run(client.create_experiment("icu"), run_name="gru-moved").info.run_id
    client.log_param(run, "lr", "0.1")
    for step in range(20):
        client.log_metric(run, "val/loss", 1 / (step + 1), step=step)
    client.log_text(run, "hello", "notes/hello.txt")
    client.set_terminated(run)


@pytest.fixture(scope="session")
def passwords(logged: Logged) -> dict[str, str]:
    live = logged.live
    live.create_project(HERE, name="Out")
    live.create_project(THERE, name="In")
    made = {
        NORA: live.create_user(NORA, name="Nora Out", role="ml_engineer", project=HERE),
        OLE: live.create_user(OLE, name="Ole In", role="data_scientist", project=THERE),
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", live.issue_token(NORA))
        _log(live.tracking_uri(HERE))
    return made


def test_a_project_moves_from_one_place_to_another(sign_in, logged: Logged, passwords, tmp_path: Path):
    nora: Page = sign_in(NORA, passwords[NORA])
    nora.goto(f"/p/{HERE}/")
    nora.get_by_role("link", name="Import and export").click()
    expect(nora.get_by_role("heading", name="Nothing was moved yet")).to_be_visible()
    nora.get_by_role("link", name="Export this project").click()
    nora.get_by_label("With the project's log, sealed").check()
    nora.get_by_role("button", name="Export").click()
    expect(nora.locator("#far")).to_contain_text("Under way")
    for _ in range(2):  # the log goes on, a worker comes by: what it holds, then its seal
        logged.live.manage("sequencer", "--once")
        logged.live.manage("shell", "-c", CARRY)
    expect(nora.get_by_role("heading", name="What it holds")).to_be_visible(timeout=60_000)
    with nora.expect_download() as download:
        nora.get_by_role("link", name="Download").click()
    archive = tmp_path / "archive.zip"
    download.value.save_as(archive)
    with zipfile.ZipFile(archive) as opened:
        counts = json.loads(opened.read("manifest.json"))["counts"]
        assert (counts["runs"], counts["points"], counts["files"]) == (1, 20, 1)
        assert "ledger/project.mledlog" in opened.namelist()
    assert faults_of(nora, [nora.url, f"/p/{HERE}/transfers/", f"/p/{HERE}/transfers/export/"]) == {}
    assert nora.complaints == []  # type: ignore[attr-defined]

    ole: Page = sign_in(OLE, passwords[OLE])
    ole.goto(f"/p/{THERE}/transfers/")
    ole.get_by_role("link", name="Import: Archive of MLED").click()
    broken = tmp_path / "broken.zip"
    broken.write_bytes(archive.read_bytes()[:1000])
    ole.locator("#files").set_input_files(broken)
    expect(ole.get_by_text("Sent", exact=True)).to_be_visible(timeout=30_000)
    ole.get_by_role("button", name="Go on").click()
    expect(ole.get_by_role("alert").filter(has_text="cut off")).to_be_visible()
    ole.goto(f"/p/{THERE}/transfers/import-archive/")
    ole.locator("#files").set_input_files(archive)
    expect(ole.get_by_text("Sent", exact=True)).to_be_visible(timeout=30_000)
    ole.get_by_role("button", name="Go on").click()
    expect(ole.get_by_text("Everything in it is sound and can be taken.")).to_be_visible(timeout=60_000)
    checked = ole.url
    assert faults_of(ole, [checked, f"/p/{THERE}/transfers/import-archive/"]) == {}
    ole.goto(checked)
    ole.get_by_role("button", name="Import it now").click()
    expect(ole.get_by_text("Everything that was brought in is what its source says.")).to_be_visible(timeout=60_000)
    ole.goto(f"/p/{THERE}/runs/")
    ole.get_by_role("link", name="gru-moved").first.click()
    expect(ole.get_by_role("heading", name="gru-moved")).to_be_visible()
    expect(ole.locator(".m-origin")).to_contain_text(re.compile("^imported by Ole.*, as its source says$"))
    ole.goto(f"/p/{HERE}/transfers/")
    expect(ole.locator(".m-error")).to_contain_text("404")
    assert [words for words in ole.complaints if "404" not in words and "400" not in words] == []  # type: ignore[attr-defined]
