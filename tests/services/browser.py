"""pytest-playwright on Debian's Chromium, against the live server."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

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


@pytest.fixture(scope="session")
def browser_context_args(browser_type_launch_args: dict[str, Any], live_mled) -> dict[str, Any]:
    return {
        "base_url": live_mled.url,
        "viewport": {"width": 1280, "height": 800},
        "locale": "en-GB",
        "timezone_id": "UTC",
    }
