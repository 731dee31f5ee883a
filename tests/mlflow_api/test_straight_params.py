"""New params go straight to the database where nothing stands against it, and leave what they always left."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection

from audit.ledger.models import AuditPayload, Pending
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.runs import update_run
from experiments.actions.seals import seal_run
from experiments.models import Param, Run
from experiments.values import RunStatus
from kernel.actor import system
from tests.factories import Kept, Team, a_batch, a_run, a_team, a_token, events_since
from tests.mlflow_api.speaking import Mlflow, error_of
from tests.mlflow_api.test_straight import INVALID, REFUSALS, statements
from tests.together import errors, together, values

ODD = {
    "lr": "0.30000000000000004",
    "tiny": "5e-324",
    "third": "0.1234567890123456789",
    "many": "1e999",
    "nan": "nan",
    "ünï/köy": '"\\ \u0001 🌱',
    "empty": "",
}


@pytest.fixture
def run(team: Team, db: None) -> Run:
    return a_run(team.scientist)


@pytest.fixture
def ada(team: Team, root: str, run: Run) -> Mlflow:
    """The run's author, of whom this process knows everything."""
    return known(Mlflow(a_token(team.scientist)[1], root), run)


def known(client: Mlflow, run: Run) -> Mlflow:
    """A client whose run was heard of just now: by a point, which leaves no event."""
    asked = {"run_id": run.uid.hex, "key": "loss", "value": 0.5, "timestamp": 1, "step": 1}
    assert client.send("POST", "2.0/mlflow/runs/log-metric", asked).status_code == 200
    return client


def set_one(client: Mlflow, run: Run, key: str, value: str) -> Any:
    return client.send("POST", "2.0/mlflow/runs/log-parameter", {"run_id": run.uid.hex, "key": key, "value": value})


def set_many(client: Mlflow, run: Run, params: dict[str, str]) -> Any:
    pairs = [{"key": key, "value": value} for key, value in params.items()]
    return client.send("POST", "2.0/mlflow/runs/log-batch", {"run_id": run.uid.hex, "params": pairs})


def rows_of(run: Run) -> list[tuple[Any, ...]]:
    return list(Param.objects.filter(run=run).order_by("key").values_list("key", "value", "number", "experiment_id"))


def told_by(kept: Kept) -> list[Any]:
    event = kept.event
    assert Pending.objects.filter(event_id=event.pk).count() == 1
    changes = json.loads(AuditPayload.objects.get(event_id=event.pk).body)["changes"]
    assert {change["id"] for change in changes} == {event.subject_id}
    fields = [(change["type"], change["op"], change["fields"]) for change in changes]
    who = [event.verb, event.outcome, event.actor_id, event.actor_roles, event.project_id, event.client_ms]
    return [fields, who, event.subject_type, bool(event.commitment)]


def test_a_new_param_is_one_statement_with_its_event(ada: Mlflow, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with statements(monkeypatch) as sent:
        assert set_one(ada, run, "lr", "0.1").status_code == 200
    if connection.vendor == "postgresql":
        assert len(sent) == 1
    else:
        opened, find, *inserts, closed = sent
        assert (opened.split()[0], closed.split()[0]) == ("SAVEPOINT", "RELEASE")  # BEGIN and COMMIT, outside of tests
        assert "accounts_rightsstamp" in find
        assert [statement.split()[0] for statement in inserts] == ["INSERT"] * 4
    assert rows_of(run) == [("lr", "0.1", 0.1, run.experiment_id)]


def test_both_ways_leave_the_same_rows_and_the_same_event(
    ada: Mlflow, run: Run, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = a_run(team.scientist)
    with statements(monkeypatch) as sent:
        (straight,) = events_since(lambda: set_many(ada, run, ODD))
    (ordinary,) = events_since(lambda: log_batch(team.scientist, other, batch=a_batch(params=ODD)))
    assert [row[:3] for row in rows_of(run)] == [row[:3] for row in rows_of(other)]
    assert len(rows_of(run)) == len(ODD)
    assert told_by(straight) == told_by(ordinary)
    assert any("rightsstamp" in one and "experiments_run r" in one for one in sent)
    Sequencer().run_until_empty()
    assert verify_ledger().problems == []


def test_a_param_that_is_there_already_stays_as_it_is(ada: Mlflow, run: Run) -> None:
    set_one(ada, run, "lr", "0.1")
    assert events_since(lambda: set_one(ada, run, "lr", "0.1")) == []
    assert error_of(set_one(ada, run, "lr", "0.2")) == INVALID
    assert error_of(set_many(ada, run, {"depth": "3", "lr": "0.2"})) == INVALID
    assert [row[:2] for row in rows_of(run)] == [("lr", "0.1")]
    (kept,) = events_since(lambda: set_many(ada, run, {"depth": "3", "lr": "0.1"}))
    assert kept.changed("experiments.param") == {"depth": [None, "3"]}


@pytest.mark.parametrize("key", ["no/../way", "", "a" * 251])
def test_a_bad_key_is_named_and_nothing_of_its_batch_is_kept(ada: Mlflow, run: Run, key: str) -> None:
    answer = set_many(ada, run, {"good": "1", key: "2"})
    assert (error_of(answer), answer.json()["field"]) == (INVALID, "params[1].key")
    assert rows_of(run) == []


def test_a_value_too_long_to_keep_is_cut_with_a_note_and_cannot_change_behind_the_cut(ada: Mlflow, run: Run) -> None:
    assert set_one(ada, run, "long", "x" * 70_000).status_code == 200
    assert error_of(set_one(ada, run, "long", "x" * 65_536)) == INVALID
    assert len(rows_of(run)[0][1]) == 65_536


@pytest.mark.parametrize(("change", "refusal"), REFUSALS.values(), ids=REFUSALS)
def test_what_changed_since_the_last_call_is_met_by_the_next(
    ada: Mlflow, run: Run, team: Team, change: Callable[[Team, Run], object], refusal: tuple[int, str]
) -> None:
    change(team, run)
    assert error_of(set_one(ada, run, "lr", "1")) == refusal
    assert error_of(set_many(ada, run, {"lr": "1"})) == refusal
    assert rows_of(run) == []


def test_a_sealed_run_is_reopened_on_record_by_a_param(ada: Mlflow, run: Run, team: Team) -> None:
    update_run(team.scientist, run, status=RunStatus.FINISHED)
    seal_run(system(), run)
    (kept,) = events_since(lambda: set_one(ada, run, "lr", "1"))
    assert set(kept.changed("experiments.run")) == {"seal", "sealed_at"}


def test_a_colleagues_params_are_theirs_on_record(team: Team, root: str, run: Run) -> None:
    emil = known(Mlflow(a_token(team.engineer)[1], root), a_run(team.engineer))
    (kept,) = events_since(lambda: set_one(emil, run, "lr", "1"))
    assert kept.event.actor_id == team.engineer.user_id


def test_of_many_values_for_one_param_at_once_one_is_kept(committed_db: None) -> None:
    team = a_team()
    root, secret, run = f"/mlflow/{team.project.slug}", a_token(team.scientist)[1], a_run(team.scientist)
    known(Mlflow(secret, root), run)

    def log(writer: int) -> list[int]:
        client = Mlflow(secret, root)
        return [set_many(client, run, {f"p{n}": str(writer), f"own {writer}.{n}": "1"}).status_code for n in range(4)]

    outcomes = together(*(partial(log, writer) for writer in range(6)))
    assert errors(outcomes) == []
    codes = values(outcomes)
    assert [sorted(of_one) for of_one in zip(*codes, strict=True)] == [[200, *[400] * 5]] * 4
    winners = {f"p{n}": str(next(w for w in range(6) if codes[w][n] == 200)) for n in range(4)}
    stored = {key: value for key, value, *_ in rows_of(run)}
    assert {key: value for key, value in stored.items() if key in winners} == winners
    assert len(stored) == 8
    Sequencer().run_until_empty()
    assert verify_ledger().problems == []
