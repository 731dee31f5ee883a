"""Stars and one's own runs: in the table, on the run's page and on the first page."""

from experiments.actions.runs import lock_run
from experiments.actions.stars import star_run
from experiments.models import Star
from tests.factories import Team, a_member, a_run, events_since
from tests.pages.conftest import Browser, address
from tests.pages.test_run_table import names


def star(run) -> str:
    return f"/r/{run.uid.hex}/star/"


def test_a_star_is_set_and_taken_back_from_the_runs_page(ada: Browser, team: Team):
    run = a_run(team.scientist, name="good one")
    assert 'aria-pressed="true" aria-label="Star good one"' not in ada.get(f"/r/{run.uid.hex}/").source
    page = ada.follow(star(run), on="1")
    assert 'aria-pressed="true" aria-label="Star good one"' in page.source
    assert events_since(lambda: ada.follow(star(run), on="1")) == []
    page = ada.follow(star(run), on="0")
    assert 'aria-pressed="false" aria-label="Star good one"' in page.source
    assert events_since(lambda: ada.follow(star(run), on="0")) == []


def test_the_table_marks_ones_own_stars_and_comes_back_as_it_was(ada: Browser, team: Team):
    run, other = a_run(team.scientist, name="good one"), a_run(team.scientist, name="so so")
    back = f"{address(team.project, 'runs/')}?q=starred+%3D+true"
    page = ada.follow(star(run), on="1", next=back)
    assert names(page) == ["good one"]
    assert 'aria-label="Star good one"' in page.source
    star_run(team.engineer, other)
    assert names(ada.get(back)) == ["good one"]
    assert names(Browser(team.engineer).get(back)) == ["so so"]
    for wrong in ("https://evil.example.org/", "NaN"):
        assert ada.post(star(run), on="0", next=wrong).response["Location"] == f"/r/{run.uid.hex}/"


def test_a_script_gets_the_button_alone(ada: Browser, team: Team):
    run = a_run(team.scientist, name="good one")
    answer = ada.client.post(star(run), {"on": "1"}, headers={"hx-request": "true"})
    assert answer.content.startswith(b"<button")
    assert b'aria-pressed="true"' in answer.content
    assert b'value="0"' in answer.content


def test_a_locked_run_can_be_starred_and_a_hidden_one_cannot(ada: Browser, zoe: Browser, team: Team):
    run = a_run(team.scientist)
    lock_run(team.scientist, run)
    ada.follow(star(run), on="1")
    zoe.post(star(run), expecting=404, on="1")
    assert Star.objects.filter(run=run).count() == 1


def test_the_first_page_lists_starred_runs_and_ones_own(team: Team):
    ben = a_member(team.project, name="Ben")
    mine, theirs = a_run(ben, name="of Ben"), a_run(team.scientist, name="of Ada")
    home = Browser(ben).get("/")
    assert "My runs" in home
    assert "Starred" not in home
    star_run(ben, theirs)
    home = Browser(ben).get("/")
    assert "Starred only you see them" in home
    (own,) = home.links("mine+%3D+true")
    (starred,) = home.links("starred+%3D+true")
    assert names(Browser(ben).get(own)) == [mine.name]
    assert names(Browser(ben).get(starred)) == [theirs.name]
    assert "Starred" not in Browser(team.scientist).get("/")
