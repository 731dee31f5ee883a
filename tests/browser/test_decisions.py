"""A project's decisions in the browser: recorded from ticked runs, read with any aid on any screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Logged
from tests.browser.looking import faults_of

pytestmark = pytest.mark.once

NORA = "nora.dec@example.org"


@pytest.fixture
def nora(logged: Logged, sign_in: Callable[..., Page]) -> Page:
    """A manager at home, with two runs that a script logged."""
    from mlflow import MlflowClient

    live = logged.live
    live.create_project("dec", name="Dosing")
    password = live.create_user(NORA, name="Nora", role="project_manager", project="dec")
    live.create_user("sven.dec@example.org", name="Sven", role="data_scientist", project="dec")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", live.issue_token("sven.dec@example.org"))
        client = MlflowClient(live.tracking_uri("dec"))
        experiment = client.create_experiment("doses")
        for name in ("tcn", "gru"):
            client.set_terminated(client.create_run(experiment, run_name=name).info.run_id)
    return sign_in(NORA, password)


def test_a_decision_is_recorded_from_ticked_runs_replaced_and_taken_back(nora: Page):
    assert faults_of(nora, ["/p/dec/decisions/"]) == {}
    nora.goto("/p/dec/runs/")
    for name in ("tcn", "gru"):
        nora.get_by_role("row").filter(has_text=name).get_by_role("checkbox").check()
    nora.get_by_role("button", name="Decide").first.click()
    nora.wait_for_url("**/decisions/new/**")
    nora.get_by_label("Decision", exact=True).fill("Go on with both")
    nora.get_by_label("Why").fill("Neither is **ahead**.")
    nora.get_by_label("Decision", exact=True).press("Enter")
    nora.wait_for_url("**/decisions/1/")
    expect(nora.get_by_role("table")).to_contain_text("tcn")
    nora.get_by_role("link", name="Replace").click()
    nora.get_by_label("Decision", exact=True).fill("Go on with the gru")
    nora.get_by_role("button", name="Record decision").click()
    nora.wait_for_url("**/decisions/2/")
    assert faults_of(nora, ["/p/dec/decisions/2/", "/p/dec/decisions/1/", "/p/dec/decisions/new/"]) == {}
    nora.goto("/p/dec/decisions/2/")
    nora.get_by_label("Why it holds no longer").fill("The data were recalled.")
    nora.get_by_role("button", name="Take back").click()
    expect(nora.get_by_text("Taken back by")).to_contain_text("The data were recalled.")
    assert faults_of(nora, ["/p/dec/", "/p/dec/decisions/", "/p/dec/decisions/2/"]) == {}
    assert nora.complaints == []  # type: ignore[attr-defined]
