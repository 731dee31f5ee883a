"""An administrator looks at the diagnosis: each part arrives, can be looked at again, and is copied as text."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from mled_site.diagnostics.registry import all_checks
from tests.browser.conftest import Logged
from tests.browser.looking import faults_of

pytestmark = pytest.mark.once

KIM = "kim@diagnosis.example.org"


def all_arrived(page: Page, path: str) -> None:
    expect(page.locator(".m-diag[data-level]")).to_have_count(len(all_checks()), timeout=40_000)


def test_an_administrator_looks_at_every_part(sign_in, logged: Logged):
    logged.live.create_user(KIM, name="Kim", role="administrator", password="a long enough passphrase 7")
    page: Page = sign_in(KIM, "a long enough passphrase 7")
    page.get_by_role("link", name="Diagnosis").click()
    all_arrived(page, "")
    expect(page.locator("#check-database")).to_contain_text("all right")
    expect(page.locator("#check-configuration")).to_contain_text("No mail goes out")
    with page.expect_response("**/diagnostics/disk/") as again:
        page.get_by_role("link", name="Look again at disk").click()
    assert again.value.ok
    expect(page.locator("#check-disk[data-level]")).to_have_count(1)
    page.locator("#report > summary").click()
    expect(page.locator("#as-text")).to_contain_text("Versions", timeout=40_000)
    assert faults_of(page, ["/diagnostics/"], ready=all_arrived) == {}
    assert page.complaints == []  # type: ignore[attr-defined]
