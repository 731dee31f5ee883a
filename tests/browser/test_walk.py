"""A scientist finds a run that a script logged, filters the table and looks at its curves.

On both databases: the way from sign-in to the curves, and the run that goes on. tests/pages asks both for the rest.
"""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import ADA, OTTO, PROJECT, ZOE, Logged, copied


def rows(page: Page) -> Locator:
    return page.locator("table[data-rows] tbody a.name")


def test_from_sign_in_to_the_curves_of_a_run(ada: Page, logged: Logged):
    ada.get_by_role("link", name="Sepsis early warning").first.click()
    ada.get_by_role("navigation", name="Main").get_by_role("link", name="Runs", exact=True).click()
    expect(ada.locator("table[data-rows] tbody tr")).to_have_count(3)
    assert set(rows(ada).all_inner_texts()) == {"gru-d-w24", "gru-d-w48", "tcn-w48"}

    ada.get_by_label("Query", exact=True).fill("metrics.`val/auroc` >= 0.81 AND arch ILIKE 'gru%'")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("alert")).to_contain_text("arch")
    ada.get_by_label("Query", exact=True).fill("metrics.`val/auroc` >= 0.81 AND params.arch ILIKE 'gru%'")
    ada.keyboard.press("Enter")
    expect(ada.locator("table[data-rows] tbody tr")).to_have_count(1)
    expect(rows(ada)).to_have_text(["gru-d-w48"])
    ada.wait_for_url(lambda url: "val%2Fauroc" in url)

    ada.get_by_role("link", name="gru-d-w48", exact=True).click()
    expect(ada.get_by_role("heading", name="gru-d-w48")).to_be_visible()
    ada.get_by_role("link", name=re.compile("^Curves")).click()
    loss = ada.locator("figure", has_text="val/loss")
    expect(loss.locator("canvas")).to_be_visible()
    expect(loss.locator("footer")).to_contain_text("of 3,000 points")
    expect(loss.locator("footer")).to_contain_text("min and max kept")
    assert ada.complaints == []


@pytest.mark.once
def test_sorting_and_columns_live_in_the_address(ada: Page, logged: Logged):
    ada.goto(f"/p/{PROJECT}/runs/")
    ada.get_by_role("link", name=re.compile("^val.auroc")).click()
    expect(ada.locator("th[aria-sort=descending]")).to_contain_text("val/auroc")
    expect(rows(ada)).to_have_text(["tcn-w48", "gru-d-w48", "gru-d-w24"])
    ada.get_by_text(re.compile(r"^Columns \d+")).click()
    ada.get_by_placeholder("Search columns").fill("ar")
    expect(ada.locator("[data-column=User]")).to_be_hidden()
    ada.get_by_placeholder("Search columns").fill("")
    ada.locator("[data-column=User] input").uncheck()
    ada.locator("#column-picker").get_by_role("button", name="Show").click()
    expect(ada.locator("thead")).not_to_contain_text("User")
    address = ada.url
    ada.goto("/")
    ada.goto(address)
    expect(rows(ada)).to_have_text(["tcn-w48", "gru-d-w48", "gru-d-w24"])
    expect(ada.locator("thead")).not_to_contain_text("User")
    assert ada.complaints == []


@pytest.mark.once
def test_back_and_forward_lead_through_the_questions(ada: Page, logged: Logged):
    ada.goto(f"/p/{PROJECT}/runs/")
    table = ada.locator("table[data-rows] tbody tr")
    for query, count in (("params.arch = 'gru-d'", 2), ("params.arch = 'tcn'", 1)):
        ada.get_by_label("Query", exact=True).fill(query)
        ada.keyboard.press("Enter")
        expect(table).to_have_count(count)
    ada.go_back()
    expect(table).to_have_count(2)
    expect(ada.get_by_label("Query", exact=True)).to_have_value("params.arch = 'gru-d'")
    ada.go_back()
    expect(table).to_have_count(3)
    ada.go_forward()
    expect(table).to_have_count(2)
    assert ada.complaints == []


@pytest.mark.once
def test_forward_is_followed_even_while_the_scripts_of_the_page_are_on_their_way(ada: Page, logged: Logged):
    ada.goto(f"/p/{PROJECT}/runs/")
    table = ada.locator("table[data-rows] tbody tr")
    ada.get_by_label("Query", exact=True).fill("params.arch = 'gru-d'")
    ada.keyboard.press("Enter")
    expect(table).to_have_count(2)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    ada.route("**/dist/main*.js", hold)
    ada.evaluate("history.back()")
    expect(table).to_have_count(3)
    ada.evaluate("history.forward()")
    ada.wait_for_url(re.compile("gru-d"), wait_until="commit")
    assert held
    while held:
        held.pop().continue_()
    ada.unroute("**/dist/main*.js", hold)
    expect(table).to_have_count(2)
    ada.wait_for_url(lambda url: "gru-d" in url)


@pytest.mark.once
def test_the_links_that_the_client_prints_open_the_run(ada: Page, logged: Logged):
    run = logged.runs["tcn-w48"]
    for link in (f"/mlflow/{PROJECT}/#/experiments/2/runs/{run}", f"/#/experiments/2/runs/{run}"):
        ada.goto("/projects/")
        ada.goto(link)
        expect(ada.get_by_role("heading", name="tcn-w48")).to_be_visible()


@pytest.mark.once
def test_zooming_reads_the_window_again_and_the_bar_changes_every_curve(ada: Page, logged: Logged):
    ada.goto(f"/r/{logged.runs['gru-d-w48']}/curves/")
    loss = ada.locator("figure", has_text="val/loss")
    expect(loss.locator("canvas")).to_be_visible()
    box = loss.locator(".u-over").bounding_box()
    with ada.expect_request(lambda request: "data.bin" in request.url and "from=" in request.url):
        ada.mouse.move(box["x"] + 40, box["y"] + 30)
        ada.mouse.down()
        ada.mouse.move(box["x"] + 90, box["y"] + 30, steps=4)
        ada.mouse.up()
    expect(loss.locator("footer")).to_contain_text("zoomed")
    with ada.expect_request(lambda request: "data.bin" in request.url and "x=time" in request.url):
        ada.get_by_role("button", name="Wall").click()
    ada.get_by_role("button", name="Log y").click()
    ada.wait_for_url(lambda url: "x=time" in url)
    ada.wait_for_url(lambda url: "log=1" in url)
    ada.reload()
    expect(ada.get_by_role("button", name="Log y")).to_have_attribute("aria-pressed", "true")
    expect(loss.locator("canvas")).to_be_visible()
    assert ada.complaints == []


@pytest.mark.once
def test_a_value_that_is_no_number_is_told(ada: Page, logged: Logged):
    ada.goto(f"/r/{logged.runs['tcn-w48']}/curves/")
    expect(ada.locator("figure", has_text="val/loss").locator("[data-odd]")).to_have_text("1 NaN or infinite")


@pytest.mark.once
def test_keys_lead_through_the_pages(ada: Page, logged: Logged):
    ada.goto(f"/p/{PROJECT}/runs/")
    ada.keyboard.press("/")
    expect(ada.get_by_label("Query", exact=True)).to_be_focused()
    ada.keyboard.press("Escape")
    ada.keyboard.press("j")
    ada.keyboard.press("j")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("heading", level=1)).to_have_text("gru-d-w48")
    ada.wait_for_load_state()  # keys work once the page's scripts do
    ada.keyboard.press("2")
    expect(ada.get_by_role("link", name=re.compile("^Curves"))).to_have_attribute("aria-current", "page")
    ada.wait_for_load_state()
    ada.keyboard.press("?")
    expect(ada.get_by_role("dialog")).to_be_visible()
    ada.keyboard.press("Escape")
    ada.keyboard.press("[")
    expect(ada.get_by_role("navigation", name="Main")).to_be_hidden()
    ada.reload()
    expect(ada.get_by_role("navigation", name="Main")).to_be_hidden()
    ada.keyboard.press("Control+k")
    expect(ada.get_by_label("Jump to a run, experiment, dataset, model or project")).to_be_focused()
    ada.keyboard.type("tcn")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("link", name="tcn-w48")).to_be_visible()


@pytest.mark.once
def test_a_new_token_is_shown_once_and_copied(ada: Page, logged: Logged):
    ada.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ada.goto(f"/p/{PROJECT}/")
    ada.get_by_role("button", name="Make a token").first.click()
    secret = ada.locator("#secret").inner_text()
    ada.locator("[data-copy]").first.click()
    assert copied(ada, secret) == secret
    ada.get_by_role("button", name="Copy the lines").click()
    lines = copied(ada, f"export MLFLOW_TRACKING_TOKEN={secret}")
    assert f"export MLFLOW_TRACKING_URI={logged.live.tracking_uri(PROJECT)}" in lines
    ada.get_by_role("link", name="I have stored it").click()
    assert secret not in ada.content()


@pytest.mark.once
def test_the_author_locks_a_run_from_its_menu(ada: Page, logged: Logged):
    ada.goto(f"/r/{logged.runs['gru-d-w24']}/")
    ada.get_by_text("Actions").click()
    ada.get_by_role("button", name="Lock run").click()
    expect(ada.locator("h1 ~ .m-b", has_text="Locked")).to_be_visible()
    ada.get_by_text("Actions").click()
    ada.get_by_role("button", name="Unlock run").click()
    expect(ada.locator("h1 ~ .m-b", has_text="Locked")).to_have_count(0)


@pytest.mark.once
def test_a_file_is_previewed_and_downloaded(ada: Page, logged: Logged):
    ada.goto(f"/r/{logged.runs['gru-d-w48']}/artifacts/")
    expect(ada.get_by_role("cell", name="0.87")).to_be_visible()
    with ada.expect_download() as saved:
        ada.get_by_role("link", name="Download", exact=True).click()
    assert saved.value.suggested_filename == "by_ward.csv"


@pytest.mark.once
def test_an_auditor_reads_and_is_offered_no_change(sign_in, logged: Logged):
    otto = sign_in(OTTO)
    otto.goto(f"/r/{logged.runs['gru-d-w48']}/")
    expect(otto.get_by_role("heading", name="gru-d-w48")).to_be_visible()
    expect(otto.get_by_text("Actions")).to_have_count(0)


@pytest.mark.once
@pytest.mark.parametrize("path", ["/p/sepsis/", "/p/sepsis/runs/", "/r/{run}/", "/r/{run}/history/"])
def test_a_stranger_finds_nothing(sign_in, logged: Logged, path):
    zoe = sign_in(ZOE)
    answer = zoe.goto(path.format(run=logged.runs["gru-d-w48"]))
    assert answer.status == 404
    assert "gru-d-w48" not in zoe.content()


@pytest.mark.once
def test_the_pages_work_without_scripts(plain: Page, logged: Logged):
    plain.goto(f"/p/{PROJECT}/runs/")
    plain.fill("#query", "metrics.`val/auroc` > 0.805")
    plain.get_by_role("button", name="Filter", exact=True).click()
    expect(rows(plain)).to_have_count(2)
    assert sorted(rows(plain).all_inner_texts()) == ["gru-d-w48", "tcn-w48"]
    plain.click("a.name >> nth=0")
    plain.click("text=Curves >> nth=-1")
    expect(plain.locator("main")).to_contain_text("lowest")
    plain.click("summary >> text=Actions")
    expect(plain.locator("text=Lock run").first).to_be_visible()
    assert not plain.is_visible("#side-toggle")


@pytest.mark.once
def test_signing_in_wrongly_says_so(page: Page, logged: Logged):
    page.goto("/login/")
    page.get_by_label("E-mail").fill(ADA)
    page.get_by_label("Password").fill("nonsense")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value(ADA)


@pytest.mark.once
def test_a_part_that_is_refused_becomes_the_page_that_says_why(ada: Page, logged: Logged):
    ada.goto(f"/p/{PROJECT}/runs/")
    ada.get_by_role("search", name="Filter runs").evaluate(
        "form => form.insertAdjacentHTML('beforeend', '<input type=hidden name=after value=nonsense>')"
    )
    ada.get_by_label("Query", exact=True).press("Enter")
    expect(ada.get_by_role("heading", level=1)).to_have_text("This request makes no sense to MLED")
    expect(ada.locator("main")).to_contain_text("page token")


def test_the_curves_of_a_run_that_goes_on_follow_it(ada: Page, logged: Logged):
    from mlflow import MlflowClient

    client = MlflowClient(logged.live.tracking_uri("extremes"))
    run = client.create_run(client.create_experiment("going on"), run_name="live").info.run_id
    for step in range(2):
        client.log_metric(run, "loss", 1.0 - step / 10, step=step)
    ada.clock.install()
    ada.goto(f"/r/{run}/curves/")
    footer = ada.locator("figure", has_text="loss").locator("footer")
    expect(footer).to_contain_text("2 points")
    client.log_metric(run, "loss", 0.7, step=2)
    ada.clock.run_for(11_000)
    expect(footer).to_contain_text("3 points")
    client.set_terminated(run)
