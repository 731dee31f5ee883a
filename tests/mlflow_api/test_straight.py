"""Points go straight to the database where nothing stands against it, and meet whatever does as they always did."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from accounts import access
from accounts.actions.members import remove_member
from accounts.actions.tokens import create_job_token, revoke_token
from accounts.actions.users import deactivate_user
from accounts.authentication import Presumed, presumed_for_token
from accounts.models import ApiToken, Membership
from accounts.roles import Scope
from experiments.actions import straight
from experiments.actions.batches import log_batch
from experiments.actions.lost import take_for_dead
from experiments.actions.moves import move_run
from experiments.actions.runs import delete_run, lock_run, update_run
from experiments.actions.seals import seal_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import MetricSegment, MetricSeries, Run
from experiments.queries.runs import metric_history
from experiments.values import RunStatus
from kernel import clock
from kernel.actor import Door, operator, system
from kernel.errors import Refused
from registry.models import LoggedModel
from tests.factories import (
    Everything,
    Team,
    a_member,
    a_project,
    a_run,
    a_token,
    an_experiment,
    events_since,
    join,
    user_of,
)
from tests.mlflow_api.speaking import Mlflow, error_of

DENIED, MISSING = (403, "PERMISSION_DENIED"), (404, "RESOURCE_DOES_NOT_EXIST")
NOBODY, INVALID = (401, "UNAUTHENTICATED"), (400, "INVALID_PARAMETER_VALUE")


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is sent to the database, by whatever cursor."""
    sent: list[str] = []
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        execute = psycopg.Cursor.execute

        def noted(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
            sent.append(str(query))
            return execute(cursor, query, *args, **kwargs)

        with monkeypatch.context() as patched:
            patched.setattr(psycopg.Cursor, "execute", noted)
            yield sent
        return
    connection.connection.set_trace_callback(sent.append)
    try:
        yield sent
    finally:
        connection.connection.set_trace_callback(None)


@pytest.fixture
def run(team: Team, db: None) -> Run:
    return a_run(team.scientist)


@pytest.fixture
def ada(team: Team, root: str, run: Run) -> Mlflow:
    """The run's author, of whom this process knows everything, and of whose run something was heard just now."""
    client = Mlflow(a_token(team.scientist)[1], root)
    for step in (0, 1):
        logged(client, run, step)
    return client


def logged(client: Mlflow, run: Run, step: int = 5, **more: Any) -> Any:
    asked = {"run_id": run.uid.hex, "key": "loss", "value": 0.5, "timestamp": 1000 + step, "step": step, **more}
    return client.send("POST", "2.0/mlflow/runs/log-metric", asked)


def steps_of(team: Team, run: Run, key: str = "loss") -> list[int]:
    return metric_history(team.manager, run, key).points.steps.tolist()


# --- The ordinary case


def test_points_of_ones_own_run_are_one_statement(ada: Mlflow, run: Run, team: Team, monkeypatch: Any) -> None:
    with statements(monkeypatch) as sent:
        assert logged(ada, run).status_code == 200
    if connection.vendor == "postgresql":
        assert len(sent) == 1
    else:
        opened, upsert, insert, closed = sent
        assert (opened.split()[0], closed.split()[0]) == ("SAVEPOINT", "RELEASE")  # BEGIN and COMMIT, outside of tests
        assert "accounts_rightsstamp" in upsert
        assert "experiments_metricsegment" in insert
    assert steps_of(team, run) == [0, 1, 5]


def test_the_statement_is_planned_once_for_a_connection(ada: Mlflow, run: Run) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite keeps statements by itself.")
    for step in range(10):
        logged(ada, run, step)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(generic_plans) > 0, count(*) FROM pg_prepared_statements WHERE statement LIKE '%rightsstamp%'"
            " AND statement LIKE '%metricsegment%'"
        )
        assert cursor.fetchone() == (True, 1)


@pytest.mark.parametrize(("keys", "on_sqlite"), [(5, 4), (40, 8)])
def test_a_batch_of_many_keys_is_few_statements(
    ada: Mlflow, run: Run, team: Team, monkeypatch: Any, keys: int, on_sqlite: int
) -> None:
    points = [{"key": f"m{n % keys}", "value": n, "timestamp": n, "step": n} for n in range(1000)]
    with statements(monkeypatch) as sent:
        ada.post("runs/log-batch", run_id=run.uid.hex, metrics=points)
    assert len(sent) == (1 if connection.vendor == "postgresql" else on_sqlite)
    assert steps_of(team, run, "m3") == list(range(3, 1000, keys))


@pytest.mark.parametrize("each", [1, 60])
def test_params_and_tags_with_points_are_few_statements_however_many(
    ada: Mlflow, run: Run, monkeypatch: Any, each: int
) -> None:
    pairs = [{"key": f"k{n}", "value": "1"} for n in range(each)]
    points = [{"key": f"m{n % 9}", "value": n, "timestamp": n, "step": n} for n in range(each)]
    with statements(monkeypatch) as sent:
        ada.post("runs/log-batch", run_id=run.uid.hex, metrics=points, params=pairs, tags=pairs)
    assert len(sent) <= (12 if connection.vendor == "postgresql" else 15)


ODD_POINTS = [
    MetricPoint("b", 1.0, 5, 3),
    MetricPoint("a", float("nan"), 5, 3),
    MetricPoint("b", -0.0, 5, 3),
    MetricPoint("b", 1.0, 5, 3),
    MetricPoint("c", float("inf"), 7, -(2**63)),
    MetricPoint("c", float("-inf"), 2**63 - 1, 2**63 - 1),
    MetricPoint("ünï/köy", 1e-320, 0, 0),
]


def test_both_ways_leave_the_same_rows(ada: Mlflow, run: Run, team: Team) -> None:
    other = a_run(team.scientist)
    sent = [
        {"key": p.key, "value": str(p.value).replace("inf", "Infinity").replace("nan", "NaN"), "timestamp": p.at_ms}
        | {"step": p.step}
        for p in ODD_POINTS
    ]
    events = events_since(lambda: ada.post("runs/log-batch", run_id=run.uid.hex, metrics=sent))
    log_batch(team.scientist, other, batch=Batch(ODD_POINTS))
    assert events == []
    assert rows_of(run) == rows_of(other)


def rows_of(run: Run) -> list[Any]:
    named = MetricSeries.objects.filter(run=run).exclude(key="loss").order_by("key")
    series = [{k: v for k, v in row.items() if k not in ("id", "run_id")} for row in named.values()]
    kept = MetricSegment.objects.filter(series__in=named).order_by("series__key")
    columns = ("count", "min_step", "max_step", "min_ms", "max_ms", "steps", "times", "values")
    segments = [[bytes(v) if not isinstance(v, int) else v for v in row] for row in kept.values_list(*columns)]
    return [series, segments]


def test_state_checks_of_runs_look_at_nothing_but_what_the_statement_compares(team: Team, run: Run) -> None:
    """One that has to look at more takes every call the ordinary way: have the statement compare that, too."""
    secret = a_token(team.scientist)[1]
    logged(Mlflow(secret, f"/mlflow/{team.project.slug}"), run)
    known = presumed_for_token(secret, Door.MLFLOW, request_id="", client="", ip="")
    assert known is not None
    presumed = straight.presumed_run(known, team.project, run.uid)
    assert access._state_checks[Run]
    assert [check(known.actor, "experiments.log_run", presumed) for check in access._state_checks[Run]] == [None] * len(
        access._state_checks[Run]
    )


@pytest.mark.parametrize("column", ["review_state", "status", "number", "parent"])
def test_what_the_statement_does_not_compare_cannot_be_presumed(team: Team, run: Run, column: str) -> None:
    presumed = straight.presumed_run(Presumed(team.scientist, UUID(int=1)), team.project, run.uid)
    with pytest.raises(straight.NotPresumed):
        getattr(presumed, column)
    with pytest.raises(straight.NotPresumed):
        MetricSeries.objects.filter(run=presumed).exists()
    with pytest.raises(straight.NotPresumed):
        Run.objects.filter(pk=presumed.pk).exists()


def test_a_check_that_looks_at_more_is_asked_of_the_row(run: Run, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_reviewed(actor: Any, permission: str, subject: Run) -> Any:
        seen.append(subject.review_state)

    seen: list[str] = []
    monkeypatch.setitem(access._state_checks, Run, [*access._state_checks[Run], refuse_reviewed])
    lee = anew(team)
    assert [logged(lee, run, step).status_code for step in (5, 6)] == [200, 200]
    assert seen
    assert set(seen) == {"not_reviewed"}
    assert steps_of(team, run) == [5, 6]


def test_a_check_that_asks_the_database_is_asked_for_every_call(
    run: Run, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_by_a_look(actor: Any, permission: str, subject: Run) -> Any:
        asked.append(permission)
        return Refused("No.") if ApiToken.objects.exists() and is_refused else None

    asked: list[str] = []
    is_refused: list[bool] = []
    monkeypatch.setitem(access._state_checks, Run, [*access._state_checks[Run], refuse_by_a_look])
    lee = anew(team)
    assert [logged(lee, run, step).status_code for step in (5, 6, 7)] == [200, 200, 200]
    is_refused.append(True)
    assert logged(lee, run, 8).status_code == 403
    assert asked.count("experiments.log_run") > 3


def test_what_holds_for_every_run_like_it_is_judged_once(run: Run, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []
    monkeypatch.setitem(
        access._state_checks,
        Run,
        [*access._state_checks[Run], lambda _actor, permission, _run: judged.append(permission)],
    )
    lee, other = anew(team), a_run(team.scientist)
    for one in (run, run, other):  # by the ordinary way first: rights are read, and a sign of life is noted
        logged(lee, one)
    judged.clear()
    assert [logged(lee, one, step).status_code for one in (run, other) for step in (6, 7)] == [200] * 4
    assert judged == []
    lock_run(team.scientist, other)
    assert error_of(logged(lee, other, 8)) == DENIED


def anew(team: Team) -> Mlflow:
    """Somebody with a new token, of whom nothing is known yet."""
    return Mlflow(a_token(team.scientist)[1], f"/mlflow/{team.project.slug}")


# --- Everything else


def remove(team: Team, run: Run) -> None:
    remove_member(operator(), Membership.objects.get(user_id=team.scientist.user_id, project=team.project))


def revoke(team: Team, run: Run) -> None:
    for token in ApiToken.objects.filter(user=user_of(team.scientist)):
        revoke_token(team.scientist, token=token)


def deactivate(team: Team, run: Run) -> None:
    deactivate_user(operator(), user=user_of(team.scientist), reason="left")


def into_the_bin(team: Team, run: Run) -> None:
    delete_run(team.scientist, run)


def locked(team: Team, run: Run) -> None:
    lock_run(team.scientist, run)


REFUSALS: dict[str, tuple[Callable[[Team, Run], object], tuple[int, str]]] = {
    "a membership that was withdrawn": (remove, MISSING),
    "a token that was revoked": (revoke, NOBODY),
    "an owner who was deactivated": (deactivate, NOBODY),
    "a locked run": (locked, DENIED),
    "a deleted run": (into_the_bin, INVALID),
}


@pytest.mark.parametrize(("change", "refusal"), REFUSALS.values(), ids=REFUSALS)
def test_what_changed_since_the_last_call_is_met_by_the_next(
    ada: Mlflow, run: Run, team: Team, change: Callable[[Team, Run], object], refusal: tuple[int, str]
) -> None:
    change(team, run)
    batch = {"run_id": run.uid.hex, "metrics": [{"key": "loss", "value": 1, "timestamp": 1, "step": 7}]}
    assert error_of(logged(ada, run)) == refusal
    assert error_of(ada.send("POST", "2.0/mlflow/runs/log-batch", batch)) == refusal
    assert steps_of(team, run) == [0, 1]


def test_a_token_that_expires_meanwhile_is_not_good(team: Team, root: str, run: Run, monkeypatch: Any) -> None:
    client = Mlflow(a_token(team.scientist, days=1)[1], root)
    assert logged(client, run, 1).status_code == 200
    begun = clock._now()
    monkeypatch.setattr(clock, "_now", lambda: begun + 2 * 86_400)
    assert error_of(logged(client, run)) == NOBODY


def test_a_sealed_run_is_reopened_on_record(ada: Mlflow, run: Run, team: Team) -> None:
    update_run(team.scientist, run, status=RunStatus.FINISHED)
    seal_run(system(), run)
    (kept,) = events_since(lambda: logged(ada, run))
    assert set(kept.changed("experiments.run")) == {"seal", "sealed_at"}
    assert events_since(lambda: logged(ada, run, 6)) == []
    assert steps_of(team, run) == [0, 1, 5, 6]


def test_a_run_that_was_taken_for_dead_is_found_again(
    ada: Mlflow, run: Run, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = clock._now()
    monkeypatch.setattr(clock, "_now", lambda: begun + 86_400)
    take_for_dead(system(), Run.objects.get(pk=run.pk), since=clock.now() - dt.timedelta(hours=1))
    monkeypatch.setattr(clock, "_now", lambda: begun)
    (kept,) = events_since(lambda: logged(ada, run))
    assert kept.changed("experiments.run")["status"] == ["FAILED", "RUNNING"]
    assert Run.objects.get(pk=run.pk).lost_at is None


def test_a_run_that_was_moved_takes_points_where_it_is_now(ada: Mlflow, run: Run, team: Team) -> None:
    elsewhere = an_experiment(team.scientist, team.project)
    move_run(team.scientist, run, experiment=elsewhere)
    assert logged(ada, run, key="accuracy").status_code == 200
    assert {series.experiment_id for series in MetricSeries.objects.filter(run=run)} == {elsewhere.pk}


def test_a_colleagues_first_points_are_on_record(team: Team, root: str, run: Run) -> None:
    emil = Mlflow(a_token(team.engineer)[1], root)
    logged(emil, a_run(team.engineer))
    (kept,) = events_since(lambda: logged(emil, run))
    assert kept.event.actor_id == team.engineer.user_id
    assert events_since(lambda: logged(emil, run, 6)) == []


def test_who_may_not_log_is_told_so_however_often(team: Team, things: Everything, root: str, run: Run) -> None:
    reader = Mlflow(a_token(team.scientist, scopes=[Scope.READ])[1], root)
    auditor, outsider = Mlflow(a_token(team.auditor)[1], root), Mlflow(a_token(a_member(a_project()))[1], root)
    for _ in range(2):
        assert error_of(logged(reader, run)) == DENIED
        assert error_of(logged(auditor, run)) == DENIED
        assert error_of(logged(outsider, run)) == MISSING
    assert MetricSeries.objects.filter(run=run).count() == 0


def test_a_run_of_ones_own_is_not_found_in_another_project(team: Team, run: Run) -> None:
    other = a_project()
    join(other, team.scientist, Membership.objects.get(user_id=team.scientist.user_id).role)
    there = Mlflow(a_token(team.scientist)[1], f"/mlflow/{other.slug}")
    for _ in range(2):
        assert error_of(logged(there, run)) == MISSING


def test_a_token_for_another_project_is_not_good_here(team: Team, root: str, run: Run) -> None:
    client = Mlflow(a_token(team.scientist, projects=[a_project()])[1], root)
    for _ in range(2):
        assert error_of(logged(client, run)) == MISSING


def test_a_jobs_token_writes_its_own_run_alone(team: Team, root: str, run: Run) -> None:
    owner, until = user_of(team.scientist), clock.now() + dt.timedelta(days=1)
    _, secret = create_job_token(
        system(), owner=owner, project=team.project, run_uid=run.uid.hex, name="job", until=until
    )
    job, other = Mlflow(secret, root), a_run(team.scientist)
    for step in range(3):
        assert logged(job, run, step).status_code == 200
        assert error_of(logged(job, other, step)) == DENIED
    assert steps_of(team, run) == [0, 1, 2]


def test_a_bad_point_is_named_and_nothing_of_its_batch_is_kept(ada: Mlflow, run: Run, team: Team) -> None:
    points = [{"key": "loss", "value": 1, "timestamp": 1, "step": 7}, {"key": "no/../way", "value": 1, "timestamp": 1}]
    answer = ada.send("POST", "2.0/mlflow/runs/log-batch", {"run_id": run.uid.hex, "metrics": points})
    assert error_of(answer) == INVALID
    assert answer.json()["field"] == "metrics[1].name"
    assert steps_of(team, run) == [0, 1]


def test_a_message_that_cannot_be_read_is_refused_after_who_sent_it(ada: Mlflow, team: Team, run: Run) -> None:
    assert error_of(ada.send("POST", "2.0/mlflow/runs/log-metric", body=b'{"run_id": ')) == INVALID
    revoke(team, run)
    assert error_of(ada.send("POST", "2.0/mlflow/runs/log-metric", body=b'{"run_id": ')) == NOBODY


def test_points_of_a_model_are_kept_with_the_model(team: Team, things: Everything, root: str) -> None:
    emil = Mlflow(a_token(team.engineer)[1], root)
    logged(emil, things.run, 1)
    assert logged(emil, things.run, model_id=things.model.model_id, key="score").status_code == 200
    found = emil.get(f"logged-models/{LoggedModel.objects.get(pk=things.model.pk).model_id}")
    assert "score" in [metric["key"] for metric in found["model"]["data"]["metrics"]]


def test_signs_of_life_and_of_use_are_still_left(
    ada: Mlflow, run: Run, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = clock._now()
    for later in (31, 62, 400):
        monkeypatch.setattr(clock, "_now", lambda later=later: begun + later)
        assert logged(ada, run, later).status_code == 200
        assert Run.objects.get(pk=run.pk).heartbeat_at == clock.now()
    token = ApiToken.objects.filter(user=user_of(team.scientist)).latest("created_at")
    assert token.last_used_at == clock.now()
