"""A run's files in the browser: walked by keyboard, folded, framed, readable with any aid."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests import specimens
from tests.browser.conftest import ADA, Logged
from tests.browser.looking import NARROW, WIDE, faults_of

pytestmark = pytest.mark.once

PROJECT = "files"
MANY = 420
FILES: dict[str, bytes] = {
    "config.yaml": b"lr: 0.1\nlayers: [12, 24]\n",
    "data/vitals.parquet": specimens.parquet(),
    "eval/calibration.png": specimens.figure("png"),
    "eval/confusion.html": specimens.PAGE,
    "eval/deep/er/metrics.json": json.dumps({"a": {"b": {"c": {"d": [1, {"e": 2}]}}}}).encode(),
    "eval/metrics.json": json.dumps({"ward_1": {"n": 31204}, "wards": [{"n": [1, {"x": 2}]}]}).encode(),
    "eval/predictions.csv": b"patient,score\n" + b"".join(b"p%d,0.5\n" % number for number in range(300)),
    "eval/report.pdf": specimens.figure("pdf"),
    "notes/README.md": b"# Notes\n\nOn **lactate**.\n",
    "notes/analysis.ipynb": specimens.notebook(),
    "train.log": b"epoch 1 loss 0.5\n" * 40,
    **{f"frames/{number:04}.txt": b"frame\n" for number in range(MANY)},
}


@pytest.fixture(scope="session")
def run(logged: Logged, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of a run with files of every kind and a folder of many."""
    from mlflow import MlflowClient

    folder = tmp_path_factory.mktemp("files")
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    logged.live.create_project(PROJECT)
    logged.live.add_member(PROJECT, ADA, "data_scientist")
    client = MlflowClient(logged.live.tracking_uri(PROJECT))
    made = client.create_run(client.create_experiment("files to look at"), run_name="many-files").info.run_id
    client.log_artifacts(made, str(folder))
    client.set_terminated(made)
    return str(made)


def item(page: Page, name: str):
    return page.get_by_role("treeitem", name=re.compile("^" + re.escape(name).replace("/", r"\/")))


def shown(page: Page):
    return page.locator("#file h2")


def test_the_tree_is_walked_folded_and_read_by_keyboard(ada: Page, run: str):
    ada.goto(f"/r/{run}/artifacts/?file=config.yaml")
    expect(ada.get_by_role("tree", name="Files")).to_be_visible()
    item(ada, "config.yaml").focus()
    ada.keyboard.press("Home")
    expect(item(ada, "data")).to_be_focused()
    ada.keyboard.press("ArrowDown")
    expect(item(ada, "eval")).to_be_focused()
    ada.keyboard.press("ArrowRight")
    expect(item(ada, "eval")).to_have_attribute("aria-expanded", "true")
    expect(item(ada, "calibration.png")).to_be_visible()
    ada.keyboard.press("ArrowRight")
    expect(item(ada, "deep")).to_be_focused()
    ada.keyboard.press("ArrowDown")
    ada.keyboard.press("Enter")
    expect(shown(ada)).to_have_text("eval/calibration.png")
    expect(item(ada, "calibration.png")).to_have_attribute("aria-current", "true")
    expect(item(ada, "calibration.png")).to_have_attribute("aria-level", "2")
    expect(item(ada, "config.yaml")).not_to_have_attribute("aria-current", "true")
    ada.wait_for_url(lambda url: "file=eval%2Fcalibration.png" in url)
    expect(item(ada, "calibration.png")).to_be_focused()
    ada.keyboard.press("ArrowLeft")
    expect(item(ada, "eval")).to_be_focused()
    ada.keyboard.press("ArrowLeft")
    expect(item(ada, "calibration.png")).to_be_hidden()
    ada.keyboard.press("t")
    expect(item(ada, "train.log")).to_be_focused()
    ada.keyboard.press("End")
    expect(item(ada, "train.log")).to_be_focused()
    ada.keyboard.press("Enter")
    expect(shown(ada)).to_have_text("train.log")
    ada.go_back()
    expect(shown(ada)).to_have_text("eval/calibration.png")
    assert ada.complaints == []


def test_next_and_previous_lead_on_by_key_and_button(ada: Page, run: str):
    ada.goto(f"/r/{run}/artifacts/?file=data/vitals.parquet")
    expect(ada.get_by_role("link", name="Previous file")).to_have_count(0)
    ada.get_by_role("link", name="Next file").click()
    expect(shown(ada)).to_have_text("eval/deep/er/metrics.json")
    ada.keyboard.press("j")
    expect(shown(ada)).to_have_text("eval/calibration.png")
    ada.keyboard.press("k")
    expect(shown(ada)).to_have_text("eval/deep/er/metrics.json")
    assert ada.complaints == []


def test_a_folder_of_many_comes_piece_by_piece(ada: Page, run: str):
    ada.goto(f"/r/{run}/artifacts/?file=config.yaml")
    item(ada, "frames").click()
    expect(ada.locator("a[data-file^='frames/']")).to_have_count(200)
    ada.get_by_text("Show more").click()
    expect(ada.locator("a[data-file^='frames/']")).to_have_count(400)
    ada.get_by_text("Show more").click()
    expect(ada.locator("a[data-file^='frames/']")).to_have_count(MANY)
    expect(item(ada, "0400.txt")).to_be_focused()
    expect(item(ada, "0419.txt")).to_have_attribute("aria-level", "2")
    ada.wait_for_url(lambda url: "file=config.yaml" in url)
    assert ada.complaints == []


def test_paths_are_searched_while_one_types(ada: Page, run: str):
    ada.goto(f"/r/{run}/artifacts/")
    ada.keyboard.press("/")
    expect(ada.get_by_label("Find a file by its path")).to_be_focused()
    ada.keyboard.type("metrics")
    expect(ada.locator("#tree a[data-file]")).to_have_count(2)
    item(ada, "eval/metrics.json").click()
    expect(shown(ada)).to_have_text("eval/metrics.json")
    ada.get_by_label("Find a file by its path").fill("no such thing")
    expect(ada.get_by_text("No path holds")).to_be_visible()
    ada.get_by_label("Find a file by its path").fill("")
    expect(item(ada, "notes")).to_be_visible()
    assert ada.complaints == []


def test_json_folds_and_lines_wrap_without_scripts(plain: Page, run: str):
    plain.goto(f"/r/{run}/artifacts/?file=eval/metrics.json")
    opened = plain.locator(".m-json details[open]")
    before = opened.count()
    plain.locator(".m-json summary").nth(1).click()
    expect(opened).to_have_count(before - 1)
    plain.goto(f"/r/{run}/artifacts/?file=train.log")
    assert plain.locator("pre.m-code").evaluate("it => getComputedStyle(it).whiteSpace") == "pre"
    plain.get_by_text("Wrap lines").click()
    assert plain.locator("pre.m-code").evaluate("it => getComputedStyle(it).whiteSpace") == "pre-wrap"
    plain.locator("a[data-folder=notes]").click()
    plain.locator("a[data-file='notes/README.md']").click()
    expect(plain.locator(".m-prose h3").first).to_have_text("Notes")


def test_a_page_of_somebody_shows_in_its_frame_and_cannot_reach_us(ada: Page, run: str):
    ada.goto(f"/r/{run}/artifacts/?file=eval/confusion.html")
    assert ada.locator("iframe").count() == 0
    ada.get_by_role("link", name="Show it in a frame").click()
    frame = ada.frame_locator("iframe")
    expect(frame.get_by_role("heading")).to_have_text("Confusion matrix")
    quiet = [words for words in ada.complaints if "sandboxed" not in words and "script" not in words.lower()]
    assert quiet == []
    ada.get_by_role("link", name="Run its scripts in the frame").click()
    expect(frame.get_by_role("heading")).to_have_text("scripts run")
    expect(frame.locator("body")).to_have_attribute("data-parent", "closed")
    expect(frame.locator("body")).to_have_attribute("data-fetched", "no")
    inside = next(one for one in ada.frames if "/frame/" in one.url)
    assert inside.evaluate("self.origin") == "null"
    assert inside.title() == "no cookie"
    assert ada.title() != "taken over"


def test_the_frame_by_itself_has_no_origin_either(ada: Page, run: str):
    ada.goto(f"/r/{run}/frame/eval/confusion.html?run=1")
    assert ada.evaluate("self.origin") == "null"
    assert ada.evaluate("() => { try { return document.cookie } catch { return 'none' } }") == "none"
    expect(ada.locator("body")).to_have_attribute("data-fetched", "no")


def test_the_frame_leads_nowhere_else(ada: Page, run: str):
    ada.goto(f"/r/{run}/artifacts/?file=eval/confusion.html&look=running")
    inside = next(one for one in ada.frames if "/frame/" in one.url)
    with ada.expect_console_message(lambda said: "frame-ancestors" in said.text and "blocked" in said.text):
        inside.evaluate("location.href = '/me/tokens/'")
    expect(ada.frame_locator("iframe").first.get_by_text("Tokens")).to_have_count(0)


def test_a_file_and_a_folder_are_downloaded(ada: Page, run: str):
    ada.goto(f"/r/{run}/artifacts/?file=eval/report.pdf")
    with ada.expect_download() as saved:
        ada.get_by_role("link", name="Download", exact=True).click()
    assert saved.value.suggested_filename == "report.pdf"
    with ada.expect_download() as saved:
        ada.get_by_role("link", name=re.compile("^eval as zip")).click()
    assert saved.value.suggested_filename.endswith("-eval.zip")
    with ada.expect_download() as saved:
        ada.get_by_role("link", name=re.compile("^Download all as zip")).click()
    assert saved.value.path().stat().st_size > sum(map(len, FILES.values()))


LOOKS = [
    "config.yaml", "data/vitals.parquet", "eval/calibration.png", "eval/metrics.json", "eval/predictions.csv",
    "eval/report.pdf", "notes/README.md", "notes/analysis.ipynb", "eval/confusion.html",
]  # fmt: skip


def test_every_kind_of_file_is_open_to_all_and_nothing_sticks_out(ada: Page, run: str):
    def ready(page: Page, path: str) -> None:
        expect(shown(page)).to_have_text(path.partition("file=")[2].partition("&")[0])

    paths = [f"/r/{run}/artifacts/?file={path}" for path in [*LOOKS, "eval/confusion.html&look=still"]]
    assert faults_of(ada, paths, sizes=(NARROW, WIDE), ready=ready) == {}
    assert [words for words in ada.complaints if "sandboxed" not in words and "script" not in words.lower()] == []
