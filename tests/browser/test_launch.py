"""From an empty catalogue to runs that a real worker trained: launched, watched, done again, stopped, mended."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Error, Page, expect

from runner.models import Worker
from tests.browser.conftest import ADA, Logged
from tests.browser.looking import faults_of
from tests.services.live import LiveMled
from tests.services.processes import start, stop, wait_until
from tests.services.sandbox import executor_here

PLACE, QUEUE = "wards", "walk"
FORM, LIST = f"/p/{PLACE}/launch/", f"/p/{PLACE}/queue/"
PATIENCE = 120_000  # milliseconds for what a worker does on a busy machine


def stays(seed: int) -> bytes:
    """Stays on a ward, of which it can be told in part how they end."""
    drawn, lines = random.Random(seed), ["age,heart_rate,lactate,died"]
    for _ in range(240):
        age, rate, lactate = drawn.randint(20, 90), drawn.randint(50, 130), round(drawn.uniform(0.5, 6), 2)
        died = age / 90 + lactate / 6 + drawn.gauss(0, 0.2 * seed) > 1.2
        lines.append(f"{age},{rate},{lactate},{'yes' if died else 'no'}")
    return "\n".join(lines).encode() + b"\n"


@pytest.fixture(scope="session")
def wards(logged: Logged) -> str:
    """A project whose only dataset has two versions; the token of its scientist."""
    live = logged.live
    live.create_project(PLACE, name="Ward stays")
    live.add_member(PLACE, ADA, "data_scientist")
    token = live.issue_token(ADA, project=PLACE)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    base = f"{live.url}/api/v1/projects/{PLACE}/"
    dataset = session.post(f"{base}datasets/", json={"name": "ward-stays"}).json()["id"]
    for seed in (1, 3):
        content = stays(seed)
        upload = session.post(f"{base}uploads/", json={"size_bytes": len(content), "purpose": "stays"}).json()["id"]
        one = f"{live.url}/api/v1/uploads/{upload}/"
        assert session.patch(
            one, data=content, headers={"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        ).ok
        assert session.post(f"{one}finish/").ok
        made = session.post(
            f"{base}datasets/{dataset}/versions/",
            json={"files": [{"path": "stays.csv", "upload": upload}], "record": {"licence": "DUA-2291"}},
        )
        assert made.ok, made.text
    return str(token)


@pytest.fixture(scope="session")
def worker(logged: Logged, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A real worker of a queue that nobody else uses; what it builds is shared by all runs of tests on this machine."""
    live: LiveMled = logged.live
    shared = tmp_path_factory.getbasetemp().parent / "runner"
    environment = {
        **live.environment,
        "MLED_RUNNER_DATA": str(shared),
        "MLED_RUNNER_URL": live.url,
        "MLED_EXECUTOR": executor_here().name,
    }
    name = f"walk-{live.port}"
    command = [sys.executable, "manage.py", "runner", f"--name={name}", f"--queues={QUEUE}", "--slots=1"]
    with (live.data / "runner.log").open("a") as log:
        process = start(command, env=environment, stdout=log, stderr=log)
    with live.in_database():
        wait_until(Worker.objects.filter(name=name).exists, within=60, what=f"{name} joined")
    yield
    stop(process, within=30)


def fill(page: Page, **params: str) -> None:
    """The form for the built-in trainer, on the first version."""
    page.get_by_label("Training data").select_option(label=_option(page, "ward-stays v1"))
    page.get_by_label("Queue").select_option(QUEUE)
    for name, value in {"target": "died", "model": "mlp", **params}.items():
        field = page.locator(f"#param-{name}")
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def _option(page: Page, words: str) -> str:
    return next(one for one in page.get_by_label("Training data").locator("option").all_inner_texts() if words in one)


def go(page: Page, address: str) -> None:
    """Open a page, also where the one before just then moves on by itself, as its job is over."""
    try:
        page.goto(address)
    except Error as error:
        if "ERR_ABORTED" not in str(error):
            raise
        page.wait_for_load_state()
        page.goto(address)


def over(page: Page, word: str) -> None:
    """Once its job is over, in this way."""
    expect(page.locator("#job .m-b")).to_have_text(re.compile("Finished|Failed|Stopped"), timeout=PATIENCE)
    expect(page.locator("#job .m-b")).to_have_text(word)


@pytest.mark.once
def test_a_scientist_runs_watches_repeats_and_stops_experiments_in_the_browser(
    sign_in: Callable[..., Page], wards: str, worker: None
):
    page = sign_in(ADA)
    page.goto(f"{LIST}?show=over")
    rows = page.locator("table.m-jobs tbody tr")
    before = rows.count()  # a first try may have left some
    page.goto(f"/p/{PLACE}/runs/")
    page.get_by_role("link", name="Run it here").first.click()
    expect(page.locator("#checks")).to_contain_text("Data is to be chosen")
    fill(page, epochs="1500")  # long enough to be seen under way, by a page that looks every two seconds
    page.get_by_label("Name of the run").fill("first")
    page.get_by_label("Experiment", exact=True).fill("icu/here")
    expect(page.locator("#checks")).to_contain_text("Data is there")
    expect(page.locator("#checks")).to_contain_text(f"slot in queue {QUEUE}", timeout=PATIENCE)
    page.keyboard.press("Control+Enter")
    confirmed = page.locator("#launched")
    expect(confirmed).to_be_focused()
    expect(confirmed).to_contain_text("is launched.")
    page.get_by_role("button", name="Copy link").click()
    first = re.sub(r"\?.*", "", page.url)
    expect(page.locator("#job")).to_contain_text(re.compile("for|so far"))

    expect(page.locator("#job .m-b")).to_have_text("Running", timeout=PATIENCE)
    expect(page.locator("[data-part=status]")).to_have_text("Running")
    expect(page.locator(".m-tiles")).to_contain_text("val_loss", timeout=PATIENCE)
    page.get_by_role("link", name="Live log").click()
    expect(page.locator("#log")).to_contain_text("step", timeout=PATIENCE)
    seen = page.locator("#console-total").inner_text()
    job = f"/api/v1/runs/{first.rstrip('/').rpartition('/')[2]}/job/"
    for _ in range(100):  # it grows, unless all of it was there already
        if page.locator("#console-total").inner_text() != seen or page.request.get(job).json()["state"] != "running":
            break
        page.wait_for_timeout(500)
    else:
        raise AssertionError(f"Still {seen} lines, and the job goes on.")
    go(page, first)
    over(page, "Finished")
    expect(page.locator(".m-tiles")).to_contain_text("val_loss")
    conditions = page.locator("[data-part=conditions]")
    for name in ("Code", "Data", "Packages", "Parameters", "Seed", "Hardware", "Command", "Container", "Determinism"):
        expect(conditions).to_contain_text(name)
    expect(conditions).to_contain_text("of 9")

    page.get_by_role("link", name="Recreate").first.click()
    page.get_by_role("button", name=re.compile("Run it again|Recreate|Do it again|Run")).first.click()
    over(page, "Finished")
    go(page, first)
    expect(page.locator("[data-part=again]")).to_contain_text("same", ignore_case=True, timeout=PATIENCE)

    page.goto(f"{FORM}?like={page.locator('.m-crumb [aria-current]').inner_text()}")
    page.get_by_label("Training data").select_option(label=_option(page, "ward-stays v2"))
    expect(page.locator("#checks")).to_contain_text("inputs.train")
    page.get_by_role("button", name="Run", exact=False).first.click()
    over(page, "Finished")
    go(page, first)
    expect(page.locator("[data-part=again]")).to_contain_text("different", ignore_case=True, timeout=PATIENCE)

    page.goto(f"{FORM}?like={page.locator('.m-crumb [aria-current]').inner_text()}")
    # Minutes of work: it is not over before it is stopped.
    for name, value in {"epochs": "5000", "hidden": "400,400", "batch": "8"}.items():
        page.locator(f"#param-{name}").fill(value)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#job .m-b")).to_have_text("Running", timeout=PATIENCE)
    page.locator("#job summary").click()
    page.get_by_label("Why?").fill("far too long")
    page.get_by_role("button", name=re.compile("^Stop ")).click()
    over(page, "Stopped")
    expect(page.locator("#job")).to_contain_text("Ada stopped it after")
    page.goto(f"{LIST}?show=over")
    expect(rows).to_have_count(before + 4)
    assert not page.complaints


BROKEN = b"""import json, os
print("given", json.load(open(os.environ["MLED_PARAMS"])), flush=True)
open("/inputs/none/table.csv")
"""


@pytest.mark.once
def test_code_of_ones_own_fails_with_its_error_first_and_every_page_of_it_is_in_order(
    ada: Page, plain: Page, wards: str, worker: None
):
    ada.goto(FORM)
    ada.get_by_label("Name of the run").fill("own code")
    ada.get_by_role("radio", name=re.compile("Uploaded code")).check()
    expect(ada.get_by_label("Command")).to_be_visible()
    expect(ada.get_by_role("radio", name=re.compile("Uploaded code"))).to_be_focused()
    expect(ada.get_by_label("Name of the run")).to_have_value("own code")
    ada.get_by_label("Code", exact=True).set_input_files(
        [{"name": "own.py", "mimeType": "text/x-python", "buffer": BROKEN}]
    )
    ada.get_by_label("Name of parameter 1").fill("depth")
    for typed in ("3", "lr", "0.1"):  # Enter leads from field to field, and to a row that is new
        ada.keyboard.press("Enter")
        ada.keyboard.type(typed)
    ada.locator("#seed").fill("many")
    ada.keyboard.press("Control+Enter")
    told = ada.locator("#launch-problems")
    expect(told).to_be_focused()
    told.get_by_role("link", name="Seed").click()
    expect(ada.locator("#seed")).to_be_focused()
    ada.keyboard.press("Control+A")
    ada.keyboard.type("5")
    expect(ada.locator("#code_file-help")).to_contain_text("own.py is uploaded")
    ada.get_by_label("Queue").select_option(QUEUE)
    ada.keyboard.press("Control+Enter")
    over(ada, "Failed")
    why = ada.locator(".m-jobwhy")
    expect(why.locator("p").first).to_contain_text("FileNotFoundError")
    expect(why).to_contain_text("Data lies at /inputs/<name>")
    failed = re.sub(r"\?.*", "", ada.url)
    ada.get_by_role("button", name="Try again").click()
    expect(ada.locator("#launched")).to_contain_text("is launched.")
    over(ada, "Failed")
    expect(ada.locator("#job")).to_contain_text("Tries WAR")

    plain.goto(f"{FORM}?like={ada.locator('.m-crumb [aria-current]').inner_text()}")
    plain.get_by_label("Queue").select_option("default")
    plain.get_by_role("button", name="Run", exact=True).click()
    expect(plain.locator("#launched")).to_contain_text("is launched.")
    expect(plain.locator("#job")).to_contain_text("No worker serves the queue default now")
    waits = re.sub(r"\?.*", "", plain.url)
    path = failed.partition("/r/")[2]
    job = plain.get_by_role("link", name="Recipe").get_attribute("href") or ""
    like = f"{FORM}?like={plain.locator('.m-crumb [aria-current]').inner_text()}"
    assert not faults_of(
        ada, [FORM, like, LIST, f"{LIST}?show=failed", f"/r/{path}", f"/r/{waits.partition('/r/')[2]}", job, "/"]
    )
    plain.goto(LIST)
    plain.get_by_label(re.compile("^Choose WAR")).first.check()
    plain.locator(".m-queuebar summary").click()
    plain.get_by_role("button", name="Stop them").click()
    expect(plain.get_by_text("1 job stopped")).to_be_visible()
    assert not ada.complaints
