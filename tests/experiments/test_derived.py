"""Columns that follow from recorded ones: a change of them in SQL is named."""

import pytest
from django.db import connection

from experiments.actions.batches import log_batch
from experiments.actions.runs import update_run
from experiments.actions.seals import seal_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.queries.derived import wrong_derived_columns
from experiments.values import RunStatus
from kernel.actor import system
from tests.factories import a_run, a_team, an_experiment

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed_run():
    team = a_team()
    run = a_run(team.scientist, an_experiment(team.scientist))
    odd = [MetricPoint("loss", value, 1000 + step, step) for step, value in enumerate((0.5, float("nan"), 0.25, 0.25))]
    log_batch(team.scientist, run, batch=Batch(odd, params=[("lr", "1e-3"), ("name", "wide")], tags=[("cohort", "b")]))
    update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=9)
    return seal_run(system(), run)


def named():
    return [(problem.kind, problem.field) for problem in wrong_derived_columns()]


def test_what_the_actions_wrote_follows_from_what_they_recorded(sealed_run):
    assert named() == []


@pytest.mark.parametrize(
    ("table", "change", "field"),
    [
        ("experiments_metricseries", "last_value = 0.001", "last_value"),
        ("experiments_metricseries", "min_step = 1", "min_step"),
        ("experiments_metricseries", "last_is_nan = NOT last_is_nan", "last_is_nan"),
        ("experiments_runtag", "experiment_id = (SELECT min(id) FROM experiments_experiment)", "experiment_id"),
    ],
)
def test_a_derived_column_changed_in_sql_is_named(sealed_run, table, change, field):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {change}")
    assert field in [name for _, name in named()]
