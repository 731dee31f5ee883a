"""The page that sets runs side by side."""

import csv
import io

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from tests.factories import a_batch, a_person, a_run, a_team, join
from tests.pages.conftest import Browser


def runs_of(team, *kinds):
    """A run for each (params, metrics)."""
    made = []
    for params, metrics in kinds:
        run = a_run(team.scientist)
        log_batch(team.scientist, run, batch=a_batch(params=params, **metrics))
        made.append(run)
    return made


def address(runs, **more):
    asked = "&".join(f"{name}={value}" for name, value in more.items())
    return f"/compare/?runs={','.join(run.readable_id for run in runs)}&{asked}"


def test_it_shows_what_differs_and_hides_what_is_the_same(team):
    runs = runs_of(team, ({"lr": "0.1", "depth": "3"}, {"loss": [0.5]}), ({"lr": "0.2", "depth": "3"}, {"loss": [0.4]}))
    page = Browser(team.scientist).get(address(runs))
    assert "1 of 2 parameters differ" in page
    assert ">lr " in page.source
    assert ">depth " not in page.source
    assert ">depth " in Browser(team.scientist).get(address(runs, identical=1)).source


def test_the_base_is_the_first_run_or_the_one_that_the_address_names(team):
    set_metric_direction(team.scientist, team.project, key="loss", higher_is_better=False)
    first, second = runs_of(team, ({}, {"loss": [0.5]}), ({}, {"loss": [0.25]}))
    client = Browser(team.scientist)
    assert "−0.2500, −50 %" in client.get(address([first, second]))
    assert "+0.2500, +100 %" in client.get(address([first, second], base=second.readable_id))


def test_the_figure_can_be_last_best_lowest_or_highest(team):
    set_metric_direction(team.scientist, team.project, key="acc", higher_is_better=True)
    runs = runs_of(team, ({}, {"acc": [0.7, 0.75, 0.6]}), ({}, {"acc": [0.1, 0.2, 0.3]}))
    client = Browser(team.scientist)
    for figure, value in (("last", "0.6000"), ("best", "0.7500"), ("min", "0.6000"), ("max", "0.7500")):
        context = client.get(address(runs, figure=figure)).response.context
        assert context["groups"][0].rows[0].cells[0].text == value


def test_more_than_ten_runs_become_rows(team):
    runs = runs_of(team, *(({"lr": str(n)}, {}) for n in range(11)))
    page = Browser(team.scientist).get(address(runs))
    assert 'aria-label="Runs by fields"' in page.source
    assert page.source.count("<tr>") == 12


def test_a_run_of_another_team_is_answered_like_one_that_is_not_there(team):
    other = a_team()
    mine, theirs = a_run(team.scientist), a_run(other.scientist)
    client = Browser(team.scientist)
    for ref in (theirs.readable_id, theirs.uid.hex, f"{theirs.project.key}-9999", "f" * 32):
        answer = client.get(f"/compare/?runs={mine.readable_id},{ref}", expecting=404)
        assert f"No run '{ref}' was found." in answer


def test_runs_of_several_projects_stand_beside_each_other_for_who_sees_both(team):
    other = a_team()
    runs = [a_run(team.scientist), a_run(other.scientist)]
    join(other.project, team.scientist, Role.DATA_SCIENTIST)
    page = Browser(team.scientist).get(address(runs))
    assert all(run.readable_id in page for run in runs)


def test_more_than_a_hundred_are_refused_in_words_and_kept_in_the_address(team):
    answer = Browser(team.scientist).get("/compare/?runs=" + ",".join(f"A-{n}" for n in range(101)))
    assert "At most 100 runs" in answer


def test_without_runs_it_says_how_to_choose_them(team):
    page = Browser(team.scientist).get("/compare/")
    assert "Choose runs to compare" in page
    assert page.links(f"/p/{team.project.slug}/runs/")


def test_a_run_is_added_by_its_id_and_named_once(team):
    first, second = runs_of(team, ({}, {}), ({}, {}))
    context = (
        Browser(team.scientist).get(f"{address([first])}&add={second.uid.hex}+{first.readable_id}").response.context
    )
    assert [column.run for column in context["columns"]] == [first, second]


def test_the_number_of_statements_does_not_grow_with_the_runs(team):
    few = runs_of(team, *(({"lr": str(n)}, {"loss": [n]}) for n in range(2)))
    many = few + runs_of(team, *(({"lr": str(n)}, {"loss": [n]}) for n in range(8)))
    client = Browser(team.scientist)
    client.get(address(few))
    counts = []
    for path in (address(few), address(many)):
        with CaptureQueriesContext(connection) as asked:
            client.get(path)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_the_csv_holds_every_field_and_starts_no_formula(team):
    runs = runs_of(team, ({"lr": "0.1", "cmd": "=1+1"}, {"loss": [0.5]}), ({"lr": "0.1"}, {}))
    answer = Browser(team.scientist).get(address(runs).replace("/compare/", "/compare/table.csv"))
    lines = list(csv.reader(io.StringIO(answer.source)))
    assert lines[0] == ["kind", "field", runs[0].readable_id, runs[1].readable_id]
    assert ["metric", "loss", "0.5", ""] in lines
    assert ["param", "lr", "0.1", "0.1"] in lines
    assert ["param", "cmd", "'=1+1", ""] in lines


def test_a_stranger_sees_none_of_it(team):
    run = a_run(team.scientist)
    Browser(a_person()).get(address([run]), expecting=404)
