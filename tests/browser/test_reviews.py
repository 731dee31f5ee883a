"""A run under review in the browser: submitted, flagged, answered, amended, found compliant, changed since."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Logged
from tests.browser.looking import faults_of, serious
from tests.services.live import LiveMled

pytestmark = pytest.mark.once

ANNA, MAYA = "anna.review@example.org", "maya.review@example.org"
ROLES = {ANNA: "data_scientist", MAYA: "auditor"}


@dataclasses.dataclass(frozen=True)
class Clinic:
    """A project whose runs are reviewed: its people's passwords and its run."""

    live: LiveMled
    passwords: dict[str, str]
    run: str


@pytest.fixture(scope="session")
def clinic(logged: Logged) -> Clinic:
    live = logged.live
    live.create_project("clinic", name="Clinic")
    passwords = {
        email: live.create_user(email, name=email.split(".")[0].capitalize(), role=role, project="clinic")
        for email, role in ROLES.items()
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", live.issue_token(ANNA))
        run = _log(live.tracking_uri("clinic"))
    return Clinic(live, passwords, run)


def _log(uri: str) -> str:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput

    client = MlflowClient(uri)
    run: str = client.create_run(client.create_experiment("icu"), run_name="gru-d").info.run_id
    client.log_inputs(run, [DatasetInput(Dataset("vitals", "7be1c0f2a94440c9", "local", "s3://vitals/7"), [])])
    client.log_param(run, "lr", "0.1")
    client.set_tag(run, "stage", "draft")
    for step in range(40):
        client.log_metric(run, "val/loss", 1 / (step + 1), step=step)
    client.log_text(run, "weights", "a/long/way/down/to/the/file/of/weights/" + "w" * 120 + ".bin")
    client.set_terminated(run)
    return run


@pytest.fixture
def signed_in(sign_in, clinic: Clinic) -> Callable[[str], Page]:
    """Several people at once, each in a browser of their own."""
    return lambda email: sign_in(email, clinic.passwords[email])


def sign(page: Page, clinic: Clinic, email: str = MAYA) -> None:
    """Sign in the dialogue, with whatever it asks for."""
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    if dialog.get_by_label("Your e-mail address").count():
        dialog.get_by_label("Your e-mail address").fill(email)
    if dialog.get_by_label("Your password").count():
        dialog.get_by_label("Your password").fill(clinic.passwords[email])
    dialog.get_by_role("button", name="Sign").click()
    expect(page.get_by_text("Signed, awaiting checkpoint.")).to_be_visible()
    clinic.live.manage("sequencer", "--once")
    expect(page.get_by_text("Signed, awaiting checkpoint.")).to_have_count(0)


def test_a_run_is_flagged_answered_amended_found_compliant_and_changes_later(signed_in, clinic: Clinic):
    anna, maya = signed_in(ANNA), signed_in(MAYA)
    tab, queue = f"/r/{clinic.run}/review/", "/p/clinic/reviews/"

    # Submitted: it waits in the queue, whose number stands in the sidebar.
    anna.goto(f"/r/{clinic.run}/")
    anna.get_by_role("link", name="Review", exact=True).click()
    anna.get_by_label(re.compile("^What shall the auditors know")).fill("Ready.")
    anna.get_by_role("button", name="Submit", exact=True).click()
    expect(anna.get_by_text("It waits in the auditors' queue.")).to_be_visible()
    clinic.live.manage("sequencer", "--once")
    maya.goto(queue)
    expect(maya.get_by_role("link", name="Review queue 1")).to_be_visible()
    expect(maya.get_by_role("region", name="Ticked runs")).to_be_hidden()
    maya.keyboard.press("j")
    maya.keyboard.press("t")
    expect(maya.get_by_text("1 run taken by you.")).to_be_visible()
    expect(maya.get_by_role("button", name=re.compile("^Take"))).to_have_count(0)
    maya.keyboard.press("j")
    maya.keyboard.press("x")
    expect(maya.get_by_role("region", name="Ticked runs")).to_contain_text("1 selected")
    maya.get_by_label("until", exact=True).fill("2030-01-02")
    maya.get_by_role("button", name="Assign").click()
    expect(maya.get_by_text("1 run assigned.")).to_be_visible()
    expect(maya.get_by_role("row", name=re.compile("gru-d"))).to_contain_text("2030-01-02")

    # Flagged: J and Enter open it, F asks for what a flag needs before it opens the dialogue.
    maya.keyboard.press("j")
    maya.keyboard.press("Enter")
    expect(maya.get_by_role("heading", level=1)).to_have_text("gru-d")
    first = maya.url
    maya.get_by_role("button", name="Start review").click()
    expect(maya.get_by_text("In review").first).to_be_visible()
    maya.keyboard.press("f")
    expect(maya.get_by_label(re.compile("^Reason"))).to_be_focused()
    expect(maya.get_by_text("Say why: it is signed with the verdict.")).to_be_visible()
    expect(maya.get_by_role("dialog")).to_have_count(0)
    maya.get_by_label(re.compile("^Reason")).fill("The seed is missing.")
    maya.get_by_label(re.compile("^What was found")).fill("Which seed was it?")
    maya.get_by_label(re.compile("^Rule")).select_option("V5")
    maya.get_by_label(re.compile("^Until")).fill("2020-01-01")
    maya.get_by_role("button", name="Flag").click()
    expect(maya.get_by_text("The day is past.")).to_be_visible()
    expect(maya.get_by_role("dialog")).to_have_count(0)
    maya.get_by_label(re.compile("^Until")).fill("2100-01-01")
    maya.get_by_role("button", name="Flag").click()
    expect(maya.get_by_role("dialog")).to_contain_text("Reviewed and flagged")
    for words in ("The seed is missing.", "Which seed was it?", "2100-01-01", "Record", "Signed text"):
        expect(maya.get_by_role("dialog")).to_contain_text(words)
    in_dialogue = []
    for theme in ("dark", "light"):
        maya.emulate_media(color_scheme=theme, reduced_motion="reduce")
        expect(maya.locator("html")).to_have_attribute("data-bs-theme", theme)
        in_dialogue += serious(maya)
    assert in_dialogue == []
    sign(maya, clinic)
    expect(maya.get_by_role("region", name="Signature")).to_contain_text("covered by a signed checkpoint")

    # Answered, amended with a reason, submitted again.
    anna.goto(tab)
    expect(anna.get_by_text("Answer 1 finding; then submit it again.")).to_be_visible()
    anna.get_by_label("Your answer").fill("17; I add it.")
    anna.get_by_role("button", name="Answer").click()
    anna.locator("summary", has_text="Amend").click()
    anna.get_by_label("Reason").fill("The seed was missing.")
    anna.get_by_label(re.compile("^Parameters to add")).fill("seed = 17")
    anna.get_by_role("button", name="Amend", exact=True).click()
    expect(anna.get_by_text("The reason is kept with the change.")).to_be_visible()
    anna.get_by_role("button", name="Submit", exact=True).click()
    expect(anna.get_by_role("link", name="Round 2")).to_be_visible()

    # Compliant: what changed since the flag stands beside the evidence.
    maya.goto(queue)
    maya.get_by_role("link", name="gru-d").click()
    changes = maya.get_by_role("region", name="What changed")
    expect(changes).to_contain_text("params › seed")
    maya.get_by_label(re.compile("^What you say to it")).fill("seed = 17 is there.")
    maya.get_by_role("button", name="Close it").click()
    expect(maya.get_by_text("“seed = 17 is there.”")).to_be_visible()
    maya.get_by_role("button", name=re.compile("^Compliant")).click()
    expect(maya.get_by_role("dialog")).to_contain_text("Reviewed and found compliant")
    sign(maya, clinic)
    expect(maya.get_by_text("Nothing. The record is as it was decided about.")).to_be_visible()

    # A later change reopens it, and says what.
    anna.goto(tab)
    anna.locator("summary", has_text="Amend").click()
    anna.get_by_label("Reason").fill("It goes on.")
    anna.get_by_label(re.compile("^Tags to set")).fill("stage = production")
    anna.get_by_role("button", name="Amend", exact=True).click()
    expect(anna.get_by_role("heading", name="Changed since the verdict of round 2")).to_be_visible()
    expect(anna.get_by_role("region", name="What changed")).to_contain_text("tags › stage")
    maya.goto(f"{queue}?state=changed")
    expect(maya.get_by_role("link", name="gru-d")).to_be_visible()

    # Who may do what, signed off; and the history of one of these roles.
    maya.goto("/p/clinic/members/")
    maya.get_by_role("link", name="Access review").click()
    maya.locator("summary", has_text="Every right").first.click()
    expect(maya.get_by_text("create runs and log params, metrics and tags").first).to_be_visible()
    maya.get_by_label("What was looked at, and what follows").fill("Two people, as it should be.")
    maya.get_by_role("button", name=re.compile("^Sign off")).click()
    expect(maya.get_by_text("The table is kept as it was.")).to_be_visible()
    maya.get_by_role("region", name="Earlier sign-offs").get_by_role("link").first.click()
    expect(maya.get_by_role("heading", level=1)).to_have_text("Access as signed off")
    signed_off = maya.url
    maya.goto("/p/clinic/members/")
    maya.get_by_role("link", name="History of Anna").click()
    expect(maya.get_by_role("region", name="Events")).to_contain_text("role data_scientist")

    own = ["/p/clinic/access/", signed_off, maya.url, "/p/clinic/log/as-of/?what=rights&at=2026-01-01T00:00&and="]
    assert faults_of(maya, [queue, f"{queue}?state=changed", first, *own]) == {}
    assert faults_of(anna, [tab, first]) == {}
    assert anna.complaints == []
    assert maya.complaints == []
