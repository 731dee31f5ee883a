"""pytest-playwright on Debian's Chromium, against the live server."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Keyboard, Locator, Page

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

    People are slower than that; tests on a busy machine are not.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in BY_HAND:
            patch.setattr(Locator, name, _once_loaded(getattr(Locator, name)))
        patch.setattr(Page, "keyboard", property(_keyboard_once_loaded))
        yield


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
