"""All runs that one may see, of all projects, in one table."""

import csv
import io

import pytest

from accounts.actions.members import add_member
from accounts.roles import Role
from experiments.actions.batches import log_batch
from experiments.actions.experiments import grant_access
from experiments.actions.runs import create_run
from kernel.actor import operator
from tests.factories import a_batch, a_person, a_run, a_team, again, an_experiment, events_since, user_of
from tests.pages.conftest import Browser
from tests.pages.test_run_table import names


@pytest.fixture
def two(db):
    """Ada's own team, another where she is too, and a third that she does not know."""
    teams = [a_team(), a_team(), a_team()]
    ada = teams[0].scientist
    add_member(operator(), teams[1].project, role=Role.DATA_SCIENTIST, user=user_of(ada))
    for at, team in enumerate(teams):
        run = a_run(team.scientist, project=team.project, name=f"run of {at}", started_ms=at + 1)
        log_batch(team.scientist, run, batch=a_batch(loss=[float(at)], params={f"only-{at}": str(at)}))
    return teams


@pytest.fixture
def ada(two) -> Browser:
    return Browser(again(two[0].scientist))


def exported(browser: Browser, query: str) -> str:
    page = browser.get(f"/runs/export.csv{query}")
    return b"".join(page.response).decode("utf-8-sig")


def test_runs_of_all_ones_projects_stand_in_one_table_with_their_project(ada, two):
    page = ada.get("/runs/?sort=name")
    assert names(page) == ["run of 0", "run of 1"]
    for team in two[:2]:
        assert team.project.slug in page
    assert "2 runs" in page
    assert names(ada.get("/runs/?q=metrics.loss+%3E+0")) == ["run of 1"]
    assert names(ada.get(f"/runs/?q=project+%3D+'{two[1].project.slug}'")) == ["run of 1"]
    assert names(ada.get("/runs/?sort=-project&columns=project")) != []
    assert names(ada.get("/runs/?q=mine+%3D+true")) == ["run of 0"]


def test_a_foreign_project_shows_nowhere(ada, two):
    hidden = two[2].project
    for query in ("", "group=project", "group=experiment", "lifecycle=all", f"q=project+%3D+'{hidden.slug}'", "tree=1"):
        page = ada.get(f"/runs/?{query}")
        assert "run of 2" not in page, query
        assert "only-2" not in page.source, query
        if query.startswith("q="):
            assert "No run matches" in page
        else:
            assert hidden.slug not in page.source
            assert "2 runs" in page
    assert exported(ada, "").count("run of") == 2
    assert "only-2" not in exported(ada, "?all=1")


def test_a_guest_of_one_experiment_sees_its_runs_here(two):
    place = an_experiment(two[2].scientist)
    create_run(two[2].scientist, place, name="shown to Gerd")
    guest = a_person("Gerd")
    grant_access(two[2].manager, place, user=user_of(guest), reason="a look")
    assert names(Browser(again(guest)).get("/runs/")) == ["shown to Gerd"]


def test_runs_are_grouped_by_project(ada, two):
    page = ada.get("/runs/?group=project")
    for team in two[:2]:
        assert team.project.slug in page
    assert "2 groups" in page


def test_a_wrong_query_is_told_where_it_is_wrong(ada):
    page = ada.get("/runs/?q=metrics.loss+%3E%3E+1&good=mine+%3D+true")
    assert "query-problem" in page.source
    assert names(page) == ["run of 0"]


def test_the_file_is_on_record_in_each_project_that_is_in_it(ada, two):
    kept = events_since(lambda: exported(ada, "?q=metrics.loss+%3E%3D+0&columns=project&columns=metrics.loss"))
    assert {event.event.project_id for event in kept} == {team.project.pk for team in two[:2]}
    assert {event.verb for event in kept} == {"experiments.note_export"}
    rows = list(csv.DictReader(io.StringIO(exported(ada, "?sort=name"))))
    assert [(row["name"], row["project"]) for row in rows] == [
        ("run of 0", two[0].project.slug),
        ("run of 1", two[1].project.slug),
    ]
    alone = events_since(lambda: exported(ada, "?q=metrics.loss+%3D+0"))
    assert [event.event.project_id for event in alone] == [two[0].project.pk]


def test_how_one_likes_the_columns_is_kept_for_this_table(ada):
    page = ada.follow("/runs/columns/", do="width-200:metrics.loss", table="columns=metrics.loss")
    assert 'width="200"' in page.source


def test_nobody_without_an_account_comes_here(db):
    assert "/login/" in Browser().get("/runs/", expecting=302).response["Location"]
