"""Chips and the query line say the same: conditions one by one, and a form that writes further ones."""

import html
import re

import pytest

from experiments.actions.batches import log_batch
from tests.factories import STARTED_MS, Team, a_batch, a_run, user_of
from tests.pages.conftest import Browser, Page, address
from tests.pages.test_run_table import names


@pytest.fixture
def three(team: Team):
    for number in range(3):
        run = a_run(team.scientist, name=f"r{number}", started_ms=STARTED_MS + number)
        tags = {"stage": "draft"} if number else {}
        log_batch(team.scientist, run, batch=a_batch(tags=tags, **{"val/acc": [number / 10, 0.5]}))


def chips(page: Page) -> list[tuple[str, str]]:
    """(its words, where its removal leads) of each."""
    found = re.findall(r'<span class="m-chip" title="([^"]*)">.*?<a href="([^"]*)"', page.source, re.S)
    return [(html.unescape(words), html.unescape(url)) for words, url in found]


def add(who: Browser, team: Team, **fields) -> Page:
    """Fill the form and press its button."""
    went = who.client.get(address(team.project, "runs/"), {"add": "1", **fields}, follow=True)
    assert "add" not in went.request["QUERY_STRING"]
    return who._page(went, 200)


def test_each_condition_is_a_chip_and_can_be_taken_out(ada: Browser, team: Team, three):
    query = "status = 'running' AND (name = 'r1' OR name = 'r2') AND tags.stage IS NOT NULL AND NOT name = 'r2'"
    page = ada.get(address(team.project, "runs/"), q=query, sort="name")
    assert names(page) == ["r1"]
    assert len(chips(page)) == 4
    without_not = ada.get(chips(page)[3][1])
    assert names(without_not) == ["r1", "r2"]
    assert len(chips(without_not)) == 3
    assert "sort=name" in chips(page)[0][1]


def test_no_query_has_no_chip_and_the_last_one_leaves_none(ada: Browser, team: Team, three):
    assert chips(ada.get(address(team.project, "runs/"))) == []
    (only,) = chips(ada.get(address(team.project, "runs/"), q="r1"))
    assert len(names(ada.get(only[1]))) == 3


def test_a_query_that_is_not_understood_has_no_chips(ada: Browser, team: Team, three):
    assert chips(ada.get(address(team.project, "runs/"), q="AND AND")) == []


@pytest.mark.parametrize(
    ("fields", "query", "found"),
    [
        ({"add_status": "running"}, "status = 'running'", ["r2", "r1", "r0"]),
        ({"add_tag": "stage"}, "tags.stage IS NOT NULL", ["r2", "r1"]),
        ({"add_tag": "stage", "add_value": "it's"}, "tags.stage = 'it''s'", []),
        (
            {"add_metric": "val/acc", "add_figure": "min", "add_low": "0.1", "add_high": "0.15"},
            "min(metrics.`val/acc`) >= 0.1 AND min(metrics.`val/acc`) <= 0.15",
            ["r1"],
        ),
        ({"add_since": "7d"}, "created > '7d'", []),
        ({"add_status": "gone", "add_figure": "odd", "add_since": "9y"}, "", ["r2", "r1", "r0"]),
    ],
)
def test_the_form_writes_into_the_query_line(ada: Browser, team: Team, three, fields, query, found):
    page = add(ada, team, **fields)
    assert page.field("query") == query
    assert names(page) == found


def test_what_the_form_adds_joins_the_query_that_stands(ada: Browser, team: Team, three):
    page = add(ada, team, q="name = 'r0' OR name = 'r1'", add_tag="stage")
    assert page.field("query") == "(name = 'r0' OR name = 'r1') AND tags.stage IS NOT NULL"
    assert names(page) == ["r1"]


def test_my_runs_are_those_of_ones_own_address(ada: Browser, team: Team, three):
    a_run(team.engineer, name="theirs")
    page = add(ada, team, add_mine="1")
    assert page.field("query") == f"user = '{user_of(team.scientist).email}'"
    assert names(page) == ["r2", "r1", "r0"]


def test_a_bound_that_is_no_number_is_underlined_in_the_query(ada: Browser, team: Team, three):
    page = add(ada, team, q="r1", add_metric="val/acc", add_low="high")
    assert 'aria-invalid="true"' in page.source
    assert names(page) == ["r1"]
