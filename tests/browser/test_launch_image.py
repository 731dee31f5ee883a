"""A run in a container image, from the form to its record and to the page that would do it again."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from runner.models import Worker
from tests.browser.conftest import ADA, Logged
from tests.browser.looking import faults_of
from tests.services.processes import start, stop, wait_until
from tests.services.registry import Registry, with_programs

PLACE, QUEUE = "boxes", "boxes"
PATIENCE = 120_000  # milliseconds for what a worker does on a busy machine


@pytest.fixture(scope="module")
def worker(logged: Logged, sandbox, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A real worker of a queue that nobody else uses, which takes images from the registry of the tests."""
    live = logged.live
    live.create_project(PLACE, name="Boxes")
    live.add_member(PLACE, ADA, "data_scientist")
    environment = {
        **live.environment,
        "MLED_RUNNER_DATA": str(tmp_path_factory.mktemp("boxes")),
        "MLED_RUNNER_URL": live.url,
        "MLED_EXECUTOR": "sandbox",
        "MLED_IMAGE_REGISTRIES": registry.named,
    }
    name = f"boxes-{live.port}"
    command = [sys.executable, "manage.py", "runner", f"--name={name}", f"--queues={QUEUE}", "--slots=1"]
    with (live.data / "boxes.log").open("a") as log:
        process = start(command, env=environment, stdout=log, stderr=log)
    with live.in_database():
        wait_until(Worker.objects.filter(name=name).exists, within=60, what=f"{name} joined")
    yield
    stop(process, within=30)


@pytest.mark.once
def test_a_run_in_an_image_is_asked_for_in_the_form_and_is_on_record_by_its_digest(
    ada: Page, registry: Registry, worker: None
):
    digest = registry.push("team/shell", with_programs("sh", "cat"), Env=["PATH=/bin", "LEVEL=3"])
    named = f"{registry.host}/team/shell:1"
    ada.goto(f"/p/{PLACE}/launch/")
    ada.get_by_role("radio", name=re.compile("Uploaded code")).check()
    expect(ada.get_by_label("Command")).to_be_visible()
    script = [{"name": "say.sh", "mimeType": "text/x-sh", "buffer": b"echo level $LEVEL\n"}]
    ada.get_by_label("Code", exact=True).set_input_files(script)
    ada.get_by_label("Command").fill("sh say.sh")
    expect(ada.get_by_label("Image", exact=True)).to_be_hidden()
    ada.get_by_label("Packages").select_option("image")
    ada.get_by_label("Image", exact=True).fill("https://no.image")
    ada.get_by_label("Queue").select_option(QUEUE)
    ada.keyboard.press("Control+Enter")
    told = ada.locator("#launch-problems")
    expect(told).to_be_focused()
    told.get_by_role("link", name="Image", exact=True).click()
    expect(ada.locator("#image")).to_be_focused()
    ada.keyboard.press("Control+A")
    ada.keyboard.type(named)
    ada.keyboard.press("Tab")
    expect(ada.locator("#checks")).to_contain_text("the run keeps the digest")
    ada.keyboard.press("Control+Enter")
    expect(ada.locator("#job")).to_contain_text("Finished", timeout=PATIENCE)
    run = re.sub(r"\?.*", "", ada.url).partition("/r/")[2]
    ada.get_by_role("link", name="Recipe").click()
    expect(ada.get_by_text(f"{named}@{digest}")).to_be_visible()
    expect(ada.get_by_text("Without Python with mlflow")).to_be_visible()
    recipe = ada.url
    ada.goto(f"/r/{run}recreate/")
    expect(ada.get_by_text(f"Image {named}@{digest}")).to_be_visible()
    assert not faults_of(ada, [f"/p/{PLACE}/launch/?like={run.rstrip('/')}", recipe, f"/r/{run}recreate/"])
    assert not ada.complaints
