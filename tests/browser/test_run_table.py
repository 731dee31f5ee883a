"""The run table by hand: figures and order of columns, groups, small curves, acts on what is selected."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADA, Logged, names
from tests.browser.looking import NARROW, WIDE, faults_of, serious

pytestmark = pytest.mark.once
PROJECT = "seeds"
ARCHITECTURES = ("gru-d", "lightgbm", "tcn", "transformer-m")


@pytest.fixture(scope="session")
def seeds(logged: Logged) -> str:
    """Twelve runs of four architectures and three seeds, and one without either; the table's address."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    logged.live.create_project(PROJECT, name="Seeds")
    logged.live.add_member(PROJECT, ADA, "data_scientist")
    client = MlflowClient(logged.live.tracking_uri(PROJECT))
    experiment = client.create_experiment("icu/seeds")
    for place, arch in enumerate(ARCHITECTURES):
        for seed in range(3):
            run = client.create_run(experiment, run_name=f"{arch}-{seed}").info.run_id
            top = 0.75 + place / 50 + seed / 500
            points = [
                Metric("val/auroc", top - abs(20 - step) / 200, 1_700_000_000_000 + 1000 * step, step)
                for step in range(30)
            ]
            params = [Param("arch", arch), Param("seed", str(seed)), Param("lr", "0.001")]
            client.log_batch(run, metrics=[*points, Metric("val/ece", 0.05 - place / 100, 1, 0)], params=params)
            client.set_terminated(run)
    client.create_run(experiment, run_name="bare")
    return f"/p/{PROJECT}/runs/"


def menu(page: Page, column: str):
    """The open menu of a column."""
    page.locator("th", has_text=column).first.hover()
    page.get_by_role("button", name=f"Column {column}", exact=True).click()
    return page.locator(".m-headmenu:popover-open")


def heads(page: Page) -> list[str]:
    return page.locator("th[data-column-key]").evaluate_all("all => all.map(one => one.dataset.columnKey)")


def test_the_menu_of_a_head_shows_the_best_draws_curves_and_hides(ada: Page, seeds: str):
    ada.goto(f"{seeds}?columns=metrics.val/auroc&columns=metrics.val/ece&columns=params.arch")
    menu(ada, "val/auroc").get_by_role("button", name="↑ better").click()
    expect(ada.get_by_role("status").filter(has_text="higher is better")).to_be_visible()
    menu(ada, "val/auroc").get_by_role("button", name="Best", exact=True).click()
    expect(ada.locator("th[data-column-key='best(metrics.val/auroc)']")).to_be_visible()
    ada.wait_for_url(lambda url: "do=" not in url)
    opened = menu(ada, "val/auroc")
    assert serious(ada) == []
    opened.get_by_role("button", name="With small curves").click()
    expect(ada.locator("tbody .m-spark")).to_have_count(12)
    menu(ada, "val/ece").get_by_role("button", name="Hide column").click()
    expect(ada.locator("th[data-column-key='metrics.val/ece']")).to_have_count(0)
    ada.locator("thead a", has_text="val/auroc").click()
    expect(ada.locator("th[aria-sort=descending]")).to_be_visible()
    assert names(ada)[0] == "transformer-m-2"
    assert ada.complaints == []


def test_a_head_is_moved_by_its_menu_and_by_dragging(ada: Page, seeds: str):
    ada.goto(f"{seeds}?columns=params.arch&columns=params.seed&columns=params.lr")
    menu(ada, "lr").get_by_role("button", name="Move left").click()
    expect(ada.locator("th[data-column-key]").nth(1)).to_have_attribute("data-column-key", "params.lr")
    ada.locator("th[data-column-key='params.seed']").drag_to(ada.locator("th[data-column-key='params.arch']"))
    expect(ada.locator("th[data-column-key]").first).to_have_attribute("data-column-key", "params.seed")
    assert heads(ada) == ["params.seed", "params.arch", "params.lr"]
    ada.reload()
    assert heads(ada) == ["params.seed", "params.arch", "params.lr"]
    assert ada.complaints == []


def test_runs_are_grouped_and_a_group_opens_as_a_query(ada: Page, seeds: str):
    ada.goto(f"{seeds}?columns=metrics.val/auroc")
    ada.locator("summary", has_text="Group").click()
    ada.get_by_label("Group by").select_option("params.arch")
    ada.get_by_role("button", name="Group", exact=True).click()
    expect(ada.locator("tr.group")).to_have_count(5)
    expect(ada.locator("tr.group").last).to_contain_text("none")
    expect(ada.get_by_text("5 groups, 13 runs")).to_be_visible()
    assert serious(ada) == []
    fold = ada.get_by_role("button", name="Runs of this group: tcn")
    fold.click()
    expect(ada.locator(".m-member a.name")).to_have_count(3)
    expect(fold).to_have_attribute("aria-expanded", "true")
    assert serious(ada) == []
    fold.click()
    expect(ada.locator(".m-member")).to_have_count(0)
    ada.locator("tr.group", has_text="tcn").locator("td").nth(1).click()
    for name in ("tcn-0", "tcn-2"):
        ada.get_by_label(f"Select {name}", exact=True).check()
    ada.get_by_role("button", name="Draw tcn-0 in charts").click()
    expect(ada).to_have_url(re.compile("(hide|show)="))
    expect(ada.get_by_label("Select tcn-2", exact=True)).to_be_checked()
    bar = ada.get_by_role("region", name="Selected runs")
    expect(bar).to_contain_text("2 selected")
    assert serious(ada) == []
    bar.get_by_role("button", name="Compare").click()
    expect(ada).to_have_url(re.compile("/compare/"))
    ada.go_back()
    expect(bar).to_contain_text("2 selected")
    ada.locator("tr.group a.name", has_text="tcn").click()
    expect(ada.locator("#query")).to_have_value("params.arch = 'tcn'")
    expect(ada.locator("tbody a.name")).to_have_count(3)
    assert sorted(names(ada)) == ["tcn-0", "tcn-1", "tcn-2"]
    ada.go_back()
    expect(ada.locator("tr.group")).to_have_count(5)
    assert ada.complaints == []


def test_selected_runs_are_tagged_deleted_and_brought_back(ada: Page, seeds: str):
    ada.goto(f"{seeds}?sort=name&columns=tags.stage")
    for name in ("bare", "gru-d-0"):
        ada.get_by_label(f"Select {name}", exact=True).check()
    bar = ada.get_by_role("region", name="Selected runs")
    bar.locator("summary", has_text="Tag").click()
    bar.get_by_label("Tag", exact=True).fill("stage")
    bar.get_by_label("Value").fill("draft")
    assert serious(ada) == []
    ada.keyboard.press("Enter")
    expect(ada.get_by_text("2 runs tagged.")).to_be_visible()
    expect(ada.locator("td", has_text="draft")).to_have_count(2)
    ada.get_by_label("Select bare", exact=True).check()
    ada.get_by_role("region", name="Selected runs").locator("summary", has_text="Delete").click()
    ada.get_by_role("button", name="Delete runs").click()
    expect(ada.get_by_label("Select bare", exact=True)).to_have_count(0)
    ada.get_by_role("form", name="Undo").get_by_role("button").click()
    expect(ada.get_by_text("1 run restored.")).to_be_visible()
    expect(ada.get_by_label("Select bare", exact=True)).to_be_visible()
    assert ada.complaints == []


def test_all_that_match_are_locked_and_unlocked(ada: Page, seeds: str):
    ada.goto(f"{seeds}?q=params.arch+%3D+'tcn'")
    ada.get_by_label("Select tcn-1", exact=True).check()
    for act, words in (("Lock", "3 runs locked."), ("Unlock", "3 runs unlocked.")):
        bar = ada.get_by_role("region", name="Selected runs")
        if bar.is_hidden():
            ada.get_by_label("Select tcn-1", exact=True).check()
        bar.get_by_role("button", name="All 3 runs").click()
        expect(bar).to_contain_text("All that match")
        bar.locator("summary", has_text="Lock").click()
        bar.get_by_role("button", name=act, exact=True).click()
        expect(ada.get_by_role("form", name="Undo")).to_contain_text(words)
    assert ada.complaints == []


def test_without_scripts_columns_groups_and_acts_work_as_well(plain: Page, seeds: str):
    plain.goto(f"{seeds}?columns=params.arch&columns=params.lr&sort=name")
    plain.get_by_role("button", name="Column lr", exact=True).click()
    plain.locator(".m-headmenu:popover-open").get_by_role("button", name="Move left").click()
    expect(plain.locator("th[data-column-key]").first).to_have_attribute("data-column-key", "params.lr")
    assert heads_without_scripts(plain) == ["params.lr", "params.arch"]
    plain.get_by_label("Select tcn-0", exact=True).check()
    plain.get_by_role("button", name="Lock", exact=True).click()
    expect(plain.get_by_text("1 run locked.").first).to_be_visible()
    plain.get_by_role("button", name="Undo").click()
    expect(plain.get_by_text("1 run unlocked.").first).to_be_visible()


def heads_without_scripts(page: Page) -> list[str]:
    return re.findall(r'data-column-key="([^"]+)"', page.content())


@pytest.mark.parametrize("query", ["?columns=metrics.val/auroc&spark=val/auroc", "?group=params.arch&group=params.lr"])
def test_the_table_is_readable_at_any_width_and_in_the_dark(ada: Page, seeds: str, query: str):
    assert faults_of(ada, [f"{seeds}{query}"], sizes=(NARROW, WIDE)) == {}
    ada.set_viewport_size(NARROW)
    for scheme in ("dark", "light"):
        ada.emulate_media(color_scheme=scheme)
        assert serious(ada) == []
    assert ada.complaints == []
