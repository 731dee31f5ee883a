"""Searches read indexes, not tables: the plans of both databases, over enough runs to make a scan the wrong choice."""

import re
from collections.abc import Iterator
from random import Random

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from audit.ledger.acting import acting
from experiments.models import Experiment, MetricSeries, Param, Run, RunTag
from experiments.queries import search
from experiments.queries.search import count_runs, load_run_data, search_runs
from experiments.search import databases, rare, rows, statement, ties
from experiments.search.databases import Sql
from kernel.actor import system
from tests.search.conftest import Team, make_team

RUNS = 4000
LARGE = {"experiments_run", "experiments_param", "experiments_runtag", "experiments_metricseries", "r", "v", "o0"}


def log_many(experiment: Experiment, count: int) -> None:
    """Runs with ten values each, put in by few statements."""
    rng = Random(7)

    def insert(rows: list) -> list:
        return QuerySet.bulk_create(type(rows[0]).objects.all(), rows, batch_size=5000)

    same = {"project": experiment.project, "experiment": experiment}
    with acting(system(), "test.seed"):
        runs = insert(
            [Run(**same, number=n, name=f"run {n}", started_ms=rng.randrange(10**12)) for n in range(1, count + 1)]
        )
        within = {"experiment": experiment}
        insert(
            [
                Param(run=run, **within, key=f"p{k}", value=str(run.number % 7), number=run.number % 7)
                for run in runs
                for k in range(4)
            ]
        )
        insert([RunTag(run=run, **within, key=f"t{k}", value=run.name) for run in runs for k in range(3)])
        insert([_series(run, experiment, f"m{k}", rng.random()) for run in runs for k in range(3)])


def _series(run: Run, experiment: Experiment, key: str, value: float) -> MetricSeries:
    summary = {f"{of}_value": value for of in ("last", "first", "min", "max")}
    zeros = dict.fromkeys(("last_step", "last_ms", "first_step", "first_ms"), 0)
    return MetricSeries(run=run, experiment=experiment, key=key, **summary, **zeros)


@pytest.fixture(scope="module")
def big(request, django_db_setup, django_db_blocker) -> Iterator[Team]:
    """One large experiment, in a database of this module's own."""
    with django_db_blocker.unblock(), request.getfixturevalue("databases").committed():
        team = make_team("big", [])
        log_many(team.experiment, RUNS)
        if connection.vendor == "postgresql":  # as autovacuum does by itself; SQLite is taken as it comes
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
                cursor.execute("SET random_page_cost = 1.1")  # as on solid-state disks; these tables lie in memory
        yield team


@pytest.fixture
def plans(monkeypatch):
    """The plans of the statements that were run, as text."""
    seen: list[str] = []

    def explained(sql: Sql, **how_to):
        how = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
        with transaction.atomic(), connection.cursor() as cursor:
            if how_to.get("by_index") and connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            cursor.execute(how + sql.text, sql.params)
            seen.append("\n".join(str(row[-1]) for row in cursor.fetchall()))
        return databases.fetch(sql, **how_to)

    for module in (search, rows, statement, rare, ties):
        monkeypatch.setattr(module, "fetch", explained)
    return seen


def scanned(plan: str) -> set[str]:
    """The large tables (SQLite: their aliases) that a plan reads from one end to the other."""
    read = re.findall(r"SCAN (\w+)|Seq Scan on (\w+)", plan)
    return {one or other for one, other in read} & LARGE


@pytest.mark.parametrize(
    ("text", "order", "indexes"),
    [
        ("", [], ["run_newest"]),
        ("", ["metrics.m1 DESC"], ["series_last"]),
        ("", ["metrics.m1"], ["series_last"]),
        ("metrics.m0 > 0.999", [], ["series_last"]),
        ("metrics.m0 > 0.3 AND metrics.m0 < 0.301", ["start_time"], ["series_last"]),
        ("params.p1 = '3' AND tags.t0 = 'run 77'", [], ["run_tag_text"]),
        ("tags.t1 IN ('run 5', 'run 6')", [], ["run_tag_text"]),
        ("params.p2 < 0 OR tags.t2 = 'run 9'", [], ["param_number", "run_tag_text"]),
        ("NOT metrics.m0 > 0.5 AND tags.t0 = 'run 3'", ["metrics.m2"], ["run_tag_text"]),
    ],
)
def test_a_search_reads_indexes(big: Team, plans, text, order, indexes):
    search_runs(big.viewer, experiments=[big.experiment.pk], text=text, order=order, limit=50)
    told = "\n".join(plans)
    for index in indexes:
        assert index in told
    assert not scanned(told)


def test_a_project_wide_search_reads_the_same_indexes(big, plans):
    search_runs(big.viewer, project=big.project, text="tags.t0 = 'run 12'", limit=50)
    search_runs(big.viewer, project=big.project, limit=50)
    assert "run_tag_text" in plans[0] + plans[1]
    assert "run_project_newest" in plans[-1]


def test_the_next_page_starts_where_the_last_one_ended(big, plans):
    first = search_runs(big.viewer, experiments=[big.experiment.pk], limit=50)
    search_runs(big.viewer, experiments=[big.experiment.pk], limit=50, after=first.next_token)
    by_metric = {"experiments": [big.experiment.pk], "order": ["metrics.m0 DESC"], "limit": 50}
    search_runs(big.viewer, **by_metric, after=search_runs(big.viewer, **by_metric).next_token)
    second, metric_second = plans[1], plans[-1]
    assert "run_newest" in second
    assert "series_last" in metric_second
    for plan, column in ((second, "started_ms"), (metric_second, "last_value")):
        searched = [line for line in plan.splitlines() if f"{column}<?" in line or f"{column} <= " in line]
        assert searched, plan  # the index is entered at the position, not read from its start


def test_counts_and_page_data_read_indexes(big, plans):
    page = search_runs(big.viewer, experiments=[big.experiment.pk], limit=100)
    load_run_data([run.id for run in page.rows])
    count_runs(big.viewer, experiments=[big.experiment.pk], text="metrics.m0 > 0.99")
    told = "\n".join(plans)
    assert scanned(told) <= {"experiments_run"}  # PostgreSQL may read all runs where all are of this experiment


def test_a_condition_that_holds_for_few_is_where_a_search_starts(big, plans):
    """And one that holds for many is looked at run by run, in the order asked for, until the page is full."""
    search_runs(big.viewer, experiments=[big.experiment.pk], text="params.p0 = '3' AND metrics.m0 > 0.9999", limit=20)
    assert "series_last" in plans[-2]
    assert "run_newest" not in plans[-2]
    plans.clear()
    search_runs(big.viewer, experiments=[big.experiment.pk], text="params.p0 < 5 AND metrics.m0 > 0.2", limit=20)
    assert "run_newest" in plans[-1]
    assert (plans[-1].count("TEMP B-TREE") + plans[-1].count("Sort Key")) <= 1  # of the page, never of what it is from


def test_conditions_of_some_are_listed_where_that_is_less_than_a_walk(big, plans):
    """On PostgreSQL: a walk by a metric would come past three of four runs before its page is full."""
    asked = {"experiments": [big.experiment.pk], "order": ["metrics.m1"], "limit": 100}
    search_runs(big.viewer, text="metrics.m0 > 0.7 AND metrics.m2 > 0.7", **asked)  # 1,200 each, 360 together
    assert ("InitPlan" in plans[-1]) == (connection.vendor == "postgresql")
    search_runs(big.viewer, text="metrics.m0 > 0.2", **asked)
    assert "InitPlan" not in plans[-1]
    assert (plans[-1].count("TEMP B-TREE") + plans[-1].count("Sort Key")) <= 2


def test_what_holds_for_few_is_remembered_for_a_while_and_changes_no_result(big, plans):
    asked = {"experiments": [big.experiment.pk], "text": "metrics.m0 > 0.99 AND params.p0 = '2'"}
    first = search_runs(big.viewer, **asked)
    taken = len(plans)
    again = search_runs(big.viewer, **asked)
    assert (taken, len(plans) - taken) == (3, 2)  # the scope, what holds for few, the page
    rare.forget()
    assert first.rows == again.rows == search_runs(big.viewer, **asked).rows
    assert len(plans) == 2 * taken + 2


@pytest.mark.parametrize(
    "text", ["params.nobody IS NULL", "NOT tags.t0 = 'run 3'", "tags.t0 = 'run 3' OR params.p0 < 5"]
)
def test_a_rare_condition_that_most_do_not_have_to_satisfy_is_no_place_to_start(big, plans, text):
    search_runs(big.viewer, experiments=[big.experiment.pk], text=text, limit=20)
    assert "run_newest" in plans[-1]
    assert (plans[-1].count("TEMP B-TREE") + plans[-1].count("Sort Key")) <= 1
    search_runs(big.viewer, experiments=[big.experiment.pk], text=text, order=["metrics.m1"], limit=20)
    assert "series_last" in plans[-1]
    assert plans[-1].count("TEMP B-TREE FOR ORDER BY") <= 1
