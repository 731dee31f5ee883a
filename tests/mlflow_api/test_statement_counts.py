"""What calls on runs cost in statements, BEGIN and COMMIT included; nothing of an act is lost on the short way."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.experiments import delete_experiment
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.models import Run, RunTag
from experiments.queries.experiments import wire_id
from experiments.queries.search import load_run_data
from experiments.search.one_run import data_of_run
from tests.factories import Team, a_batch, a_run, a_team, a_token, again, an_experiment, events
from tests.mlflow_api.speaking import Mlflow
from tests.mlflow_api.test_straight import statements
from tests.together import errors, together, values

POSTGRES = "postgresql"


@pytest.fixture
def team(committed_db) -> Team:
    return a_team()


@pytest.fixture
def ada(team: Team) -> Mlflow:
    return Mlflow(a_token(team.scientist)[1], f"/mlflow/{team.project.slug}")


def a_full_run(team: Team) -> Run:
    run = a_run(team.scientist, tags={f"tag {n}": "1" for n in range(5)})
    log_batch(team.scientist, run, batch=a_batch(params={f"p{n}": str(n) for n in range(9)}, loss=[0.5], f1=[1.0]))
    return run


@contextmanager
def sent_to_the_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """On SQLite new runs and params go past Django's cursor, with a transaction that Django knows nothing of."""
    if connection.vendor == POSTGRES:
        with CaptureQueriesContext(connection) as captured:
            sent: list[Any] = []
            yield sent
        sent += captured.captured_queries
    else:
        with statements(monkeypatch) as traced:
            yield traced


def test_each_call_on_a_run_is_few_statements(ada: Mlflow, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    place, run = wire_id(an_experiment(team.scientist)), a_full_run(team).uid.hex
    calls = {
        "create": partial(ada.post, "runs/create", experiment_id=place, run_name="x"),
        "get": partial(ada.get, "runs/get", run_id=run),
        "set-tag": lambda n: ada.post("runs/set-tag", run_id=run, key="stage", value=str(n)),
        "log-parameter": lambda n: ada.post("runs/log-parameter", run_id=run, key=f"lr{n}", value="1"),
        "update": lambda n: ada.post("runs/update", run_id=run, end_time=n),
    }
    counted = {}
    for name, call in calls.items():
        act = call if isinstance(call, partial) else partial(call, 1)
        act()
        with sent_to_the_database(monkeypatch) as sent:
            (call if isinstance(call, partial) else partial(call, 2))()
        counted[name] = len(sent)
    # On SQLite the three rows of an event are a statement each, and so are a run, its tags and their past: no round
    # trips there.
    assert counted == (
        {"create": 2, "get": 4, "set-tag": 9, "log-parameter": 1, "update": 7}
        if connection.vendor == POSTGRES
        else {"create": 9, "get": 4, "set-tag": 11, "log-parameter": 7, "update": 10}
    )


def test_what_a_run_holds_does_not_add_statements(ada: Mlflow, team: Team) -> None:
    runs = [a_run(team.scientist), a_full_run(team)]
    ada.get("runs/get", run_id=runs[0].uid.hex)
    counts = []
    for run in runs:
        with CaptureQueriesContext(connection) as sent:
            found = ada.get("runs/get", run_id=run.uid.hex)["run"]["data"]
        counts.append(len(sent))
    assert counts[0] == counts[1]
    assert [one["key"] for one in found["metrics"]] == ["f1", "loss"]
    assert [one["key"] for one in found["params"]] == [f"p{n}" for n in range(9)]


def test_one_run_reads_as_it_does_in_a_page_of_runs(team: Team) -> None:
    run = a_full_run(team)
    log_batch(team.scientist, run, batch=a_batch(tags={"Z": "1", "é": "2", "a/b": ""}, nan=[float("inf")]))
    log_inputs(team.scientist, run, inputs=[DatasetInput("leaves", "d1", tags={"mlflow.data.context": "train"})])
    for one in (run, a_run(team.scientist)):
        assert data_of_run(one.pk) == load_run_data([one.pk])[one.pk]


def test_many_tags_of_a_new_run_cost_no_statement_more(
    ada: Mlflow, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = wire_id(an_experiment(team.scientist))
    ada.post("runs/create", experiment_id=place)
    counts = []
    for many in (0, 10, 60):
        tags = [{"key": f"tag {n}", "value": "x"} for n in range(many)]
        with sent_to_the_database(monkeypatch) as sent:
            made = ada.post("runs/create", experiment_id=place, tags=tags)["run"]
        counts.append(len(sent))
        assert RunTag.objects.filter(run__uid=made["info"]["run_id"]).count() == many + 1
    assert counts == ([2, 2, 2] if connection.vendor == POSTGRES else [9, 9, 9])


def test_a_new_run_has_its_history_and_its_event(ada: Mlflow, team: Team) -> None:
    place = wire_id(an_experiment(team.scientist))
    uid = ada.post("runs/create", experiment_id=place, run_name="first", tags=[{"key": "a", "value": "b"}])
    run = Run.objects.get(uid=uid["run"]["info"]["run_id"])
    ada.post("runs/update", run_id=run.uid.hex, run_name="second")
    made, changed = (events(verb=f"experiments.{verb}_run")[-1] for verb in ("create", "update"))
    kept = [(past.history_type, past.name, past.history_change_reason) for past in run.history.order_by("history_id")]
    assert kept == [("+", "first", str(made.event.pk)), ("~", "second", str(changed.event.pk))]
    assert {past.history_user_id for past in run.history.all()} == {team.scientist.user_id}
    assert made.event.subject_id == run.uid.hex
    assert verify_ledger().problems == []


def test_runs_that_begin_at_once_get_numbers_that_follow_each_other(ada: Mlflow, team: Team) -> None:
    place = an_experiment(team.scientist)
    first = a_run(team.scientist, place).number

    def make() -> list[int]:
        return [a_run(again(team.scientist), place).number for _ in range(4)]

    outcomes = together(*[make] * 8)
    assert errors(outcomes) == []
    assert sorted(number for some in values(outcomes) for number in some) == list(range(first + 1, first + 33))
    assert all(numbers == sorted(numbers) for numbers in values(outcomes))


def test_a_refused_run_takes_no_number(ada: Mlflow, team: Team) -> None:
    place, gone = (an_experiment(team.scientist) for _ in range(2))
    first = a_run(team.scientist, place).number
    delete_experiment(team.scientist, gone)
    refused = [
        ada.send("POST", "2.0/mlflow/runs/create", {"experiment_id": wire_id(gone)}),
        ada.send(
            "POST", "2.0/mlflow/runs/create", {"experiment_id": wire_id(place), "tags": [{"key": "", "value": ""}]}
        ),
    ]
    assert [answer.status_code for answer in refused] == [400, 400]
    assert a_run(team.scientist, place).number == first + 1
