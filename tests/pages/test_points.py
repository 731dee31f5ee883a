"""The points of panels: fields of many runs as columns, for who may see them."""

import json

import pytest

from accounts.roles import Role
from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.compare.point_fields import point_field
from experiments.values import RunStatus
from tests.factories import a_batch, a_run, a_team, again, join
from tests.pages.conftest import Browser


@pytest.fixture
def sweep(team):
    """Six runs: lr is a number but once, arch a word, loss NaN in one of them, one run without anything."""
    for n, lr in enumerate(("0.1", "0.01", "1e-3", "0.5", "0.2", "auto")):
        run = a_run(team.scientist, name=f"run-{n}", status=RunStatus.FINISHED)
        params = {"lr": lr, "arch": ("gru", "tcn")[n % 2], "l2": str(n)}
        loss = [0.9, float("nan")] if n == 4 else [0.9, 0.2 + n / 10, 0.3 + n / 10]
        log_batch(team.scientist, run, batch=a_batch(params=params, tags={"team": "vision"}, loss=loss))
    a_run(team.scientist, name="empty")
    return team


def points(browser: Browser, path: str, expecting: int = 200, **query: object) -> dict:
    page = browser.get(path, expecting, **query)
    assert page.response["Content-Type"] == "application/json"
    return json.loads(page.source)


def address(team) -> str:
    return f"/p/{team.project.slug}/points.json"


def column(found: dict, key: str) -> dict:
    return next(one for one in found["fields"] if one["key"] == key)


def test_fields_come_as_columns_in_the_order_of_the_table(sweep):
    keys = ["params.l2", "params.arch", "metrics.loss.last", "metrics.loss.min", "tags.team", "status", "duration"]
    found = points(Browser(sweep.scientist), address(sweep), field=keys, sort="name")
    assert [run["name"] for run in found["runs"]] == ["empty", *(f"run-{n}" for n in range(6))]
    assert [one["key"] for one in found["fields"]] == keys
    assert column(found, "params.l2")["values"] == [None, 0, 1, 2, 3, 4, 5]
    assert column(found, "params.arch")["values"] == [None, "gru", "tcn", "gru", "tcn", "gru", "tcn"]
    assert column(found, "metrics.loss.min")["values"][1:4] == pytest.approx([0.2, 0.3, 0.4])
    assert column(found, "metrics.loss.last")["values"][5] is None
    assert column(found, "metrics.loss.last")["odd"] == {"5": "NaN"}
    assert column(found, "status")["asks"]["Finished"] == "status = 'finished'"
    assert column(found, "duration")["values"][1] == 60_000
    assert found["total"] == "7"
    assert not found["cut"]


def test_a_param_is_numbers_where_nearly_all_of_it_are(sweep):
    browser = Browser(sweep.scientist)
    words = column(points(browser, address(sweep), field="params.lr"), "params.lr")
    assert words["kind"] == "text"
    assert "1e-3" in words["values"]
    numbers = points(browser, address(sweep), field="params.lr", q="params.lr != 'auto'")
    assert column(numbers, "params.lr")["kind"] == "number"
    assert sorted(column(numbers, "params.lr")["values"]) == [0.001, 0.01, 0.1, 0.2, 0.5]


def test_it_follows_the_question_of_the_table_and_says_where_that_stands(sweep):
    found = points(Browser(sweep.scientist), address(sweep), q="params.arch = 'gru'", field="params.arch")
    assert column(found, "params.arch")["values"] == ["gru"] * 3
    assert found["query"] == "params.arch = 'gru'"
    assert found["table"] == f"/p/{sweep.project.slug}/runs/"


def test_the_best_is_by_the_direction_of_the_project_and_says_if_there_is_none(sweep):
    browser = Browser(sweep.scientist)
    unsaid = column(points(browser, address(sweep), field="metrics.loss.best", sort="name"), "metrics.loss.best")
    assert (unsaid["figure"], unsaid["better"]) == ("last", "")
    set_metric_direction(sweep.scientist, sweep.project, key="loss", higher_is_better=False)
    said = column(points(browser, address(sweep), field="metrics.loss.best", sort="name"), "metrics.loss.best")
    assert (said["figure"], said["better"]) == ("best", "lower")
    assert said["values"][1] == pytest.approx(0.2)


def test_the_fields_of_these_runs_are_offered(sweep):
    offered = points(Browser(sweep.scientist), address(sweep), offer="1")["offered"]
    assert {"params.lr", "params.arch", "metrics.loss", "tags.team", "dataset", "duration"} <= set(offered)
    assert not [key for key in offered if key.startswith("tags.mlflow.")]


def test_runs_of_several_projects_are_named_one_by_one(sweep):
    other = a_team()
    theirs = a_run(other.scientist, name="theirs", project=other.project)
    mine = a_run(sweep.scientist, name="mine")
    named = f"{theirs.readable_id},{mine.readable_id}"
    browser = Browser(sweep.scientist)
    browser.get("/points/data.json", 404, runs=named)
    join(other.project, sweep.scientist, Role.AUDITOR)
    both = points(Browser(again(sweep.scientist)), "/points/data.json", runs=named, field="params.lr")
    assert [run["name"] for run in both["runs"]] == ["theirs", "mine"]
    assert both["table"] == "/runs/"
    assert both["query"] == f"id IN ('{theirs.readable_id}', '{mine.readable_id}')"
    found = points(browser, "/points/data.json", runs=mine.readable_id, field="experiment")
    assert [run["id"] for run in found["runs"]] == [mine.readable_id]
    assert found["table"] == f"/p/{sweep.project.slug}/runs/"
    assert points(browser, "/points/data.json")["runs"] == []


def test_a_stranger_gets_no_points(sweep, zoe):
    zoe.get(address(sweep), 404)
    run = a_run(sweep.scientist)
    zoe.get("/points/data.json", 404, runs=run.readable_id)


def test_what_is_wrong_with_a_question_is_said(sweep):
    browser = Browser(sweep.scientist)
    browser.get(address(sweep), 400, q="params.lr <")
    browser.get(address(sweep), 400, field=[f"params.p{n}" for n in range(41)])
    assert points(browser, address(sweep), field=["nonsense", "params.", "params.a`b"])["fields"] == []


def test_a_page_of_ten_thousand_runs_says_that_more_match(sweep, monkeypatch):
    monkeypatch.setattr("experiments.pages.points.RUNS_MAX", 4)
    found = points(Browser(sweep.scientist), address(sweep))
    assert (len(found["runs"]), found["cut"], found["total"]) == (4, True, "7")


def test_the_number_of_statements_does_not_grow_with_runs(sweep, django_assert_max_num_queries):
    browser = Browser(sweep.scientist)
    fields = ["params.lr", "params.arch", "metrics.loss.min", "tags.team", "dataset", "started"]
    points(browser, address(sweep), field=fields)
    with django_assert_max_num_queries(14):
        points(browser, address(sweep), field=fields)


def test_data_stands_by_its_versions(team):
    run = a_run(team.scientist)
    log_inputs(team.scientist, run, inputs=[DatasetInput(name=name, digest="d1") for name in ("wards", "icu")])
    found = points(Browser(team.scientist), address(team), field="dataset")
    assert column(found, "dataset")["values"] == ["icu v1, wards v1"]


def test_the_first_twelve_runs_have_colours_of_their_own(team):
    for _ in range(14):
        a_run(team.scientist)
    slots = [run["slot"] for run in points(Browser(team.scientist), address(team))["runs"]]
    assert sorted(slots[:12]) == list(range(1, 13))


def test_keys_name_fields():
    assert point_field("metrics.val/auroc.best") is not None
    field = point_field("metrics.a.b")
    assert field is not None
    assert (field.name, field.figure) == ("a.b", "last")
    dotted = point_field("metrics.a.min.last")
    assert dotted is not None
    assert (dotted.name, dotted.figure) == ("a.min", "last")
    assert point_field("metrics.last") is not None
    assert point_field("lr") is None
