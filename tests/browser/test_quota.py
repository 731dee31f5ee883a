"""A project's quota in the browser: set by keyboard, seen as a bar, readable with any aid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Logged
from tests.browser.looking import faults_of

pytestmark = pytest.mark.once

ADA = "ada@quota.example.org"
KIM = "kim@quota.example.org"
HERE = "/p/full/storage/"


def test_an_administrator_sets_a_quota_by_keyboard_and_sees_how_full_it_is(
    logged: Logged, sign_in: Callable[..., Page], tmp_path: Path
):
    from mlflow import MlflowClient

    live = logged.live
    live.create_project("full", name="Night ward")
    live.create_user(ADA, name="Ada", role="data_scientist", project="full")
    password = live.create_user(KIM, name="Kim", role="administrator")
    (tmp_path / "weights.bin").write_bytes(b"w" * 9_500)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", live.issue_token(ADA))
        client = MlflowClient(live.tracking_uri("full"))
        client.log_artifact(client.create_run("0").info.run_id, str(tmp_path / "weights.bin"))
    page: Page = sign_in(KIM, password)
    assert faults_of(page, [HERE]) == {}
    page.goto(HERE)
    expect(page.get_by_role("region", name="Files", exact=True)).to_contain_text("No quota")
    field = page.get_by_role("textbox", name="Quota")
    field.fill("much")
    field.press("Enter")
    expect(page.locator("main")).to_contain_text("'much' is no size.")
    field.fill("10 kB")
    field.press("Enter")
    expect(page.get_by_role("progressbar", name="9.5 kB of 10 kB used")).to_be_visible()
    expect(page.get_by_role("region", name="Files", exact=True)).to_contain_text("Nearly full")
    assert faults_of(page, [HERE]) == {}
    assert page.complaints == []  # type: ignore[attr-defined]
