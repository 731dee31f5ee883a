"""What comes with a page of runs, at what cost."""

import math

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from experiments.actions.runs import create_run
from experiments.models import Run
from experiments.queries import search
from experiments.queries.search import Dialect, count_runs, load_run_data, search_runs
from experiments.search import databases
from experiments.search.columns import Column, Kind
from experiments.search.errors import QueryError
from experiments.search.vocabularies import RUNS
from kernel.errors import Invalid
from tests.search.conftest import store
from tests.search.reference import PlainRun
from tests.search.zoo import ANIMALS, found, names

FULL, MLFLOW = Dialect.FULL, Dialect.MLFLOW


def test_a_page_comes_with_its_data_in_four_statements(zoo):
    page = search_runs(zoo.viewer, order=["run_name"])
    with CaptureQueriesContext(
        connection,
    ) as statements:
        data = load_run_data(run.id for run in page.rows)
    assert len(statements) == (4 if connection.vendor == "sqlite" else 1)  # four in one round trip
    ant, cat = data[page.rows[0].id], data[page.rows[2].id]
    assert [(metric.key, metric.value) for metric in ant.metrics] == [("acc", 0.5), ("val/loss", 1.0)]
    assert ant.params == [("lr", "0.1"), ("note", "it's"), ("opt", "Adam")]
    assert ant.tags == [("mlflow.runName", "ant"), ("team", "vision")]
    assert [(given.name, given.digest, given.context) for given in ant.inputs] == [
        ("mnist", "d1", "train"),
        ("mnist", "d2", "eval"),
    ]
    assert math.isnan(cat.metrics[0].value)
    assert load_run_data([]) == {}


def test_a_search_takes_few_statements_however_many_runs(zoo):
    store(zoo.experiment, [PlainRun(uid=f"{at:032x}", name=f"run {at}", started_ms=at) for at in range(1000, 1100)])
    asked = {"project": zoo.project, "text": "metrics.acc > 0.5 OR run_name LIKE '%'"}
    viewer = zoo.viewer
    search_runs(viewer, **asked)  # which finds the viewer's roles, once for a request
    counts = {}
    for limit in (5, 50, 200):
        with CaptureQueriesContext(connection) as statements:
            search_runs(viewer, limit=limit, **asked)
        counts[limit] = len(statements)
    assert counts == {5: 2, 50: 2, 200: 3}  # the scope, then one or both stages; what holds for few is remembered


def test_a_found_run_tells_who_and_what(zoo):
    [ant] = search_runs(zoo.viewer, text="ant").rows
    row = Run.objects.get(name="ant")
    assert (ant.id, ant.uid, ant.readable_id) == (row.pk, row.uid.hex, f"ZOO-{row.number}")
    assert (ant.status, ant.duration_ms, ant.claimed_user, ant.is_locked) == ("FINISHED", 400, "ada", False)
    assert (ant.experiment_name, ant.project_slug, ant.user) == ("first", "zoo", "")


def test_a_user_is_found_by_name_and_by_email(zoo):
    run = create_run(zoo.viewer, zoo.experiment, name="gnu")
    assert [row.user_email for row in search_runs(zoo.viewer, text="gnu").rows] == ["zoo@example.org"]
    for text in ["user = 'zoo@example.org'", "author IN ('zoo', 'x')", "user LIKE 'zo_'"]:
        assert names(zoo, text) == [run.name]
    assert found(zoo, "user != 'zoo'") == "abcdef"
    assert names(zoo, order=["user"])[0] == "gnu"


def test_counting_stops_where_it_is_told_to(zoo, monkeypatch):
    monkeypatch.setattr(search, "COUNT_STOP", 4)
    assert str(count_runs(zoo.viewer)) == "4+"
    assert str(count_runs(zoo.viewer, text="ant OR bee")) == "2"


def test_a_search_that_takes_too_long_is_stopped(zoo, settings):
    usual, settings.MLED_SEARCH_SECONDS = settings.MLED_SEARCH_SECONDS, 0.05
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT COUNT(*) FROM n"
    )
    with pytest.raises(Invalid, match="longer than"), transaction.atomic():
        databases.fetch(databases.Sql(endless))
    settings.MLED_SEARCH_SECONDS = usual
    assert len(search_runs(zoo.viewer).rows) == len(ANIMALS)
    if connection.vendor == "postgresql":
        assert databases.fetch(databases.Sql("SHOW statement_timeout")) == [("10s",)]
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)


def test_a_room_above_adds_its_column_once(zoo):
    grade = Column(
        "grade", Kind.CHOICE, "r.review_state", choices={"not reviewed": "not_reviewed", "flagged": "flagged"}
    )
    RUNS.register(grade)
    try:
        assert found(zoo, "grade = 'Not reviewed'") == "abcdef"
        assert found(zoo, "grade != 'not reviewed'") == ""
        with pytest.raises(ValueError, match="twice"):
            RUNS.register(grade)
        with pytest.raises(QueryError):
            names(zoo, "grade = 'not reviewed'", MLFLOW)
    finally:
        del RUNS.columns["grade"]
