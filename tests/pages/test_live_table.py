"""What is new since the run table was drawn: how many runs, and the cells that changed, each in its old row."""

import html
import re

import pytest

from experiments.actions.batches import log_batch
from experiments.actions.runs import set_tags, update_run
from experiments.models import Run
from experiments.pages import live
from experiments.queries.changes import changed_numbers
from experiments.values import RunStatus
from kernel.clock import now_ms
from tests.factories import STARTED_MS, Team, a_batch, a_run
from tests.pages.conftest import Browser, Page, address
from tests.pages.test_run_table import names, queries_of

COLUMNS = ["metrics.loss", "tags.stage", "params.lr"]


@pytest.fixture
def three(team: Team) -> list[Run]:
    """Finished runs r0 and r1, and r2 that still runs."""
    made = []
    for number in range(3):
        run = a_run(team.scientist, name=f"r{number}", started_ms=STARTED_MS + number)
        log_batch(team.scientist, run, batch=a_batch(params={"lr": "0.1"}, loss=[0.5 + number / 10]))
        made.append(run if number == 2 else update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=1))
    return made


def strip(page: Page) -> dict[str, str]:
    tag = re.search(r'<div id="newer"[^>]*>', page.source)
    assert tag
    return {name: html.unescape(value) for name, value in re.findall(r'data-([a-z]+)="([^"]*)"', tag.group(0))}


def again(browser: Browser, held: dict[str, str], runs: list[Run], **but: str) -> Page:
    told = {"since": held["since"], "number": held["number"], "rows": ",".join(str(run.number) for run in runs), **but}
    return browser.get(f"{held['live']}&{'&'.join(f'{name}={value}' for name, value in told.items())}")


def refs(page: Page) -> list[str]:
    return re.findall(r'data-ref="([^"]+)"', page.source)


def open_table(browser: Browser, team: Team, **asked: object) -> dict[str, str]:
    held = strip(browser.get(address(team.project, "runs/"), **{"columns": COLUMNS, **asked}))
    return {**held, "since": str(now_ms())}  # what happened while the world was made is old


def test_new_runs_that_match_are_counted(ada: Browser, team: Team, three):
    held = open_table(ada, team, q="metrics.loss < 1")
    assert strip(again(ada, held, three))["new"] == "0"
    for loss in (0.1, 0.2, 7.0):
        log_batch(team.scientist, a_run(team.scientist, name="late"), batch=a_batch(loss=[loss]))
    told = again(ada, held, three)
    assert strip(told)["new"] == "2"
    assert int(strip(told)["since"]) <= now_ms()


def test_only_rows_that_changed_come_again_and_running_ones(ada: Browser, team: Team, three):
    held = open_table(ada, team)
    first = again(ada, held, three)
    assert refs(first) == [three[2].readable_id]
    assert strip(first)["columns"] == held["columns"]
    set_tags(team.scientist, three[0], tags={"stage": "candidate"})
    log_batch(team.scientist, three[2], batch=a_batch(loss=[0.7, 0.0625]))
    told = again(ada, held, three)
    assert refs(told) == [three[0].readable_id, three[2].readable_id]
    assert "candidate" in told
    assert "0.0625" in told
    assert names(told) == ["r0", "r2"]


def test_the_past_and_other_projects_change_nothing(team: Team, three):
    numbers = [run.number for run in three]
    update_run(team.scientist, three[2], status=RunStatus.FINISHED, ended_ms=2)
    assert changed_numbers(team.scientist, team.project, numbers, since_ms=now_ms() + 60_000) == []
    assert sorted(changed_numbers(team.scientist, team.project, numbers, since_ms=0)) == numbers


def test_a_table_of_very_many_columns_is_told_of_new_runs_alone(ada: Browser, team: Team, three, monkeypatch):
    monkeypatch.setattr(live, "COLUMNS_MAX", 2)
    held = open_table(ada, team)
    assert "columns=" not in held["live"]
    assert refs(again(ada, held, three)) == []


@pytest.mark.parametrize("wrong", [{"rows": "x,,-1,99999999999999999999"}, {"since": "soon"}, {"number": "all"}])
def test_what_makes_no_sense_is_left_out(ada: Browser, team: Team, three, wrong):
    assert strip(again(ada, open_table(ada, team), three, **wrong))["new"] == "0"


def test_a_wrong_query_and_a_later_page_ask_for_nothing(ada: Browser, team: Team, three):
    assert 'id="newer"' not in ada.get(address(team.project, "runs/"), q="AND").source
    assert strip(ada.get(address(team.project, "runs/newer/"), q="AND", number="0"))["new"] == "0"


def test_a_quiet_moment_costs_few_queries(ada: Browser, team: Team, three):
    update_run(team.scientist, three[2], status=RunStatus.FINISHED, ended_ms=2)
    held = open_table(ada, team)
    again(ada, held, three)
    assert queries_of(lambda: again(ada, held, three)) <= 12


def test_only_members_learn_what_is_new(team: Team, zoe: Browser, three):
    zoe.get(address(team.project, "runs/newer/"), expecting=404, number=0, rows="1")
