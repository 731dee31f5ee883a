"""The page of the REST API: its calls by noun, made as whoever is signed in, under the strict policy of every page."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import faults_of

pytestmark = pytest.mark.once

DOCS = "/api/v1/docs/"


def test_calls_are_read_and_made_from_the_page(ada: Page):
    told: list[str] = []
    ada.on("console", lambda message: told.append(message.text))
    ada.on("pageerror", lambda error: told.append(str(error)))
    ada.goto("/me/tokens/")
    ada.locator("main").get_by_role("link", name="REST API").click()
    expect(ada.locator("#rest-docs .opblock-tag").first).to_contain_text("Projects")
    ada.locator("#operations-tag-Me").click()

    made = ada.locator(".opblock-post", has_text="/api/v1/notices/read/")
    made.locator(".opblock-summary-control").click()
    made.get_by_role("button", name="Execute").click()
    expect(made.locator(".live-responses-table .response-col_status").nth(1)).to_contain_text("200")
    expect(made.locator(".curl")).not_to_contain_text("CSRF")
    assert told == []


def test_the_page_fits_every_screen_by_day_and_night(ada: Page):
    faults = faults_of(ada, [DOCS], ready=lambda page, path: page.wait_for_selector("#rest-docs .opblock-tag"))
    assert faults == {}
    ada.emulate_media(color_scheme="dark")
    ada.goto(DOCS)
    expect(ada.locator("html.dark-mode")).to_be_attached()


def test_without_scripts_the_schema_is_one_link_away(plain: Page):
    plain.goto(DOCS)
    expect(plain.get_by_role("link", name="the schema")).to_have_attribute("href", "/api/v1/schema/")
