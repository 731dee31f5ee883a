"""pytest-playwright on Debian's Chromium, against the live server."""

from __future__ import annotations

import functools
import shutil
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Keyboard, Locator, Page

# No sandbox for root in a container; no call home, as tests run without a network.
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """Debian's, if there is its headless shell, which opens a page in a fifth of the time, or another one."""
    programs = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next((found for program in programs if (found := shutil.which(program))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "page" in getattr(item, "fixturenames", ()) or "context" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    program = chromium()
    if program is None:
        pytest.skip("Chromium is missing (apt install chromium)")
    return {"executable_path": program, "args": ARGUMENTS, "headless": True}


# What people do to a page with their hands.
BY_HAND = ("click", "dblclick", "fill", "press", "hover", "check", "uncheck", "select_option", "set_input_files")


@pytest.fixture(scope="session")
def hands_wait_for_scripts() -> Iterator[None]:
    """A page can be seen before its scripts have run, and what is pressed in between is lost.

    People are slower than that; tests on a busy machine are not. Where a browser runs no scripts, a click on what leads
    to another page waits for it.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in BY_HAND:
            patch.setattr(Locator, name, _once_loaded(getattr(Locator, name)))
            if hasattr(Page, name):
                patch.setattr(Page, name, _on_its_first(name))
        patch.setattr(Locator, "click", _until_it_led_there(Locator.click))
        patch.setattr(Browser, "new_context", _noting_scripts(Browser.new_context))
        patch.setattr(Page, "keyboard", property(_keyboard_once_loaded))
        yield


WITHOUT_SCRIPTS: weakref.WeakSet[BrowserContext] = weakref.WeakSet()
# A link, or the button of a form that may be sent as it is filled in.
_LEADS_AWAY = """one => {
  const at = one.closest("a[href], button, input");
  if (!at || at.disabled) return false;
  if (at.matches("a")) {
    return !at.hasAttribute("download") && at.target !== "_blank" && !at.getAttribute("href").startsWith("#");
  }
  if (at.type !== "submit" || !at.form || at.hasAttribute("popovertarget")) return false;
  if (at.form.method === "dialog" || (at.formTarget || at.form.target) === "_blank") return false;
  return at.formNoValidate || at.form.noValidate || at.form.checkValidity();
}"""


def _noting_scripts(new_context: Callable[..., BrowserContext]) -> Callable[..., BrowserContext]:
    @functools.wraps(new_context)
    def noting(browser: Browser, **options: Any) -> BrowserContext:
        context = new_context(browser, **options)
        if options.get("java_script_enabled") is False:
            WITHOUT_SCRIPTS.add(context)
        return context

    return noting


def _until_it_led_there(click: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(click)
    def clicking(locator: Locator, **options: Any) -> None:
        page = locator.page
        if page.context in WITHOUT_SCRIPTS and locator.evaluate(_LEADS_AWAY):
            with page.expect_navigation(wait_until="domcontentloaded"):
                click(locator, **options)
        else:
            click(locator, **options)

    return clicking


def _on_its_first(name: str) -> Callable[..., Any]:
    """What a page does to the first that a selector finds, as the locator of it does it."""

    @functools.wraps(getattr(Page, name))
    def acting(page: Page, selector: str, *arguments: Any, **options: Any) -> Any:
        return getattr(page.locator(selector).first, name)(*arguments, **options)

    return acting


def _once_loaded(act: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(act)
    def acting(locator: Locator, *arguments: Any, **options: Any) -> Any:
        locator.page.wait_for_load_state("domcontentloaded")
        return act(locator, *arguments, **options)

    return acting


_keyboard = Page.keyboard.fget  # type: ignore[attr-defined]


def _keyboard_once_loaded(page: Page) -> Keyboard:
    page.wait_for_load_state("domcontentloaded")
    return _keyboard(page)


@pytest.fixture(scope="session")
def browser_context_args(
    browser_type_launch_args: dict[str, Any], live_mled, hands_wait_for_scripts: None
) -> dict[str, Any]:
    return {
        "base_url": live_mled.url,
        "viewport": {"width": 1280, "height": 800},
        "locale": "en-GB",
        "timezone_id": "UTC",
    }
