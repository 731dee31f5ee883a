"""The run table: found, filtered, sorted, in chosen columns, page by page; all in the address."""

import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from experiments.actions.batches import log_batch
from experiments.actions.experiments import create_experiment, set_metric_direction
from experiments.actions.runs import delete_run
from experiments.actions.saved_views import KEPT, checked_query
from experiments.models import Run
from experiments.pages import questions
from experiments.pages.asked import Asked
from tests.factories import STARTED_MS, Team, a_batch, a_run, default_experiment
from tests.pages.conftest import Browser, Page, address


def names(page: Page) -> list[str]:
    """The runs of the table, top to bottom."""
    return re.findall(r'<a class="name"[^>]*>([^<]+)</a>', page.source)


@pytest.fixture
def five(team: Team) -> list[Run]:
    """Five runs, r0 oldest and worst, with lr and val/acc."""
    made = []
    for number in range(5):
        run = a_run(team.scientist, name=f"r{number}", started_ms=STARTED_MS + number)
        batch = a_batch(params={"lr": str(10**-number)}, **{"val/acc": [0.5 + number / 10]})
        log_batch(team.scientist, run, batch=batch)
        made.append(run)
    return made


def test_newest_come_first_with_their_metrics_and_params(ada: Browser, team: Team, five):
    table = ada.get(address(team.project, "runs/"))
    assert names(table) == ["r4", "r3", "r2", "r1", "r0"]
    assert "5 runs" in table
    assert "val/acc" in table
    assert "0.9000" in table
    assert "0.0001" in table


def test_a_query_filters(ada: Browser, team: Team, five):
    assert names(ada.get(address(team.project, "runs/"), q="metrics.`val/acc` >= 0.8")) == ["r4", "r3"]
    assert names(ada.get(address(team.project, "runs/"), q="params.lr = '1' OR params.lr = '0.1'")) == ["r1", "r0"]


def test_a_wrong_query_is_underlined_and_the_last_good_rows_stay(ada: Browser, team: Team, five):
    page = ada.get(address(team.project, "runs/"), q="metrics.acc > high", good="metrics.`val/acc` >= 0.8")
    assert names(page) == ["r4", "r3"]
    assert '<span class="err">high</span>' in page.source
    assert "Column 15" in page
    assert page.field("query") == "metrics.acc > high"
    assert 'aria-invalid="true"' in page.source


def test_a_wrong_query_without_a_good_one_shows_all(ada: Browser, team: Team, five):
    page = ada.get(address(team.project, "runs/"), q="AND", good="OR")
    assert len(names(page)) == 5
    assert "no filter" in page


def test_heads_sort_first_the_natural_way_then_the_other_then_not(ada: Browser, team: Team, five):
    path = address(team.project, "runs/")
    best_first = ada.get(path, sort="-metrics.val/acc")
    assert names(best_first) == ["r4", "r3", "r2", "r1", "r0"]
    assert 'aria-sort="descending"' in best_first.source
    assert any(link.endswith("sort=metrics.val/acc") for link in best_first.links("sort="))
    assert names(ada.get(path, sort="metrics.val/acc"))[0] == "r0"
    assert names(ada.get(path, sort="-params.lr"))[0] == "r0"
    assert names(ada.get(path, sort="name")) == ["r0", "r1", "r2", "r3", "r4"]


def test_an_unknown_sort_or_column_is_left_out(ada: Browser, team: Team, five):
    page = ada.get(address(team.project, "runs/"), sort="-nonsense", columns=["nonsense", "params.lr"])
    assert len(names(page)) == 5
    assert "val/acc" not in page.source.split("<thead>")[1].split("</thead>")[0]


def test_chosen_columns_are_shown_and_kept_by_the_other_controls(ada: Browser, team: Team, five):
    page = ada.get(address(team.project, "runs/"), columns=["params.lr", "user"], q="r3")
    head = page.source.split("<thead>")[1].split("</thead>")[0]
    assert ">lr</span></a>" in head
    assert ">User</span></a>" in head
    assert "val/acc" not in head
    assert all("columns=params.lr" in link for link in page.links("sort="))


def test_the_best_value_bears_a_star_once_the_direction_is_known(ada: Browser, team: Team, five):
    path = address(team.project, "runs/")
    assert " best" not in ada.get(path).source.split("<tbody>")[1].split("</tbody>")[0]
    set_metric_direction(team.scientist, team.project, key="val/acc", higher_is_better=True)
    assert re.search(r'class="[^"]*\bn best\b[^>]*>0\.9000<', ada.get(path).source)


def test_one_experiment_has_its_own_table(ada: Browser, team: Team, five):
    other = create_experiment(team.scientist, team.project, name="ablation/dropout")
    a_run(team.scientist, other, name="alone")
    page = ada.get(address(team.project, "runs/"), experiment=other.pk)
    assert names(page) == ["alone"]
    assert "ablation/dropout" in page
    both = ada.get(address(team.project, "runs/"), experiment=[other.pk, default_experiment(team.project).pk])
    assert len(names(both)) == 6


def test_the_default_experiment_is_also_called_0_as_clients_do(ada: Browser, team: Team, five):
    a_run(team.scientist, create_experiment(team.scientist, team.project, name="other"), name="elsewhere")
    page = ada.get(address(team.project, "runs/"), experiment=0)
    assert len(names(page)) == 5
    assert "Default" in page


def test_deleted_runs_have_a_view_of_their_own(ada: Browser, team: Team, five):
    delete_run(team.scientist, five[0])
    path = address(team.project, "runs/")
    assert "r0" not in names(ada.get(path))
    assert names(ada.get(path, view="deleted")) == ["r0"]
    assert len(names(ada.get(path, view="all"))) == 5


def test_pages_do_not_overlap_and_none_is_skipped(ada: Browser, team: Team, five, monkeypatch):
    monkeypatch.setattr(questions, "A_PAGE", 2)
    seen, path = [], address(team.project, "runs/") + "?sort=metrics.val/acc"
    for _ in range(3):
        page = ada.get(path)
        assert "5 runs" in page
        seen += names(page)
        path = next(iter(page.links("after=")), "")
    assert seen == ["r0", "r1", "r2", "r3", "r4"]
    assert path == ""


def test_a_page_token_of_another_question_is_a_mistake(ada: Browser, team: Team, five, monkeypatch):
    monkeypatch.setattr(questions, "A_PAGE", 2)
    token = ada.get(address(team.project, "runs/")).links("after=")[0].split("after=")[1]
    wrong = ada.get(address(team.project, "runs/"), expecting=400, after=token, q="r1")
    assert "another query" in wrong


def test_an_empty_project_says_how_to_log(ada: Browser, team: Team):
    page = ada.get(address(team.project, "runs/"))
    assert "No run yet" in page
    assert f"http://testserver/mlflow/{team.project.slug}" in page
    assert "Make a token for it" in page


def test_an_auditor_is_not_offered_what_only_scientists_do(team: Team):
    page = Browser(team.auditor).get(address(team.project, "runs/"))
    assert "No run yet" in page
    assert "Make a token for it" not in page


def test_no_match_offers_the_way_back(ada: Browser, team: Team, five):
    page = ada.get(address(team.project, "runs/"), q="metrics.`val/acc` > 5")
    assert "No run matches" in page
    assert page.links("/runs/")


def test_the_table_takes_as_many_queries_for_one_run_as_for_many(ada: Browser, team: Team):
    path = address(team.project, "runs/")
    ada.get(path)
    counts = []
    for _ in range(2):
        a_run_with_all(team)
        counts.append(queries_of(lambda: ada.get(path)))
    assert counts[0] == counts[1]
    assert counts[1] <= 27


def a_run_with_all(team: Team) -> None:
    run = a_run(team.scientist)
    log_batch(team.scientist, run, batch=a_batch(params={"lr": "1"}, tags={"t": "1"}, loss=[1.0]))


def queries_of(look) -> int:
    with CaptureQueriesContext(connection) as asked:
        look()
    return len(asked)


EVERYTHING = {
    "q": "metrics.loss < 3",
    "lifecycle": "all",
    "view": "charts",
    "count": "20",
    "hide": ["VIS-3", "VIS-1"],
    "show": ["VIS-40"],
    "panel": ["panel=scatter;x=params.lr", "panel=box;x=params.arch"],
    "tree": "1",
    "smooth": "0.6",
    "group": ["params.arch"],
    "sort": "-created",
}


def asked(**fields: object) -> Asked:
    return Asked.parse("/runs/", QueryDict(urlencode(fields, doseq=True)))


def test_everything_asked_is_kept_by_every_link_and_by_views():
    one = asked(**EVERYTHING)
    again = Asked.parse("/runs/", QueryDict(one.query_string))
    assert again == one
    kept = {name for name, _ in one.all_kept()}
    assert kept == set(EVERYTHING)
    assert kept <= KEPT
    assert sorted(parse_qsl(checked_query(one.query_string))) == sorted(one.all_kept())
    table = {key: url for key, _, url in one.views}["table"]
    assert Asked.parse("/runs/", QueryDict(table.partition("?")[2])) == replace(one, view="table")


def test_addresses_of_old_still_name_the_lifecycle_as_view():
    assert asked(view="deleted").lifecycle == "deleted"
    assert asked(view="deleted").view == "table"
    assert asked(view="charts").lifecycle == "active"
    assert asked(view="nonsense", lifecycle="nonsense", count="7", hide="no id", tree="yes") == asked()


def test_eyes_turn_over_within_and_beyond_the_first_runs():
    first = asked()
    assert [first.draws(f"VIS-{place}", place) for place in (0, 9, 10)] == [True, True, False]
    shut = asked(hide="vis-2")
    assert "hide=VIS-2" in first.eye_url("VIS-2", 1)
    assert "hide" not in shut.eye_url("VIS-2", 1)
    assert not shut.draws("VIS-2", 1)
    further = asked(show="VIS-40,VIS-41")
    assert further.draws("VIS-40", 39)
    assert "show=VIS-41" in further.eye_url("VIS-40", 39)
    assert "VIS-40" not in further.eye_url("VIS-40", 39)
    assert "show=VIS-9" in first.eye_url("VIS-9", 12)
