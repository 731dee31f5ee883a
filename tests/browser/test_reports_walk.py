"""The auditor's day in the browser: a waiver, the queue, a signed verdict, its report; a stranger verifies it."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Logged
from tests.browser.looking import faults_of
from tests.browser.test_reviews import Clinic, sign
from tests.services.live import LiveMled

pytestmark = pytest.mark.once

PROJECT = "sealed-ward"
ANNA, MAYA, PRIYA = "anna.ward@example.org", "maya.ward@example.org", "priya.ward@example.org"
ROLES = {ANNA: "data_scientist", MAYA: "auditor", PRIYA: "project_manager"}
BUILD = "from audit.compliance.tasks import build_reports; build_reports()"


@pytest.fixture(scope="session")
def ward(logged: Logged) -> Clinic:
    live = logged.live
    live.create_project(PROJECT, name="Ward")
    passwords = {
        email: live.create_user(email, name=f"{email.split('.')[0].capitalize()} Ward", role=role, project=PROJECT)
        for email, role in ROLES.items()
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", live.issue_token(ANNA))
        run = _log(live.tracking_uri(PROJECT))
    return Clinic(live, passwords, run)


def _log(uri: str) -> str:
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    run: str = client.create_run(client.create_experiment("icu"), run_name="gru-ward").info.run_id
    client.log_param(run, "lr", "0.1")
    for step in range(20):
        client.log_metric(run, "val/loss", 1 / (step + 1), step=step)
    client.set_terminated(run)
    return run


@pytest.fixture
def signed_in(sign_in, ward: Clinic) -> Callable[[str], Page]:
    return lambda email: sign_in(email, ward.passwords[email])


def build(live: LiveMled) -> None:
    """What sequencer and worker do by themselves: put the log in order, and build what waits."""
    for _ in range(4):
        live.manage("sequencer", "--once")
        live.manage("shell", "-v", "0", "-c", BUILD)
    live.manage("sequencer", "--once")


def test_an_auditor_signs_a_verdict_and_hands_over_a_report_that_a_stranger_verifies(
    signed_in, ward: Clinic, tmp_path: Path
):
    anna, priya, maya = signed_in(ANNA), signed_in(PRIYA), signed_in(MAYA)
    queue, reports = "/p/sealed-ward/reviews/", "/p/sealed-ward/reports/"

    # The author submits; the manager lets one rule stay unmet for a while.
    anna.goto(f"/r/{ward.run}/review/")
    anna.get_by_role("button", name="Submit", exact=True).click()
    expect(anna.get_by_text("It waits in the auditors' queue.")).to_be_visible()
    priya.goto(f"/r/{ward.run}/rules/")
    priya.get_by_role("button", name="Ask again").click()
    rule = priya.locator(".m-rules > li").filter(has=priya.locator(".code", has_text=re.compile("^V5$")))
    rule.locator("summary", has_text="Waive").click()
    rule.get_by_label("Why may it stay unmet?").fill("Seeds come with the next training.")
    rule.get_by_label("Until").fill(f"{dt.date.today() + dt.timedelta(days=30)}")
    rule.get_by_role("button", name="Waive").click()
    expect(priya.locator(".m-messages .m-note.ok")).to_be_visible()
    expect(priya.get_by_role("status").filter(has_text="1 waived")).to_be_visible()
    ward.live.manage("sequencer", "--once")

    # The auditor finds it in the queue, looks and signs.
    maya.goto(queue)
    maya.keyboard.press("j")
    maya.keyboard.press("Enter")
    expect(maya.get_by_role("heading", level=1)).to_have_text("gru-ward")
    maya.get_by_role("button", name="Start review").click()
    maya.get_by_label(re.compile("^Reason")).fill("Looked at data, code and curves.")
    maya.get_by_role("button", name=re.compile("^Compliant")).click()
    expect(maya.get_by_role("dialog")).to_contain_text("Reviewed and found compliant")
    sign(maya, ward, MAYA)

    # From the queue's filter to a form that is filled in and counts while one types.
    maya.goto(f"{queue}?state=compliant")
    maya.get_by_role("link", name="Report", exact=True).click()
    runs, count = maya.get_by_label(re.compile("^Which runs")), maya.locator("#report-count")
    expect(runs).to_have_value("verdict IN ('compliant')")
    expect(count).to_have_text("1 run matches now.")
    runs.fill("verdict IN ('compliant') AND bogus = 1")
    expect(count).to_contain_text("no field")
    runs.fill("verdict IN ('compliant')")
    expect(count).to_have_text("1 run matches now.")
    form = maya.url
    maya.get_by_label(re.compile("^Title")).fill("Verdicts of the ward")
    maya.get_by_role("textbox", name=re.compile("^Reason")).fill("Quarterly review")
    maya.get_by_role("button", name="Make the report").click()

    # It waits visibly; once it is made, the page says so by itself.
    making = maya.locator("#being-made")
    expect(making).to_contain_text("Verdicts of the ward")
    build(ward.live)
    expect(making.get_by_text("Finished", exact=True)).to_be_visible(timeout=20_000)
    text = words_of(taken(maya, making.get_by_role("link", name="PDF"), tmp_path))
    assert "Verdicts of the ward" in text
    assert "Maya Ward" in text
    assert "found compliant" in text
    assert "Seeds come with the next training." in text

    # Verified without the server, by the file that it gives out.
    making.get_by_role("link", name="Verdicts of the ward", exact=True).click()
    bundle = taken(maya, maya.get_by_role("link", name="Download report.mledlog"), tmp_path)
    verifier = taken(maya, maya.get_by_role("link", name="mled_verify.py"), tmp_path)
    verified = subprocess.run([sys.executable, verifier, bundle], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    bundle.write_bytes(bundle.read_bytes().replace(b"Looked at data", b"Looked at dada"))
    assert subprocess.run([sys.executable, verifier, bundle], capture_output=True, check=False).returncode == 1

    # Built again for the same moment it has the same digest.
    first = maya.url
    maya.get_by_role("button", name="Build again for the same moment").click()
    expect(maya.get_by_text("Below it says whether its digest is the same.")).to_be_visible()
    build(ward.live)
    expect(maya.get_by_text("The same digest")).to_be_visible(timeout=20_000)

    # The author sees the verdict, and none of the auditor's reports.
    anna.goto(reports)
    expect(anna.get_by_role("heading", name="No report yet")).to_be_visible()
    assert anna.goto(first).status == 404
    anna.goto(reports)

    assert faults_of(maya, [reports, form, first, maya.url]) == {}
    assert faults_of(anna, [reports]) == {}
    assert [one for one in anna.complaints if "404" not in one] == []
    assert priya.complaints == []
    assert maya.complaints == []


def taken(page: Page, link, folder: Path) -> Path:
    """The file behind a link, on disk."""
    with page.expect_download() as waiting:
        link.click()
    kept = folder / waiting.value.suggested_filename
    waiting.value.save_as(kept)
    return kept


def words_of(pdf: Path) -> str:
    """What stands in a PDF, on one line."""
    pages = pypdfium2.PdfDocument(pdf)
    text = " ".join(pages[at].get_textpage().get_text_range() for at in range(len(pages)))
    return " ".join(text.split())
