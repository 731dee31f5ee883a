"""A project's goal in the browser: said by keyboard, seen as a line, readable with any aid."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Logged
from tests.browser.looking import faults_of

pytestmark = pytest.mark.once

MILA = "mila.aim@example.org"


@pytest.fixture
def mila(logged: Logged, sign_in: Callable[..., Page]) -> Page:
    """A manager at home, with three runs that a script logged."""
    from mlflow import MlflowClient

    live = logged.live
    live.create_project("aim", name="Fall prevention")
    password = live.create_user(MILA, name="Mila", role="project_manager", project="aim")
    scientist = live.create_user("sven.aim@example.org", name="Sven", role="data_scientist", project="aim")
    assert scientist
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", live.issue_token("sven.aim@example.org"))
        client = MlflowClient(live.tracking_uri("aim"))
        experiment = client.create_experiment("falls")
        for value in (0.71, 0.64, 0.82):
            run = client.create_run(experiment, run_name=f"tcn-{value}").info.run_id
            client.log_metric(run, "val/auroc", value)
            client.set_terminated(run)
    return sign_in(MILA, password)


def test_a_goal_is_set_by_keyboard_and_drawn_for_everybody(mila: Page):
    assert faults_of(mila, ["/p/aim/", "/p/aim/goal/"]) == {}
    mila.goto("/p/aim/")
    mila.get_by_role("link", name="Set a goal").focus()
    mila.keyboard.press("Enter")
    mila.get_by_label("Metric").fill("val/auroc")
    mila.keyboard.press("Tab")
    mila.keyboard.press("Tab")
    mila.keyboard.type("0.88")
    mila.locator("#id_by_date").fill("2099-01-12")
    mila.get_by_label("Target").press("Enter")
    mila.wait_for_url("**/p/aim/")
    panel = mila.get_by_role("region", name="Goal", exact=True)
    expect(panel).to_contain_text("On the way")
    expect(panel).to_contain_text("of 0.8800 target")
    expect(panel.locator("svg.m-goalsvg a")).to_have_count(2)
    panel.locator("summary").focus()
    mila.keyboard.press("Enter")
    expect(panel.get_by_role("table")).to_contain_text("tcn-0.82")
    assert faults_of(mila, ["/p/aim/", "/p/aim/goal/"]) == {}
    assert mila.complaints == []  # type: ignore[attr-defined]
    mila.goto("/p/aim/")
    mila.locator("svg.m-goalsvg a").last.focus()
    mila.keyboard.press("Enter")
    mila.wait_for_url("**/r/*/")
