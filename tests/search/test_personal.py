"""`mine` and `starred`: the same words, another answer for each who asks."""

import pytest

from experiments.actions.stars import star_run
from experiments.queries.search import Page, count_runs, search_runs
from kernel.actor import operator
from tests.factories import a_member, a_run, a_team, default_experiment

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


def found(viewer, text: str, **more) -> list[str]:
    page: Page = search_runs(viewer, text=text, order=["name"], **more)
    return [run.name for run in page.rows]


def test_each_finds_their_own_runs_and_stars(team):
    ben = a_member(team.project, name="Ben")
    place = default_experiment(team.project)
    of_ada = [a_run(team.scientist, place, name=name) for name in ("a1", "a2")]
    of_ben = a_run(ben, place, name="b1")
    star_run(team.scientist, of_ben)
    star_run(ben, of_ada[0])
    star_run(ben, of_ben)
    assert found(team.scientist, "mine = true") == ["a1", "a2"]
    assert found(ben, "mine = true") == ["b1"]
    assert found(ben, "NOT mine = true") == found(ben, "mine = false") == found(ben, "mine != true") == ["a1", "a2"]
    assert found(team.scientist, "starred = true") == ["b1"]
    assert found(ben, "starred = true") == ["a1", "b1"]
    assert found(ben, "starred = true AND NOT mine = true") == ["a1"]
    assert found(team.manager, "starred = true OR mine = true") == []
    assert count_runs(ben, text="starred = true", project=team.project).number == 2


def test_starred_runs_can_come_first_page_after_page(team):
    runs = [a_run(team.scientist, name=f"r{at}", started_ms=at) for at in range(5)]
    for run in (runs[3], runs[1]):
        star_run(team.scientist, run)
    names, after = [], None
    for _ in range(5):
        page = search_runs(team.scientist, order=["starred DESC"], limit=1, after=after, project=team.project)
        names += [run.name for run in page.rows]
        after = page.next_token
    assert names == ["r3", "r1", "r4", "r2", "r0"]
    assert after is None


def test_who_is_no_person_has_neither(team):
    a_run(team.scientist)
    assert count_runs(operator(), text="mine = true OR starred = true", project=team.project).number == 0
    assert count_runs(operator(), text="NOT starred = true", project=team.project).number == 1


def test_a_star_leads_nobody_to_a_run_out_of_their_sight(team):
    other = a_team()
    hidden = a_run(team.scientist, name="hidden")
    star_run(team.scientist, hidden)
    assert found(other.scientist, "starred = true") == []
