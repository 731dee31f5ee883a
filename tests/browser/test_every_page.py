"""Every page, light and dark, wide and narrow: readable with any aid, nothing sticks out, the policy is kept."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Logged
from tests.browser.looking import NARROW, WIDE, faults_of, width_needed
from tests.browser.looking import serious as serious

pytestmark = pytest.mark.once

PAGES = [
    "/",
    "/projects/",
    "/p/sepsis/",
    "/p/sepsis/experiments/",
    "/p/sepsis/runs/",
    "/p/sepsis/runs/?q=metrics.loss+%3C+high",
    "/p/sepsis/runs/?q=metrics.loss+%3C+0",
    "/p/sepsis/members/",
    "/p/sepsis/keeping/",
    "/p/sepsis/datasets/",
    "/p/sepsis/datasets/new/",
    "/p/sepsis/models/",
    "/p/sepsis/register/",
    "/p/sepsis/promotions/",
    "/p/sepsis/settings/",
    "/r/{run}/",
    "/r/{run}/curves/",
    "/r/{run}/params/",
    "/r/{run}/artifacts/",
    "/r/{run}/code/",
    "/r/{run}/data/",
    "/r/{run}/history/",
    "/r/{run}/recreate/",
    "/r/{run}/edit/",
    "/p/sepsis/runs/?experiment=1",
    "/mlflow/sepsis/",
    "/me/",
    "/me/tokens/",
    "/me/notices/",
    "/me/password/",
    "/jump/?q=gru",
    "/r/nothing/",
]
FOR_STRANGERS = ["/login/", "/login/reset/", "/login/reset/sent/", "/login/new/", "/no/such/page"]


def test_pages_are_open_to_all_and_nothing_sticks_out(ada: Page, logged: Logged):
    paths = [path.format(run=logged.runs["gru-d-w48"]) for path in PAGES]
    assert faults_of(ada, paths) == {}
    assert [words for words in ada.complaints if "404" not in words] == []


def test_pages_for_strangers_are_open_to_all_and_nothing_sticks_out(page: Page, logged: Logged):
    assert faults_of(page, FOR_STRANGERS) == {}


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_the_longest_names_stick_out_nowhere(ada: Page, extreme: str, size):
    ada.set_viewport_size(size)
    wide = {}
    tabs = ["", "curves/", "params/", "artifacts/", "code/", "data/", "history/", "edit/"]
    for path in [
        *(f"/r/{extreme}/{tab}" for tab in tabs),
        "/p/extremes/",
        "/p/extremes/runs/",
        "/p/extremes/experiments/",
        "/",
        f"/jump/?q={'x' * 300}",
    ]:
        ada.goto(path)
        if (needed := width_needed(ada)) > size["width"]:
            wide[path] = needed
    assert wide == {}


def test_the_menu_of_a_narrow_screen_opens_and_closes(ada: Page, logged: Logged):
    ada.set_viewport_size(NARROW)
    ada.goto("/p/sepsis/runs/")
    side = ada.get_by_role("navigation", name="Main")
    expect(side).to_be_hidden()
    ada.get_by_role("button", name="Open menu").click()
    side.get_by_role("link", name="Members").click()
    ada.wait_for_url(lambda url: url.endswith("/members/"))


def test_a_print_is_light_and_bears_no_frame(ada: Page, logged: Logged):
    ada.emulate_media(color_scheme="dark", media="print")
    ada.goto(f"/r/{logged.runs['gru-d-w48']}/")
    ada.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(ada.locator("html")).to_have_attribute("data-bs-theme", "light")
    expect(ada.get_by_role("navigation", name="Main")).to_be_hidden()
