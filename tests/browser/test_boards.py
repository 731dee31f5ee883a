"""A public board in the browser: from nothing to the table in one page, and an open page that hears of what is new."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Logged, copied
from tests.browser.looking import faults_of
from tests.services.live import LiveMled

pytestmark = pytest.mark.once

PETRA = "petra.board@example.org"
AT = "/boards/vino/"


@pytest.fixture(scope="module")
def keeper(logged: Logged) -> str:
    """The password of the manager of a project that may become a board."""
    logged.live.create_project("vino", name="Wine quality, autumn course")
    return logged.live.create_user(PETRA, name="Petra", role="project_manager", project="vino")


@pytest.fixture
def petra(sign_in: Callable[..., Page], keeper: str) -> Page:
    return sign_in(PETRA, keeper)


@pytest.fixture
def board(petra: Page, logged: Logged) -> LiveMled:
    """A board, with entries of somebody else, as far as it has none yet."""
    petra.goto("/p/vino/board/")
    if petra.get_by_role("button", name="Open to all").count():
        petra.get_by_label("Task").fill("Predict the rating from 11 lab values.")
        petra.get_by_label("Result", exact=True).fill("rmse")
        petra.get_by_label("Its label").fill("RMSE on the test file")
        petra.get_by_label("The lower, the better").check()
        petra.get_by_role("button", name="Open to all").click()
        expect(petra.get_by_text("The board is open to all.")).to_be_visible()
        for number in range(30):
            give(logged.live, f"forest {number:02}", 0.7 + number / 100, depth=number % 7, width=number)
    return logged.live


@pytest.fixture
def noor(new_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """Somebody without an account. `complaints`: what the console says of errors and of the policy."""
    page = new_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert [one for one in complaints if "403" not in one and "400" not in one] == []


def give(live: LiveMled, model: str, rmse: float, **params: Any) -> None:
    body = {"email": "s.ito@school.example", "model": model, "results": {"rmse": round(rmse, 4)}, "params": params}
    answer = requests.post(f"{live.url}/api/v1/boards/vino/entries/", json=body, timeout=30)
    assert answer.status_code == 201, answer.text


def submit(page: Page, model: str = "gradient boosting, 300 trees", result: str = "0.612") -> None:
    page.goto(AT)
    page.get_by_label("E-mail").fill("noor@school.example")
    page.get_by_label("Model", exact=True).fill(model)
    page.get_by_label("RMSE on the test file").fill(result)
    page.get_by_label("Hyperparameters").fill('{"depth": 5, "width": 3}')
    page.get_by_role("button", name="Submit and open the board").click()
    expect(page.get_by_text("is stored")).to_be_visible()


def test_from_nothing_to_the_table_in_one_page_and_back_again(board: LiveMled, noor: Page, new_context: Any):
    noor.goto(AT)
    expect(noor.get_by_text("The board opens when you submit")).to_be_visible()
    assert "forest" not in noor.content()
    noor.get_by_role("button", name="Submit and open the board").click()
    expect(noor.get_by_role("alert")).to_contain_text("Look again at E-mail, Model, RMSE on the test file")
    noor.get_by_role("alert").get_by_role("link", name="Model").click()
    expect(noor.get_by_label("Model", exact=True)).to_be_focused()
    submit(noor)
    expect(noor.get_by_role("row").filter(has_text="gradient boosting")).to_contain_text("You")
    noor.get_by_role("button", name="Copy claim token").click()
    secret = copied(noor, "claim_")
    noor.reload()
    assert secret not in noor.content()
    elsewhere = new_context().new_page()
    assert elsewhere.goto(f"{AT}entries/1/").status == 403
    elsewhere.get_by_role("link", name="Add your entry").click()
    elsewhere.get_by_label("Your claim token").fill(secret)
    elsewhere.get_by_label("Your claim token").press("Enter")
    expect(elsewhere.get_by_role("row").filter(has_text="forest 00")).to_be_visible()
    elsewhere.get_by_role("link", name="gradient boosting, 300 trees").click()
    elsewhere.get_by_role("link", name="Withdraw").click()
    elsewhere.get_by_role("button", name="Withdraw").click()
    expect(elsewhere.get_by_text("The board opens when you submit")).to_be_visible()
    noor.goto(AT)
    assert "forest" not in noor.content()


def test_an_open_page_hears_of_a_new_entry_within_five_seconds_and_keeps_its_place(board: LiveMled, noor: Page):
    submit(noor, "ridge", "0.95")
    noor.set_viewport_size({"width": 1000, "height": 500})
    noor.get_by_text("Filter", exact=True).click()
    noor.get_by_label("Model has").fill("forest")
    noor.get_by_role("button", name="Apply").click()
    noor.wait_for_url("**model=forest*")
    noor.get_by_role("link", name="Model", exact=True).click()
    noor.wait_for_url("**order=model*")
    noor.locator("tbody tr").first.wait_for()
    for _ in range(3):
        noor.keyboard.press("j")
    current = noor.locator("tr[data-current]").get_attribute("data-ref")
    noor.mouse.wheel(0, 300)
    noor.wait_for_function("() => scrollY > 100")
    address, place = noor.url, noor.evaluate("scrollY")
    give(board, "forest new", 0.5, depth=3, width=9)
    began = time.monotonic()
    show = noor.get_by_role("link", name=re.compile("Show it|Show them"))
    show.wait_for(timeout=5_000)
    assert time.monotonic() - began < 5
    assert noor.get_by_role("row").filter(has_text="forest new").count() == 0, "no row moves by itself"
    show.click()
    expect(noor.get_by_role("row").filter(has_text="forest new")).to_have_class(re.compile("m-new"))
    assert noor.url == address
    assert abs(noor.evaluate("scrollY") - place) < 60
    assert noor.locator("tr[data-current]").get_attribute("data-ref") == current


def test_a_hidden_page_asks_nothing(board: LiveMled, noor: Page):
    submit(noor, "lasso", "0.96")
    asked: list[str] = []
    noor.on("request", lambda request: "/news/" in request.url and asked.append(request.url))
    noor.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    noor.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    noor.wait_for_timeout(4_000)
    assert asked == []


def test_managers_moderate_where_they_keep_the_board(board: LiveMled, petra: Page):
    give(board, "spam", 0.1)
    petra.goto("/p/vino/board/")
    row = petra.get_by_role("row").filter(has_text="spam")
    row.get_by_placeholder("Why?").fill("No such model.")
    row.get_by_role("button", name="Take off").click()
    expect(petra.get_by_role("status").filter(has_text="is taken off.")).to_be_visible()
    petra.get_by_role("link", name="Taken off").click()
    petra.get_by_role("row").filter(has_text="No such model.").get_by_role("button", name="Show again").click()
    expect(petra.get_by_role("status").filter(has_text="shows.")).to_be_visible()
    petra.goto("/p/vino/")
    expect(petra.get_by_role("link", name="Open the board").first).to_be_visible()
    assert petra.complaints == []  # type: ignore[attr-defined]


def test_everybody_reads_it_on_any_screen_and_with_any_aid(board: LiveMled, noor: Page, petra: Page):
    assert faults_of(noor, ["/boards/", AT, f"{AT}entries/1/", "/login/"]) == {}
    submit(noor, "elastic net", "0.97")
    mine = noor.get_by_role("link", name="elastic net").get_attribute("href") or ""
    below = [mine, f"{mine}change/", f"{mine}withdraw/"]
    assert faults_of(noor, [AT, f"{AT}new/", f"{AT}?model=forest&where=depth<3", *below]) == {}
    assert faults_of(petra, ["/p/vino/board/", AT, "/boards/", "/p/vino/"]) == {}
