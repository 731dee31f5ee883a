"""The page of a run by hand: its console, notes and comments, the steps through a list, the pane beside the table."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADA, Logged
from tests.browser.looking import NARROW, WIDE, faults_of

pytestmark = pytest.mark.once
PROJECT, EMIL = "run-pages", "emil.runpages@example.org"


@pytest.fixture(scope="session")
def runs(logged: Logged) -> dict[str, str]:
    """Three runs in a project of their own: one that goes on and prints, a failed one, one with much in it."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    logged.live.create_project(PROJECT, name="Run pages")
    logged.live.add_member(PROJECT, ADA, "data_scientist")
    logged.live.create_user(EMIL, name="Emil Berg", role="ml_engineer", project=PROJECT)
    client = MlflowClient(logged.live.tracking_uri(PROJECT))
    experiment = client.create_experiment("icu/pages")
    made = {}
    for name in ("going", "crashed", "full"):
        made[name] = client.create_run(experiment, run_name=name).info.run_id
    client.log_text(made["going"], printed(900), "logs/train.log")
    client.log_text(made["crashed"], printed(700) + "\x1b[31mValueError: no data\x1b[0m\n", "train.log")
    client.set_terminated(made["crashed"], status="FAILED")
    points = [Metric("val/auroc", 0.5 + step / 100, 1_700_000_000_000 + step, step) for step in range(30)]
    params = [Param(f"group{at % 3}/param_{at:02}", str(at)) for at in range(40)]
    client.log_batch(made["full"], metrics=points, params=params)
    client.set_terminated(made["full"])
    return made


def printed(lines: int) -> str:
    return "".join(f"step {at} loss {1 / at:.4f}{' is nan' if at % 300 == 0 else ''}\n" for at in range(1, lines + 1))


def shown_lines(page: Page) -> list[int]:
    return [int(number) for number in page.locator("#log .ln").all_inner_texts()]


def test_the_console_moves_finds_links_and_follows(ada: Page, logged: Logged, runs: dict[str, str]):
    from mlflow import MlflowClient

    ada.set_viewport_size(WIDE)
    ada.goto(f"/r/{runs['going']}/console/")
    box = ada.locator("#log-box")
    expect(ada.locator("#L900")).to_be_in_viewport()  # it goes on: its end
    box.hover()
    ada.mouse.wheel(0, -100_000)
    expect(ada.locator("#L400")).to_be_attached()
    assert shown_lines(ada) == sorted(shown_lines(ada))
    ada.locator("#find").fill("NAN")
    expect(ada.locator("#found")).to_have_text(re.compile("of 3"))
    ada.locator("#find").press("Enter")
    first = ada.locator("#found").inner_text()
    ada.locator("#find").press("Shift+Enter")
    expect(ada.locator("#found")).not_to_have_text(first)
    expect(ada.locator("#log li[data-lit] mark")).to_have_text("nan")
    ada.get_by_role("link", name="Start", exact=True).click()
    expect(ada.locator("#L1")).to_be_in_viewport()
    ada.locator("#L7 .ln").click()
    expect(ada).to_have_url(re.compile(r"line=7#L7$"))
    ada.reload()
    expect(ada.locator("#L7[data-lit]")).to_be_in_viewport()
    ada.get_by_role("link", name="End", exact=True).click()
    ada.get_by_label("Follow").check()
    MlflowClient(logged.live.tracking_uri(PROJECT)).log_text(runs["going"], printed(905), "logs/train.log")
    expect(ada.locator("#L905")).to_be_in_viewport(timeout=15_000)
    expect(ada.locator("#log .ln", has_text="900")).to_have_count(1)
    ada.goto(f"/r/{runs['crashed']}/console/")
    expect(ada.locator("#log li.e")).to_be_in_viewport()
    expect(ada.locator("#log .a-red")).to_have_text("ValueError: no data")
    assert ada.complaints == []  # type: ignore[attr-defined]


def test_notes_and_comments_are_written_by_keyboard(ada: Page, runs: dict[str, str]):
    ada.goto(f"/r/{runs['full']}/")
    ada.locator("#note").get_by_role("link", name="Write").click()
    text = ada.get_by_label("Note", exact=True)
    expect(text).to_be_focused()
    text.fill("Best **so far**.")
    ada.get_by_role("button", name="Preview").click()
    expect(ada.get_by_role("region", name="Preview").locator("strong")).to_have_text("so far")
    ada.get_by_role("button", name="Write").click()
    text.press("Control+Enter")
    expect(ada.locator("#note strong")).to_have_text("so far")
    expect(ada.locator("#note")).to_contain_text("edited by Ada")
    ada.keyboard.press("Escape")
    for _ in range(2):
        ada.keyboard.press("8" if ada.locator("[data-tabs] a", has_text="System").count() == 0 else "9")
    expect(ada).to_have_url(re.compile("/notes/"))
    say = ada.get_by_label("Comment", exact=True)
    say.fill("Begun, not sent")
    ada.locator("#note").get_by_role("link", name="Edit").click()
    text.fill("Best **by far**.")
    ada.locator("#note").get_by_role("button", name="Save").click()
    expect(ada.locator("#note strong")).to_have_text("by far")
    expect(say).to_have_value("Begun, not sent")
    say.fill("")
    say.press_sequentially("Look, @em")
    option = ada.get_by_role("option", name="Emil Berg")
    expect(option).to_have_attribute("aria-selected", "true")
    say.press("Enter")
    expect(say).to_have_value("Look, @Emil Berg ")
    expect(option).to_have_count(0)
    say.press("Control+Enter")
    expect(ada.locator(".m-comments strong")).to_have_text("@Emil Berg")
    expect(say).to_have_value("")
    mine = ada.get_by_role("article", name="Comment by Ada")
    mine.get_by_role("link", name="Edit").click()
    field = mine.get_by_label("Comment", exact=True)
    expect(field).to_be_focused()
    field.fill("Look at *this*.")
    field.press("Control+Enter")
    expect(ada.locator(".m-comments em")).to_have_text("this")
    mine.locator("summary").click()
    mine.get_by_role("button", name="Remove comment").click()
    expect(ada.locator(".m-comments")).to_contain_text("Removed by Ada")
    assert ada.complaints == []  # type: ignore[attr-defined]


def test_a_run_opens_beside_the_table_and_one_steps_through_the_list(ada: Page, runs: dict[str, str]):
    ada.set_viewport_size(WIDE)
    ada.goto(f"/p/{PROJECT}/runs/?sort=name")
    ada.keyboard.press("j")
    ada.keyboard.press("o")
    pane = ada.locator("#beside")
    expect(pane.get_by_role("heading", name="crashed")).to_be_visible()
    expect(ada).to_have_url(re.compile("beside="))
    ada.keyboard.press("j")
    expect(pane.get_by_role("heading", name="full")).to_be_visible()
    expect(pane).to_contain_text("2 of 3")
    ada.reload()
    expect(pane.get_by_role("heading", name="full")).to_be_visible()
    ada.keyboard.press("Escape")
    expect(pane).to_be_hidden()
    expect(ada).not_to_have_url(re.compile("beside="))
    ada.locator("tr", has_text="crashed").hover()
    ada.get_by_role("link", name="Open crashed beside the table").click()
    pane.get_by_role("link", name="crashed").click()
    expect(ada.locator("h1")).to_have_text("crashed")
    ada.keyboard.press("j")
    expect(ada.locator("h1")).to_have_text("full")
    ada.keyboard.press("4" if ada.locator("[data-tabs] a", has_text="System").count() else "3")
    find = ada.get_by_placeholder("Find")
    find.fill("group1 param_2")
    expect(ada.locator("#all-params tbody tr:visible")).to_have_count(3)  # 22, 25, 28
    ada.locator("h1").click()
    ada.keyboard.press("j")
    expect(ada.locator("h1")).to_have_text("going")
    expect(ada).to_have_url(re.compile("/params/"))
    ada.get_by_role("link", name="3 of 3").click()
    expect(ada.locator("table[data-rows] tbody tr")).to_have_count(3)
    assert ada.complaints == []  # type: ignore[attr-defined]


INK_LEFT_OF_A_CHART = """canvas => {
  const width = Math.round(44 * devicePixelRatio);
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, Math.round(canvas.height * 0.8)).data;
  let ink = 0;
  for (let at = 3; at < pixels.length; at += 4) ink += pixels[at] > 0 ? 1 : 0;
  return ink;
}"""


def test_values_without_measure_have_their_scale_beside_the_curve(ada: Page, logged: Logged, runs: dict[str, str]):
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client = MlflowClient(logged.live.tracking_uri(PROJECT))
    run = client.create_run(client.get_run(runs["full"]).info.experiment_id, run_name="diverged").info.run_id
    grown = [Metric("loss", 10.0 ** (5 * step), 1_700_000_000_000 + step, step) for step in range(30)]
    client.log_batch(run, metrics=grown)
    ada.set_viewport_size(WIDE)
    ada.goto(f"/r/{run}/")
    canvas = ada.locator("[data-curve] canvas").first
    expect(canvas).to_be_visible()
    assert canvas.evaluate(INK_LEFT_OF_A_CHART) > 50


def test_the_latest_runs_of_a_project_stand_within_their_panel(ada: Page, logged: Logged, runs: dict[str, str]):
    from mlflow import MlflowClient

    client = MlflowClient(logged.live.tracking_uri(PROJECT))
    experiment = client.create_experiment("icu/early-warning/transformers/with-a-long-name")
    run = client.create_run(experiment, run_name="transformer-medium-window-48-focal-loss").info.run_id
    client.log_metric(run, "validation/area_under_the_curve", 0.87214561)
    ada.set_viewport_size(WIDE)
    ada.goto(f"/p/{PROJECT}/")
    latest = ada.get_by_role("region", name="Latest runs")
    expect(latest.get_by_text("Created")).to_be_in_viewport()
    assert latest.evaluate("box => box.scrollWidth - box.clientWidth") <= 0


def test_the_pages_of_a_run_keep_nobody_out(ada: Page, runs: dict[str, str]):
    paths = [
        f"/r/{runs['crashed']}/console/?find=loss",
        f"/r/{runs['full']}/notes/?edit=note",
        f"/r/{runs['full']}/?from=",
        f"/p/{PROJECT}/runs/?beside={runs['full']}",
    ]
    assert faults_of(ada, paths, sizes=(NARROW, WIDE)) == {}
