"""The console in Chromium under the strict policy: nothing is blocked, and the work gets done."""

import re

import pytest

pytestmark = pytest.mark.once  # test_console.py asks both databases for all of this


@pytest.fixture
def signed_in(live_mled, page):
    """An administrator in the browser; `page.complaints` fills with what the policy blocked or scripts did wrong."""
    password = live_mled.create_user("console@example.org", role="administrator")
    page.complaints = []
    page.on(
        "console",
        lambda said: (
            page.complaints.append((said.text, said.location["url"])) if said.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto("/admin/")
    page.get_by_label(re.compile("e-?mail", re.IGNORECASE)).fill("console@example.org")
    page.locator("input[type=password]").fill(password)
    page.locator("main form button[type=submit], form button[type=submit]").first.click()
    page.wait_for_url("**/admin/")
    return page


def test_the_console_works_under_the_strict_policy(signed_in):
    page = signed_in
    for name in ("Erase from the log", "Diagnosis"):
        box = page.get_by_role("link", name=name).bounding_box()
        assert box["height"] < 30 < box["width"], f"{name} stands on one line"
    page.get_by_role("link", name="Users", exact=True).first.click()
    page.get_by_role("link", name=re.compile("Add user", re.IGNORECASE)).click()
    page.get_by_label("Email").fill("browsed@example.org")
    page.get_by_label("Name").fill("Browsed")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was added successfully").wait_for()
    page.goto("/admin/accounts/user/?q=browsed")
    page.get_by_role("link", name="browsed@example.org").click()
    page.get_by_label("Active").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("This field is required.").wait_for()
    page.get_by_label("Reason").fill("seen in a test")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()
    page.get_by_role("link", name="browsed@example.org").first.click()
    page.get_by_role("link", name="History").click()
    page.get_by_role("cell", name="Changed").wait_for()
    page.locator("#change-history a").first.click()
    page.get_by_role("heading", name=re.compile("Browsed|View", re.IGNORECASE)).first.wait_for()
    for path in ("accounts/membership/add/", "accounts/apitoken/", "ledger/auditevent/", "ledger/checkpoint/"):
        assert page.goto(f"/admin/{path}").status == 200
    assert page.complaints == []
