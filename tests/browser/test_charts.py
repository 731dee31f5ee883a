"""Charts of runs by hand: pointed at, zoomed, set, laid out, saved and kept."""

import csv
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Download, Locator, Page, expect

from tests.browser.conftest import ADA, Logged
from tests.browser.looking import faults_of

pytestmark = pytest.mark.once
PROJECT = "curves-lab"
VIEW = f"/p/{PROJECT}/runs/?view=charts"
STEPS = 3_000


@pytest.fixture(scope="session")
def lab(logged: Logged) -> Logged:
    """Four runs of two architectures, one with NaN, long enough to be thinned."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    logged.live.create_project(PROJECT, name="Curves lab")
    logged.live.add_member(PROJECT, ADA, "data_scientist")
    client = MlflowClient(logged.live.tracking_uri(PROJECT))
    experiment = client.create_experiment("long")
    for number, name in enumerate(("gru-1", "gru-2", "tcn-1", "tcn-2")):
        run = client.create_run(experiment, run_name=name).info.run_id
        client.log_batch(run, params=[Param("arch", name[:3]), Param("lr", str(10.0**-number))])
        points = [(step, math.exp(-3 * step / STEPS) + number / 10) for step in range(STEPS)]
        if name == "tcn-2":
            points[100] = (100, math.nan)
        for start in range(0, STEPS, 1000):
            some = points[start : start + 1000]
            client.log_batch(run, [Metric("val/loss", y, 1_700_000_000_000 + 1000 * step, step) for step, y in some])
        client.log_batch(
            run, [Metric("epoch", step // 300, 1_700_000_000_000 + step, step) for step in range(0, 3000, 9)]
        )
        client.set_terminated(run)
    return logged


def asked(page: Page, name: str) -> list[str]:
    """What the address says under a name."""
    return [value for key, value in parse_qsl(urlsplit(page.url).query) if key == name]


def drawn(page: Page, path: str = VIEW) -> Locator:
    page.goto(path)
    chart = page.locator('figure[data-metric="val/loss"]')
    expect(chart.locator("canvas")).to_be_visible(timeout=20_000)
    return chart


def menu(chart: Locator) -> Locator:
    chart.locator("header summary").click()
    return chart.locator("[data-menu]")


def saved(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def test_curves_are_pointed_at_zoomed_hidden_and_smoothed_together(ada: Page, lab: Logged):
    chart = drawn(ada, f"{VIEW}&tip=params.lr")
    expect(chart.locator("[data-points]")).to_have_text(re.compile(r"^[\d,]+ of 12,000 points$"))
    expect(chart.locator("[data-odd]")).to_have_text("NaN or infinite in 1 run")
    expect(ada.locator('figure[data-metric="epoch"] canvas')).to_be_visible()
    box = chart.locator(".u-over").bounding_box()
    assert box
    ada.mouse.move(box["x"] + 40, box["y"] + 30)
    tip = chart.locator(".m-chart-tip")
    expect(tip.locator(".rows .at")).to_have_count(4)
    expect(tip.locator(".said")).to_contain_text("lr ")
    values = [float(text.replace(",", "")) for text in tip.locator(".rows .num").all_inner_texts()]
    assert values == sorted(values, reverse=True)
    near = tip.locator(".near .trunc").first.inner_text()
    expect(ada.locator("li[data-lit]")).to_have_count(1)
    expect(ada.locator("li[data-lit]")).to_contain_text(near)
    expect(ada.locator('figure[data-metric="epoch"] .m-cross')).to_be_visible()
    ada.mouse.down()
    ada.mouse.move(box["x"] + 160, box["y"] + 30)
    ada.mouse.up()
    expect(chart.locator("[data-notice]")).to_contain_text("zoomed")
    assert asked(ada, "xfrom")
    ada.get_by_role("button", name="Whole axis").click()
    expect(chart.locator("[data-notice]")).not_to_contain_text("zoomed")
    ada.get_by_role("button", name="Draw tcn-2").click()
    expect(chart.locator("[data-odd]")).to_be_hidden()
    ada.get_by_label("Method of smoothing").select_option("gaussian")
    expect(chart.locator("[data-notice]")).to_contain_text("Gaussian, σ 6 points")
    ada.get_by_role("button", name="Cut outliers").click()
    expect(chart.locator("[data-notice]")).to_contain_text("1st to 99th percentile")
    ada.get_by_role("button", name="Epoch", exact=True).click()
    expect(chart.locator("[data-notice]")).to_contain_text("points without epoch at their step")
    ada.reload()
    expect(ada.get_by_role("button", name="Draw tcn-2")).to_have_attribute("aria-pressed", "false")
    expect(ada.get_by_role("button", name="Epoch", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(chart.locator("[data-notice]")).to_contain_text("Gaussian")
    assert ada.complaints == []  # type: ignore[attr-defined]


def add(page: Page, words: str) -> None:
    page.locator("#add-panel > summary").click()
    page.locator("#add-panel").get_by_role("button", name=words).click()


def test_panels_are_added_moved_sized_set_undone_and_kept_with_a_view(ada: Page, lab: Logged):
    drawn(ada)
    own = ada.locator("#own-panels > figure")
    add(ada, "Lines by group")
    expect(own.locator("canvas")).to_be_visible()
    expect(own.locator(".m-legend")).to_contain_text("gru, n = 2")
    assert asked(ada, "panel") == ["line;metrics=val/loss;group=params.arch;spread=minmax"]
    add(ada, "Bars of final values")
    expect(own).to_have_count(2)
    titles = own.locator("h3")
    expect(titles).to_have_text(["val/loss by arch", "val/loss of each run"])
    own.first.get_by_role("button", name="Move").focus()
    ada.keyboard.press("ArrowRight")
    expect(titles).to_have_text(["val/loss of each run", "val/loss by arch"])
    expect(own.nth(1).get_by_role("button", name="Move")).to_be_focused()
    grip, target = own.nth(1).locator("[data-grip]").bounding_box(), own.first.bounding_box()
    assert grip
    assert target
    ada.mouse.move(grip["x"] + 8, grip["y"] + 8)
    ada.mouse.down()
    ada.mouse.move(target["x"] + 30, target["y"] + 60, steps=5)
    ada.mouse.up()
    expect(titles).to_have_text(["val/loss by arch", "val/loss of each run"])
    own.first.get_by_role("button", name="Resize").focus()
    ada.keyboard.press("ArrowRight")
    ada.keyboard.press("ArrowDown")
    assert "w=2;h=2" in asked(ada, "panel")[0]
    expect(own.first).to_have_attribute("data-w", "2")
    ada.locator("h1").click()
    ada.keyboard.press("Control+z")
    ada.keyboard.press("Control+z")
    expect(own.first).to_have_attribute("data-w", "1")
    ada.keyboard.press("Control+y")
    expect(own.first).to_have_attribute("data-w", "2")
    expect(titles).to_have_text(["val/loss by arch", "val/loss of each run"])
    settings = menu(own.first)
    settings.get_by_label("Band").select_option("members")
    expect(own.first.locator("[data-notice]")).to_contain_text("every run, thin")
    settings.get_by_label("Title").fill("Two families")
    ada.keyboard.press("Enter")
    expect(titles.first).to_have_text("Two families")
    settings.get_by_role("button", name="Duplicate").click()
    expect(titles).to_have_text(["Two families", "Two families", "val/loss of each run"])
    menu(own.nth(2)).get_by_role("button", name="Remove").click()
    expect(own).to_have_count(2)
    ada.get_by_label("Query", exact=True).fill("params.arch = 'gru'")
    ada.keyboard.press("Enter")
    expect(ada.locator("li[data-place]")).to_have_count(2)
    expect(own).to_have_count(2)
    panels = asked(ada, "panel")
    ada.goto(f"/p/{PROJECT}/runs/?view=charts&{'&'.join(urlsplit(ada.url).query.split('&'))}")
    keep_as(ada, "Families")
    ada.goto(f"/p/{PROJECT}/runs/")
    ada.locator("summary", has_text="Views").click()
    ada.get_by_role("link", name=re.compile("Families")).first.click()
    expect(own).to_have_count(2)
    assert asked(ada, "panel") == panels
    assert ada.complaints == []  # type: ignore[attr-defined]


def keep_as(page: Page, name: str) -> None:
    """Keeps what is shown as a view."""
    page.locator("summary", has_text="Save as").click()
    page.locator("#view-name").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"The view {name} is kept")).to_be_visible()


def test_settings_of_the_page_of_a_section_and_of_a_chart_override_one_another(ada: Page, lab: Logged):
    chart = drawn(ada, f"{VIEW}&log=1")
    notice = chart.locator("[data-notice]")
    expect(notice).to_contain_text("log y")
    ada.locator('.m-sectionbox details[data-of="val/"] > summary').click()
    ada.locator('.m-sectionbox details[data-of="val/"]').get_by_label("Log y").select_option("0")
    expect(notice).not_to_contain_text("log y")
    expect(ada.locator('figure[data-metric="epoch"] [data-notice]')).to_contain_text("log y")
    ada.keyboard.press("Escape")
    settings = menu(chart)
    settings.get_by_label("Log y").select_option("1")
    expect(notice).to_contain_text("log y")
    settings.get_by_label("Facet by").select_option("params.arch")
    expect(chart.locator(".m-facet-head")).to_have_text(["gru", "tcn"])
    settings.get_by_label("Colour by").select_option("params.lr")
    expect(chart.locator(".m-legend li")).to_have_count(4)
    assert asked(ada, "set")[-1] == "chart;color=params.lr;title=val/loss;facet=params.arch;logy=1"
    settings.get_by_role("button", name="Full screen").click()
    dialog = ada.locator("#full-panel")
    expect(dialog.locator("h3")).to_contain_text("val/loss")
    ada.keyboard.press("ArrowRight")
    expect(dialog.locator("h3")).to_contain_text("epoch")
    ada.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(ada.locator("figure[data-metric]")).to_have_count(2)
    assert ada.complaints == []  # type: ignore[attr-defined]


def test_a_panel_and_the_whole_page_are_saved_as_picture_as_drawing_and_as_numbers(ada: Page, lab: Logged):
    ada.set_viewport_size({"width": 1600, "height": 1000})
    chart = drawn(ada, f"{VIEW}&panel=bar;y=metrics.val/loss.min&panel=line;metrics=val/loss;group=params.arch")
    files = {}
    for words in ("Picture, PNG", "Drawing, SVG", "Numbers shown, CSV"):
        with ada.expect_download() as one:
            menu(chart).get_by_role("button", name=words).click()
        ada.locator("#export-charts > summary").click()
        with ada.expect_download() as every:
            ada.locator("#export-charts").get_by_role("button", name=words).click()
        files[words] = saved(one.value), saved(every.value)
    assert all(file[:8] == b"\x89PNG\r\n\x1a\n" for file in files["Picture, PNG"])
    one_drawing, all_drawings = (ET.fromstring(file) for file in files["Drawing, SVG"])  # noqa: S314 - our own file
    said = [text.text or "" for text in one_drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert said[0] == "val/loss"
    assert {"gru-1", "gru-2", "tcn-1", "tcn-2", "Step"} <= set(said)
    assert any("EMA 0.60" in words for words in said)
    every_word = {text.text for text in all_drawings.iter("{http://www.w3.org/2000/svg}text")}
    assert {"gru-1", "gru, n = 2", "tcn, n = 2", "Step", "val/loss by arch"} <= every_word
    bars, bands = all_drawings.findall("{http://www.w3.org/2000/svg}svg")[:2]
    assert bars.get("y") == bands.get("y"), "Side by side on the page, side by side in the file."
    one_picture, all_pictures = (_size_of_png(file) for file in files["Picture, PNG"])
    assert one_picture == tuple(2 * math.floor(float(one_drawing.get(side, ""))) for side in ("width", "height"))
    assert all_pictures[0] == 2 * math.floor(float(all_drawings.get("width", "")))
    paths = [path.get("d", "") for path in one_drawing.iter("{http://www.w3.org/2000/svg}path")]
    assert max(path.count("L") for path in paths) > 200
    assert len(list(all_drawings.iter("{http://www.w3.org/2000/svg}svg"))) >= 4
    rows = list(csv.DictReader(files["Numbers shown, CSV"][0].decode().splitlines()))
    assert {row["line"] for row in rows} == {"gru-1", "gru-2", "tcn-1", "tcn-2"}
    assert any(row["value"] == "NaN" for row in rows)
    every_row = list(csv.DictReader(files["Numbers shown, CSV"][1].decode().splitlines()))
    assert {row["panel"] for row in every_row} == {"val/loss of each run", "val/loss by arch", "val/loss", "epoch"}
    assert ada.complaints == []  # type: ignore[attr-defined]


def _size_of_png(file: bytes) -> tuple[int, int]:
    return int.from_bytes(file[16:20]), int.from_bytes(file[20:24])


def test_charts_are_open_to_all(ada: Page, lab: Logged):
    panels = "&panel=line;metrics=val/loss;group=params.arch&panel=importance;y=metrics.val/loss.min"
    paths = (
        f"{VIEW}{panels}&facet=params.arch",
        f"{VIEW}&group=params.arch&q=nonsense+%3C",
        f"{VIEW}&q=params.arch+%3D+'x'",
    )
    assert faults_of(ada, paths) == {}
    assert ada.complaints == []  # type: ignore[attr-defined]
