"""The same pages in Chromium: until the first rows stand, until all curves are drawn, how evenly a table scrolls."""

import urllib.parse
from collections.abc import Iterator
from statistics import median
from typing import Any

from bench.visited import EMAIL, PASSWORD, WIDE, Visitor, curve_runs, experiment_ids

Line = tuple[str, list[float], float, float | None]
ROWS_MS, CURVES_MS, FRAME_MS = 1000, 1000, 50
REPEATS = 5
# From the start of the navigation until the first row has been laid out and a frame was painted after it.
ROWS_STAND = """() => new Promise(done => {
  const look = () => document.querySelector("table[data-rows] tbody tr")
    ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())))
    : requestAnimationFrame(look);
  look();
})"""
# A canvas of the chart is drawn as soon as some of its pixels are not the background's.
CURVES_STAND = """() => new Promise(done => {
  const painted = canvas => {
    const {width, height} = canvas;
    if (!width || !height) return false;
    const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
    let filled = 0;
    for (let at = 3; at < pixels.length; at += 4) if (pixels[at]) filled++;
    return filled > width * height / 100;
  };
  const look = () => {
    const canvas = document.querySelector("main canvas");
    if (canvas && painted(canvas)) done(performance.now()); else requestAnimationFrame(look);
  };
  look();
})"""
# Scrolls the table to its end and back in steps of a frame; gives the time between frames.
SCROLL = """() => new Promise(done => {
  const box = document.querySelector(".m-runsbox");
  const frames = [];
  const most = box.scrollWidth - box.clientWidth;
  let before = performance.now(), at = 0;
  const step = now => {
    frames.push(now - before);
    before = now;
    at += 1;
    box.scrollLeft = most * Math.abs(Math.sin(at / 20));
    box.scrollTop = box.scrollHeight * Math.abs(Math.sin(at / 33));
    if (at < 120) requestAnimationFrame(step); else done(frames.slice(2));
  };
  requestAnimationFrame(step);
})"""


def in_chromium(url: str, repeats: int = REPEATS) -> Iterator[Line]:
    """(what, milliseconds of each try, kilobytes, target)."""
    from playwright.sync_api import sync_playwright

    from tests.services.browser import ARGUMENTS, chromium

    visitor = Visitor(url)
    experiments = experiment_ids(visitor)
    wide = urllib.parse.urlencode([("columns", key) for key in WIDE])
    curves = "".join(f"&show={run}" for run in curve_runs(visitor, experiments["curves"]))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS, headless=True)
        page = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900}).new_page()
        _enter(page)
        yield _until(page, "Chromium: first rows", "/p/bench/runs/?tree=0", ROWS_STAND, ROWS_MS, repeats)
        wide_table = f"/p/bench/runs/?tree=0&experiment={experiments['wide']}&{wide}"
        yield _until(page, "Chromium: first rows, 200 columns", wide_table, ROWS_STAND, None, repeats)
        frames = page.evaluate(SCROLL)
        yield "Chromium: a frame while 200 columns scroll", frames, 0.0, FRAME_MS
        drawn = f"/p/bench/runs/?view=charts&experiment={experiments['curves']}&count=20{curves}"
        yield _until(page, "Chromium: 20 curves of 100,000 drawn", drawn, CURVES_STAND, CURVES_MS, repeats)
        browser.close()


def _enter(page: Any) -> None:
    page.set_default_timeout(120_000)
    page.goto("/login/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/login/" not in address)


def _until(page: Any, what: str, address: str, stands: str, at_most: float | None, repeats: int) -> Line:
    """From the start of a navigation; the first try, which fills the browser's cache, does not count."""
    times = []
    for _ in range(repeats + 1):
        page.goto(address, wait_until="commit")
        times.append(float(page.evaluate(stands)))
    size = page.evaluate("performance.getEntriesByType('navigation')[0].decodedBodySize / 1000")
    print(f"    {what}: {median(times[1:]):,.0f} ms", flush=True)
    return what, times[1:], float(size), at_most
