"""From run to run of the list that one came from, and a run beside the table."""

from urllib.parse import unquote, urlencode

import pytest

from accounts.actions.members import add_member, remove_member
from accounts.models import Membership
from accounts.roles import Role
from experiments.actions.runs import delete_run
from experiments.models import Run
from experiments.queries import neighbours
from experiments.queries.neighbours import Question, neighbours_of
from experiments.queries.search import View
from kernel.actor import operator
from tests.factories import STARTED_MS, Team, a_batch, a_project, a_run, a_team, again, join, user_of
from tests.factories import log_batch as log
from tests.pages.conftest import Browser, address


@pytest.fixture
def five(team: Team) -> list[Run]:
    """Five runs, the oldest first; the older the smaller their loss."""
    made = [a_run(team.scientist, name=f"run {at}", started_ms=STARTED_MS + at) for at in range(5)]
    for at, run in enumerate(made):
        log(team.scientist, run, batch=a_batch(loss=[at / 10]))
    return made


@pytest.fixture(autouse=True)
def short_walks(monkeypatch):
    monkeypatch.setattr(neighbours, "_AT_ONCE", 2)
    monkeypatch.setattr(neighbours, "_KEPT_SECONDS", 0)


def page_of(run: Run, rest: str = "") -> str:
    return f"/r/{run.uid.hex}/{rest}"


def test_the_table_says_where_one_comes_from_and_the_run_where_one_is(ada: Browser, team: Team, five: list[Run]):
    table = ada.get(address(team.project, "runs/"), q="metrics.loss < 0.35", sort="metrics.loss")
    (link,) = set(table.links(page_of(five[2])))
    page = ada.get(link)
    assert "3 of 4" in page
    (before,), (after,) = page.links(page_of(five[1])), page.links(page_of(five[3]))
    assert "2 of 4" in ada.get(before)
    last = ada.get(after)
    assert "4 of 4" in last
    assert "No run behind it" in last
    assert ada.get(last.links(page_of(five[3], "params/"))[0]).links(page_of(five[2], "params/"))
    (back,) = {one for one in last.links("/runs/?") if one.endswith(f"#r-{five[3].readable_id}")}
    assert "metrics.loss < 0.35" in ada.get(back.partition("#")[0]).source.replace("&lt;", "<")


def test_a_long_question_is_packed_into_the_link_and_unpacked_on_the_way_back(
    ada: Browser, team: Team, five: list[Run]
):
    keys = [f"metrics.layer/{number:03}/norm" for number in range(200)]
    table = ada.get(f"{address(team.project, 'runs/')}?{urlencode([('columns', key) for key in keys])}")
    (link,) = set(table.links(page_of(five[2])))
    assert len(link) < 2_000
    page = ada.get(link)
    assert "3 of 5" in page
    (back,) = {one for one in page.links("/runs/?") if one.endswith(f"#r-{five[2].readable_id}")}
    assert keys[-1] in unquote(back)


@pytest.mark.parametrize("text", ["z.", "z.!!", "z.AAAA", "z.eJw", "z." + "A" * 7_000])
def test_what_was_never_packed_is_no_question(ada: Browser, five: list[Run], text: str):
    assert "1 of 5" in ada.get(page_of(five[4]), **{"from": text})


def test_without_a_list_there_are_no_steps(ada: Browser, five: list[Run]):
    assert "run in list" not in ada.get(page_of(five[2]))


def test_the_newest_stands_first_in_a_list_without_a_question(ada: Browser, five: list[Run]):
    page = ada.get(page_of(five[4]), **{"from": ""})
    assert "1 of 5" in page
    assert "No run before it" in page


def test_a_run_that_left_the_list_still_leads_on(ada: Browser, team: Team, five: list[Run]):
    page = ada.get(page_of(five[3]), **{"from": ""})  # the second: 4 3 2 1 0
    (here,) = ada.get(page.links(page_of(five[2]))[0]).links(page_of(five[3]))
    delete_run(team.scientist, five[3])
    gone = ada.get(here)
    assert "left the list of 4" in gone
    assert gone.links(page_of(five[4]))
    (after,) = gone.links(page_of(five[2]))
    assert "2 of 4" in ada.get(after)


@pytest.mark.parametrize("nonsense", ["q=%21%21", "after=x", "sort=nothing", "experiment=99999", "x" * 9000, "%00"])
def test_a_list_that_is_not_understood_takes_nothing_from_the_page(ada: Browser, five: list[Run], nonsense):
    assert five[0].name in ada.get(
        page_of(five[0]), **{"from": nonsense.replace("%21", "!").replace("%00", ""), "at": "x"}
    )


def test_the_table_of_all_runs_leads_through_the_runs_of_all_projects(ada: Browser, team: Team, five: list[Run]):
    other = a_project()
    join(other, team.scientist, Role.DATA_SCIENTIST)
    newest = a_run(again(team.scientist), project=other, started_ms=STARTED_MS + 99)
    page = ada.get(next(link for link in ada.get("/runs/").links(page_of(newest)) if "from=" in link))
    assert "1 of 6" in page
    (after,) = page.links(page_of(five[4]))
    following = ada.get(after)
    assert "2 of 6" in following
    assert following.links("/runs/?of=all")


def test_another_teams_runs_stand_in_no_list(ada: Browser, zoe: Browser, team: Team, five: list[Run]):
    from tests.factories import a_team

    theirs = a_run(a_team().scientist)
    page = ada.get(page_of(five[0]), **{"from": f"q=run_id != '{theirs.uid.hex}'"})
    assert "5 of 5" in page
    zoe.get(page_of(five[0]), expecting=404, **{"from": ""})
    zoe.get(page_of(five[0], "beside/"), expecting=404)


def test_a_run_beside_the_table_tells_most_and_is_the_page_for_who_has_no_script(ada: Browser, five: list[Run]):
    response = ada.client.get(page_of(five[1], "beside/"), {"from": ""}, headers={"HX-Request": "true"})
    words = response.content.decode()
    assert "<html" not in words
    assert "run 1" in words
    assert "0.1000" in words
    alone = ada.get(page_of(five[1], "beside/"), expecting=302, **{"from": ""})
    assert alone.response["Location"] == f"{page_of(five[1])}?from="


def test_a_list_that_is_kept_says_nothing_of_runs_that_are_out_of_sight_now(team: Team, five: list[Run], monkeypatch):
    monkeypatch.setattr(neighbours, "_KEPT_SECONDS", 60)
    other = a_team()
    add_member(operator(), other.project, role=Role.DATA_SCIENTIST, user=user_of(team.scientist))
    a_run(other.scientist, name="elsewhere", started_ms=STARTED_MS)
    everything = Question(None, None, "", ("start_time DESC",), View.ACTIVE_ONLY)
    assert neighbours_of(again(team.scientist), five[2], everything).total.number == 6
    remove_member(operator(), Membership.objects.get(project=other.project, user=user_of(team.scientist)))
    assert neighbours_of(again(team.scientist), five[2], everything).total.number == 5
