"""The query bar by hand: completion, chips and their forms, corrections, history, help; by keyboard alone, too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ADA, Logged
from tests.browser.looking import NARROW, WIDE, serious

pytestmark = pytest.mark.once
PROJECT = "asking"


@pytest.fixture(scope="session")
def asking(logged: Logged) -> str:
    """Six runs of two architectures; the table's address."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    logged.live.create_project(PROJECT, name="Asking")
    logged.live.add_member(PROJECT, ADA, "data_scientist")
    client = MlflowClient(logged.live.tracking_uri(PROJECT))
    experiment = client.create_experiment("wards")
    for number in range(6):
        run = client.create_run(experiment, run_name=f"{'gru' if number % 2 else 'tcn'}-{number}").info.run_id
        client.log_batch(
            run,
            metrics=[Metric("val/auroc", 0.7 + number / 20, 1, 0)],
            params=[Param("learning rate", str(10**-number)), Param("arch", "gru" if number % 2 else "tcn")],
            tags=[RunTag("stage", "draft" if number < 3 else "final")],
        )
        client.set_terminated(run)
    return f"/p/{PROJECT}/runs/"


def shown(page: Page) -> list[str]:
    return sorted(page.locator("tbody a.name").all_inner_texts())


def offered(page: Page) -> Locator:
    return page.locator(".m-offers:not([hidden]) [role=option] > code")


def test_a_query_is_written_by_keyboard_alone(ada: Page, asking: str):
    asked: list[str] = []
    ada.on("request", lambda request: "/query/" in request.url and asked.append(request.url))
    ada.goto(asking)
    ada.keyboard.press("/")
    line = ada.get_by_role("combobox", name="Query")
    expect(ada.locator("#query")).to_be_focused()
    assert asked == []
    ada.keyboard.type("rat")
    expect(line).to_have_attribute("aria-expanded", "true")
    expect(offered(ada)).to_have_text(["params.learning rate", "duration"])
    assert serious(ada) == []
    ada.keyboard.press("Tab")
    expect(line).to_have_value("params.`learning rate` ")
    ada.keyboard.type("<= ")
    expect(offered(ada).first).to_have_text("0.0001")
    ada.keyboard.type("0.01 ")
    expect(offered(ada)).to_have_text(["AND", "OR"])
    ada.keyboard.press("ArrowDown")
    expect(line).to_have_attribute("aria-activedescendant", re.compile("offers-"))
    ada.keyboard.press("Enter")
    ada.keyboard.type("tag = 'stage=f")
    expect(offered(ada)).to_have_text(["stage=final"])
    ada.keyboard.press("ArrowDown")
    ada.keyboard.press("Enter")
    expect(line).to_have_value("params.`learning rate` <= 0.01 AND tag = 'stage=final' ")
    ada.keyboard.press("Escape")
    expect(line).to_have_attribute("aria-expanded", "false")
    ada.keyboard.press("Enter")
    expect(ada.locator(".m-chip")).to_have_count(2)
    assert shown(ada) == ["gru-3", "gru-5", "tcn-4"]
    assert ada.complaints == []


def test_chips_their_forms_and_the_line_are_in_step(ada: Page, asking: str):
    ada.goto(asking)
    ada.locator("summary", has_text="Filter").click()
    form = ada.get_by_role("form", name="All filters")
    form.get_by_label("Name has").fill("gru")
    form.get_by_label("Tag: add", exact=True).click()
    ada.locator(".m-offers [role=option]", has_text="stage=draft").click()
    form.get_by_label("Tag: add", exact=True).type("final")
    ada.locator(".m-offers [role=option]", has_text="stage=final").click()
    form.locator("[name=f-metric-key]").fill("auroc")
    ada.locator(".m-offers [role=option]", has_text="val/auroc").click()
    form.get_by_label("Which value").select_option("max")
    form.get_by_label("is at least").fill("0.8")
    assert serious(ada) == []
    form.get_by_role("button", name="Apply").click()
    line = ada.locator("#query")
    expect(line).to_have_value("'gru' AND max(metrics.`val/auroc`) >= 0.8 AND tag IN ('stage=draft', 'stage=final')")
    expect(ada.locator(".m-chip")).to_have_text([re.compile("Name has"), re.compile("max"), re.compile("Tag any of")])
    assert shown(ada) == ["gru-3", "gru-5"]
    chip = ada.locator(".m-chip").nth(2)
    chip.locator("summary").click()
    chip.get_by_label("Tag: how").select_option("none")
    chip.get_by_role("checkbox", name="stage=draft").uncheck()
    chip.get_by_role("button", name="Apply").click()
    expect(line).to_have_value("'gru' AND max(metrics.`val/auroc`) >= 0.8 AND tag != 'stage=final'")
    ada.get_by_role("link", name=re.compile("^Remove tag")).click()
    expect(line).to_have_value("'gru' AND max(metrics.`val/auroc`) >= 0.8")
    line.fill("(gru OR nothing) AND max(metrics.`val/auroc`) >= 0.8")
    line.press("Enter")
    expect(ada.locator(".m-chip").nth(1)).to_have_text(re.compile(r"Advanced\s*\(gru OR nothing\)"))
    assert ada.complaints == []


def test_slips_help_history_and_code(ada: Page, asking: str):
    ada.goto(asking)
    line = ada.locator("#query")
    line.fill("arch = 'gru'")
    line.press("Enter")
    expect(ada.locator(".m-query-echo .err")).to_have_text("arch")
    ada.get_by_role("link", name="Use params.arch").click()
    expect(line).to_have_value("params.arch = 'gru'")
    assert shown(ada) == ["gru-1", "gru-3", "gru-5"]
    ada.get_by_title("How to write a query").click()
    ada.get_by_role("button", name=re.compile("params.arch IN")).click()
    expect(line).to_have_value("params.arch IN ('gru', 'tcn')")
    with ada.expect_response(lambda one: "/me/settings/" in one.url and "IN (" in (one.request.post_data or "")):
        line.press("Enter")
    expect(ada.locator(".m-chip")).to_have_text([re.compile("any of")])
    ada.goto(asking)
    ada.locator("#query").press("ArrowUp")
    expect(offered(ada).nth(0)).to_have_text("params.arch IN ('gru', 'tcn')")
    expect(offered(ada).nth(1)).to_have_text("params.arch = 'gru'")
    ada.keyboard.press("ArrowDown")
    ada.keyboard.press("Enter")
    expect(line).to_have_value("params.arch IN ('gru', 'tcn')")
    line.fill("")
    line.press("ArrowUp")
    with ada.expect_response("**/me/settings/"):
        ada.get_by_role("button", name="Clear history").click()
    ada.reload()
    line.press("ArrowUp")
    expect(ada.locator(".m-offers [role=option]")).to_have_count(0)
    ada.get_by_title("These runs, from code").click()
    expect(ada.locator("#code-python")).to_contain_text("mlflow.search_runs(")
    assert serious(ada) == []
    assert ada.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_bar_fits_a_phone_and_a_desk(ada: Page, asking: str, scheme: str):
    ada.emulate_media(color_scheme=scheme)
    for size in (WIDE, NARROW):
        ada.set_viewport_size(size)
        ada.goto(f"{asking}?q=tag IN ('a', 'b') AND created > 7d AND (x OR y) AND params.arch = 'gru'")
        for opened in (".m-chip summary >> nth=0", "[data-whole-form] > summary", "[title='How to write a query']"):
            ada.locator(opened).click()
            box = ada.locator("details[open] > .m-menu-list:visible").bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size["width"]
            assert serious(ada) == []
            ada.keyboard.press("Escape")
        assert ada.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert ada.complaints == []


def test_without_scripts_the_forms_write_the_line_as_well(plain: Page, asking: str):
    plain.goto(f"{asking}?q=gru&columns=params.arch")
    plain.locator("summary", has_text="Filter").last.click()
    plain.locator("[data-whole-form] [name=f-tag-more]").fill("stage=final")
    plain.get_by_role("form", name="All filters").get_by_role("button", name="Apply").click()
    expect(plain.locator("#query")).to_have_value("gru AND tag = 'stage=final'")
    assert shown(plain) == ["gru-3", "gru-5"]
    plain.wait_for_url(lambda url: "columns=params.arch" in url)
