"""How pages look to people with any aid, on any screen, by day and by night.

`faults_of` reads each page twice: on a narrow screen, which is then widened, and in the dark on a wide one, which is
then lit. Every rule of axe is asked in the light; in the dark those about colours, as no other rule depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

NARROW = {"width": 390, "height": 844}
MIDDLE = {"width": 768, "height": 1024}
WIDE = {"width": 1440, "height": 900}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}

_OPEN_MENUS = "document.querySelectorAll('details.m-menu').forEach(menu => { menu.open = true })"
_IS_THERE = "typeof axe === 'object'"
_RUN = """async options => {
  const found = await axe.run({resultTypes: ["violations"], ...options});
  return {
    looked_at: found.passes.length + found.violations.length + found.incomplete.length,
    violations: found.violations.map(one => [one.id, one.help, one.impact, one.nodes[0].html.slice(0, 160)]),
  };
}"""


def serious(page: Page, *, rules: dict[str, Any] | None = None) -> list[str]:
    """What axe finds that keeps people out, in a line each. rules: which of its rules to ask (`runOnly`)."""
    if not page.evaluate(_IS_THERE):
        page.evaluate(AXE_SCRIPT)
    report = page.evaluate(_RUN, {"runOnly": rules} if rules else {})
    assert report["looked_at"], "axe looked at nothing"
    return [
        f"{rule}: {words} ({html})"
        for rule, words, impact, html in report["violations"]
        if impact in ("serious", "critical")
    ]


def width_needed(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def faults_of(
    page: Page,
    paths: Iterable[str],
    *,
    sizes: Sequence[dict[str, int]] = (NARROW, MIDDLE, WIDE),
    ready: Callable[[Page, str], None] = lambda page, path: None,
) -> dict[str, list[str]]:
    """By path: what sticks out at some width, and what axe finds in light and dark with all menus open.

    ready: waits until a page that was opened is worth looking at.
    """
    found: dict[str, list[str]] = {}
    *narrower, widest = sizes
    for path in paths:
        faults: list[str] = []
        _show(page, path, narrower[0], "light", ready)
        for size in narrower:
            page.set_viewport_size(size)
            faults += _sticking_out(page, size)
        _show(page, path, widest, "dark", ready)
        faults += _sticking_out(page, widest)
        page.evaluate(_OPEN_MENUS)
        faults += [f"dark: {line}" for line in serious(page, rules=COLOURS)]
        page.emulate_media(color_scheme="light")
        _has_theme(page, "light")
        faults += serious(page)
        if faults:
            found[path] = faults
    return found


def _show(page: Page, path: str, size: dict[str, int], scheme: Any, ready: Callable[[Page, str], None]) -> None:
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(path)
    _has_theme(page, scheme)
    ready(page, path)


def _has_theme(page: Page, scheme: str) -> None:
    expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)


def _sticking_out(page: Page, size: dict[str, int]) -> list[str]:
    needed = width_needed(page)
    return [f"needs {needed} of {size['width']} pixels"] if needed > size["width"] else []
