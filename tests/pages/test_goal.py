"""A project's goal on its first page, and the form where a manager says it."""

import datetime as dt
import re

import pytest

from accounts.models import Project
from experiments.actions.batches import log_batch
from experiments.actions.goals import set_goal
from experiments.actions.runs import update_run
from experiments.values import RunStatus
from kernel.clock import now, now_ms
from tests.factories import Team, a_batch, a_run
from tests.pages.conftest import Browser, address

DAY_MS = 24 * 3600 * 1000


def fresh(team: Team) -> Project:
    return Project.objects.get(pk=team.project.pk)


def measured(team: Team, value: float, *, days_ago: int, name: str) -> None:
    run = a_run(team.scientist, name=name, started_ms=now_ms() - days_ago * DAY_MS - 1000)
    log_batch(team.scientist, run, batch=a_batch(acc=[value]))
    update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=now_ms() - days_ago * DAY_MS)


def fields(browser: Browser, team: Team, **other: object) -> dict[str, object]:
    before = browser.get(address(team.project, "goal/")).field("id_before")
    return {"metric": "acc", "better": "higher", "target": "0.9", "by_date": "", "before": before} | other


def test_without_a_goal_the_page_says_what_it_would_show_and_leads_a_manager_there(team: Team):
    page = Browser(team.manager).get(address(team.project))
    assert "No goal yet" in page
    assert page.links("/goal/") == [address(team.project, "goal/")]
    other = Browser(team.scientist).get(address(team.project))
    assert "A project manager sets it." in other
    assert other.links("/goal/") == []


def test_a_manager_sets_the_goal_and_everybody_sees_the_best_against_it(team: Team):
    mona, day = Browser(team.manager), now().date() + dt.timedelta(days=10)
    page = mona.follow(address(team.project, "goal/"), **fields(mona, team, by_date=day.isoformat()))
    assert "is saved." in page
    assert "No finished run has logged acc yet" in page
    measured(team, 0.5, days_ago=30, name="first")
    measured(team, 0.8, days_ago=3, name="second")
    for who in (team.manager, team.scientist, team.engineer, team.auditor):
        page = Browser(who).get(address(team.project))
        assert "On the way" in page
        assert "0.8000 of 0.9000 target" in page
        assert "10 days left" in page
        assert "▲ 0.3000 in 14 days" in page
        assert 'aria-label="Best acc: from 0.5000' in page.source
        assert page.source.count('class="pt"') == 2
    measured(team, 0.91, days_ago=1, name="third")
    assert "Reached" in Browser(team.scientist).get(address(team.project))


def test_a_day_that_passed_is_late(team: Team):
    yesterday = now().date() - dt.timedelta(days=1)
    set_goal(team.manager, team.project, metric="acc", higher_is_better=True, target=0.9, by_date=yesterday)
    page = Browser(team.scientist).get(address(team.project))
    assert "Late" in page
    assert "1 day ago" in page


def test_an_administrator_sees_the_goal_and_no_result(team: Team):
    measured(team, 0.8, days_ago=3, name="second")
    set_goal(team.manager, team.project, metric="acc", higher_is_better=True, target=0.9)
    page = Browser(team.administrator).get(address(team.project))
    assert "acc, target 0.9000" in page
    assert "0.8000" not in page


def test_the_second_of_two_managers_sees_what_the_first_said_and_saves_again(team: Team):
    mona = Browser(team.manager)
    mine = fields(mona, team, target="0.95")
    set_goal(team.manager, team.project, metric="acc", higher_is_better=True, target=0.7)
    page = mona.post(address(team.project, "goal/"), expecting=200, **mine)
    assert "Somebody changed the goal meanwhile" in page
    assert "It is now acc, target 0.7000" in page
    assert page.field("id_target") == "0.95"
    mona.post(address(team.project, "goal/"), **(mine | {"before": page.field("id_before")}))
    assert fresh(team).goal_target == 0.95


def test_clearing_is_refused_where_the_goal_changed_and_done_where_it_did_not(team: Team):
    mona, here = Browser(team.manager), address(team.project, "goal/")
    set_goal(team.manager, team.project, metric="acc", higher_is_better=True, target=0.7)
    before = mona.get(here).field("id_before")
    set_goal(team.manager, team.project, metric="acc", higher_is_better=True, target=0.8)
    page = mona.post(here, expecting=200, clear="1", before=before)
    assert "Somebody changed the goal meanwhile" in page
    assert page.field("id_metric") == "acc"
    assert "has no goal now" in mona.follow(here, clear="1", before=page.field("id_before"), reason="The study ended.")
    assert fresh(team).goal_metric == ""


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"target": "much"}, "Enter a number."), ({"target": "nan"}, "Enter a number."), ({"metric": ""}, "required"),
     ({"metric": "a//b"}, "not a plain path"), ({"by_date": "soon"}, "Enter a valid date.")],
)  # fmt: skip
def test_what_cannot_be_kept_is_told_beside_its_field(team: Team, wrong, words):
    mona = Browser(team.manager)
    page = mona.post(address(team.project, "goal/"), expecting=200, **fields(mona, team, **wrong))
    assert words in page
    assert "invalid-feedback" in page.source
    assert fresh(team).goal_metric == ""


@pytest.mark.parametrize("who", ["scientist", "engineer", "auditor", "administrator"])
def test_others_of_the_project_may_not(team: Team, who: str):
    browser, here = Browser(getattr(team, who)), address(team.project, "goal/")
    browser.get(here, expecting=403)
    browser.post(here, expecting=403, metric="acc", better="higher", target="1", before="x")
    browser.post(here, expecting=403, clear="1")
    assert fresh(team).goal_metric == ""


def test_strangers_find_nothing(team: Team, zoe: Browser):
    zoe.get(address(team.project, "goal/"), expecting=404)
    zoe.post(address(team.project, "goal/"), expecting=404, clear="1")


@pytest.mark.parametrize("ended_ms", [1_763_900_000_000_000_000, 2**63 - 1, -(2**63), 253_402_300_800_000, 0])
def test_a_client_that_says_an_odd_time_of_its_end_spoils_no_page(team: Team, ended_ms: int):
    set_goal(team.manager, fresh(team), metric="acc", higher_is_better=True, target=0.9)
    measured(team, 0.5, days_ago=3, name="first")
    run = a_run(team.scientist, name="in nanoseconds")
    log_batch(team.scientist, run, batch=a_batch(acc=[0.4 if ended_ms <= 0 else 0.6]))
    update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=ended_ms)
    page = Browser(team.scientist).get(address(team.project))
    assert page.source.count('class="pt"') == 2
    places = [float(at) for at in re.findall(r'<circle class="pt" cx="([^"]*)"', page.source)]
    assert places == sorted(places)
    assert all(64 <= at <= 746 for at in places), "within the picture"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0.75, 0.93), ["0.7500", "0.8000", "0.8500", "0.9000"]),
        ((120_000.0, 180_000.0), ["120,000", "140,000", "160,000"]),
    ],
)
def test_the_axis_of_the_picture_has_round_values(team: Team, values, said):
    set_goal(team.manager, team.project, metric="acc", higher_is_better=True, target=0.95 * values[1])
    for at, value in enumerate(values):
        measured(team, value, days_ago=9 - at, name=f"run {at}")
    source = Browser(team.scientist).get(address(team.project)).source
    ticks = re.findall(r'<text x="56"[^>]*>([^<]*)</text>', source)
    assert ticks == sorted(ticks)
    assert set(said) <= set(ticks), ticks


@pytest.mark.parametrize(
    "values",
    [
        pytest.param((5e-324, 1e-323), id="the smallest two numbers"),
        pytest.param((1.0, 1.0000000000000002), id="neighbours"),
        pytest.param((0.0, 0.0), id="nothing but zero"),
        pytest.param((1.1e308, 1.7e308), id="the largest"),
        pytest.param((-1.7e308, 1.7e308), id="further apart than a number reaches"),
    ],
)
def test_ranges_that_are_tiny_or_endless_keep_the_picture_within_its_frame(team: Team, values):
    set_goal(team.manager, team.project, metric="acc", higher_is_better=True, target=values[1])
    for at, value in enumerate(values):
        measured(team, value, days_ago=9 - at, name=f"run {at}")
    source = Browser(team.scientist).get(address(team.project)).source
    heights = [float(at) for at in re.findall(r'<circle class="pt"[^>]* cy="([^"]*)"', source)]
    assert len(heights) == len(set(values))
    assert all(18 <= at <= 226 for at in heights), heights
    ticks = [float(at) for at in re.findall(r'<text x="56" y="([^"]*)"', source)]
    assert all(18 <= at <= 230 for at in ticks), ticks
