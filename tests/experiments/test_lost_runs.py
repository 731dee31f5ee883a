"""Dead runs: a running run of which nothing is heard any more fails, with the reason; one that speaks again runs on."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experiments.actions.batches import log_batch
from experiments.actions.lost import take_for_dead, take_silent_for_dead
from experiments.actions.runs import create_run, delete_run, lock_run, set_tags, update_run
from experiments.actions.seals import seal_run
from experiments.models import Run
from experiments.queries.silent import AT_ONCE, silent_runs
from experiments.tasks import fail_silent_runs
from experiments.values import BY_HAND, RunStatus
from kernel import clock
from kernel.actor import Actor, Door, system
from kernel.errors import Conflict, Locked, Refused
from runner.actions.rules import set_rules
from tests.factories import (
    Team,
    a_batch,
    a_run,
    a_team,
    again,
    curve,
    default_experiment,
    events_since,
    user_of,
    with_token,
)
from tests.factories_runner import a_job

pytestmark = pytest.mark.django_db
HOUR = 3600.0


class Later:
    """The clock, moved on by hand."""

    def __init__(self, monkeypatch: Any) -> None:
        self.at, self._begun = 0.0, clock._now()
        monkeypatch.setattr(clock, "_now", lambda: self._begun + self.at)

    def hours(self, hours: float) -> None:
        self.at += hours * HOUR


@pytest.fixture
def later(monkeypatch) -> Later:
    return Later(monkeypatch)


@pytest.fixture
def team() -> Team:
    return a_team()


@pytest.fixture
def script(team) -> Actor:
    """A training script of the scientist."""
    return with_token(team.scientist, Door.MLFLOW)


def begun(script: Actor, team: Team, **tags: str) -> Run:
    return create_run(script, default_experiment(team.project), started_ms=clock.now_ms(), tags=tags)


def now_of(run: Run) -> Run:
    return Run.objects.select_related("project").get(pk=run.pk)


def test_a_run_that_fell_silent_fails_with_the_reason_when_it_was_last_heard(script, team, later):
    run = begun(script, team)
    later.hours(2)
    log_batch(script, run, batch=curve(3))
    last = clock.now_ms()
    later.hours(23.9)
    assert fail_silent_runs() == 0
    later.hours(0.2)
    (event,) = events_since(fail_silent_runs)
    dead = now_of(run)
    assert (dead.status, dead.lost_at) == (RunStatus.FAILED, clock.now())
    assert abs((dead.ended_ms or 0) - last) <= 1
    assert (event.verb, event.event.actor_kind) == ("experiments.take_for_dead", "system")
    assert event.reason.startswith("Nothing was heard of it since")
    assert events_since(fail_silent_runs) == []  # once


def test_it_runs_on_if_it_speaks_again_once_and_on_record(script, team, later):
    run = begun(script, team)
    later.hours(25)
    fail_silent_runs()
    (event,) = events_since(lambda: log_batch(script, now_of(run), batch=curve(3)))
    assert event.reason.startswith("It was heard of again")
    assert event.changed("experiments.run")["status"] == ["FAILED", "RUNNING"]
    alive = now_of(run)
    assert (alive.status, alive.lost_at, alive.ended_ms) == (RunStatus.RUNNING, None, None)
    assert events_since(lambda: log_batch(script, alive, batch=curve(5))) == []
    assert fail_silent_runs() == 0
    later.hours(25)
    assert fail_silent_runs() == 1  # and may die again


@pytest.mark.parametrize(
    "speak",
    [
        lambda actor, run: set_tags(actor, run, tags={"a": "b"}),
        lambda actor, run: log_batch(actor, run, batch=a_batch(params={"lr": "1"})),
        lambda actor, run: update_run(actor, run, name="other"),
    ],
    ids=["tags", "params", "a name"],
)
def test_any_write_of_its_client_is_a_sign_of_life(script, team, later, speak):
    run = begun(script, team)
    later.hours(23)
    speak(script, now_of(run))
    later.hours(2)
    assert fail_silent_runs() == 0
    later.hours(23)
    assert fail_silent_runs() == 1
    stale = Run.objects.get(pk=run.pk)
    log_batch(script, stale, batch=curve(3))
    assert now_of(run).status == RunStatus.RUNNING


def test_what_is_noted_of_a_dead_run_and_what_others_log_into_it_does_not_wake_it(script, team, later):
    run = begun(script, team)
    later.hours(25)
    fail_silent_runs()
    set_tags(script, now_of(run), tags={"reviewed": "yes"})
    update_run(script, now_of(run), name="the one that died")
    other = with_token(team.engineer, Door.MLFLOW)
    log_batch(other, now_of(run), batch=curve(3))
    log_batch(other, now_of(run), batch=a_batch(params={"lr": "1"}))
    assert (now_of(run).status, now_of(run).lost_at is None) == (RunStatus.FAILED, False)
    log_batch(script, now_of(run), batch=a_batch(params={"depth": "3"}))
    assert (now_of(run).status, now_of(run).lost_at) == (RunStatus.RUNNING, None)


def test_a_client_that_says_how_it_ended_is_believed_and_a_person_on_a_page_does_not_wake_it(script, team, later):
    run = begun(script, team)
    later.hours(25)
    fail_silent_runs()
    set_tags(again(team.scientist), now_of(run), tags={"what happened": "power cut"})
    assert now_of(run).lost_at is not None
    update_run(script, now_of(run), status=RunStatus.FINISHED, ended_ms=clock.now_ms())
    assert (now_of(run).status, now_of(run).lost_at) == (RunStatus.FINISHED, None)
    other = begun(script, team)
    later.hours(25)
    fail_silent_runs()
    update_run(again(team.scientist), now_of(other), status=RunStatus.KILLED)
    assert now_of(other).lost_at is None


def test_a_sealed_dead_run_is_opened_by_who_speaks(script, team, later):
    run = begun(script, team)
    later.hours(25)
    fail_silent_runs()
    seal_run(system(), now_of(run))
    log_batch(script, now_of(run), batch=curve(3))
    assert (now_of(run).status, now_of(run).sealed_at) == (RunStatus.RUNNING, None)


def test_what_was_entered_by_hand_or_came_from_elsewhere_is_never_dead(script, team, later):
    by_hand = begun(script, team, **{"mlflow.source.type": BY_HAND})
    log_batch(script, by_hand, batch=a_batch(params={"lr": "1"}))
    imported = a_run(team.scientist)  # no client ever spoke of it here
    later.hours(10_000)
    assert fail_silent_runs() == 0
    assert {now_of(run).status for run in (by_hand, imported)} == {RunStatus.RUNNING}


def test_a_parent_lives_as_long_as_its_nested_runs_and_dies_after_them(script, team, later):
    parent = begun(script, team)
    child = begun(script, team, **{"mlflow.parentRunId": parent.uid.hex})
    for _ in range(3):
        later.hours(20)
        log_batch(script, now_of(child), batch=curve(3))
        assert fail_silent_runs() == 0
    later.hours(25)
    assert [fail_silent_runs(), now_of(parent).status, now_of(child).status] == [1, "RUNNING", "FAILED"]
    assert fail_silent_runs() == 1
    assert now_of(parent).status == RunStatus.FAILED


def test_a_parent_is_given_its_time_after_the_last_nested_run_ended(script, team, later):
    parent = begun(script, team)
    child = begun(script, team, **{"mlflow.parentRunId": parent.uid.hex})
    later.hours(30)
    update_run(script, now_of(child), status=RunStatus.FINISHED)
    later.hours(23)
    assert fail_silent_runs() == 0
    later.hours(2)
    assert fail_silent_runs() == 1


def test_the_project_says_how_long_and_0_means_for_ever(script, team, later):
    patient = a_team()
    theirs = begun(with_token(patient.scientist, Door.MLFLOW), patient)
    run = begun(script, team)
    set_rules(team.manager, team.project, silent_minutes=30)
    set_rules(patient.manager, patient.project, silent_minutes=0)
    later.hours(0.6)
    assert fail_silent_runs() == 1
    assert now_of(run).status == RunStatus.FAILED
    later.hours(1000)
    assert fail_silent_runs() == 0
    assert now_of(theirs).status == RunStatus.RUNNING


def test_a_run_whose_job_is_not_over_is_looked_after_by_its_lease(script, team, later):
    job = a_job(team.scientist, default_experiment(team.project))
    update_run(script, job.run, status=RunStatus.RUNNING)
    later.hours(1000)
    assert fail_silent_runs() == 0


def test_one_that_was_heard_meanwhile_deleted_or_locked_stays_and_nobody_else_says_so(script, team, later):
    run = begun(script, team)
    later.hours(25)
    since = clock.now() - dt.timedelta(hours=24)
    found = now_of(run)
    log_batch(script, now_of(run), batch=curve(3))
    assert events_since(lambda: take_for_dead(system(), found, since=since)) == []
    with pytest.raises(Refused):
        take_for_dead(again(team.scientist), found, since=since)
    for close, error in ((lock_run, Locked), (delete_run, Conflict)):
        closed = begun(script, team)
        close(again(team.scientist), closed)
        later.hours(25)
        assert closed not in [run for run, _ in silent_runs(system())]
        with pytest.raises(error):
            take_for_dead(system(), closed, since=clock.now())


def test_a_round_is_bounded_and_the_next_goes_on(script, team, later, monkeypatch):
    monkeypatch.setattr("experiments.queries.silent.AT_ONCE", 2)
    assert AT_ONCE > 2
    for _ in range(5):
        begun(script, team)
    later.hours(25)
    assert [take_silent_for_dead() for _ in range(4)] == [2, 2, 1, 0]


def test_looking_for_them_uses_an_index(script, team, later):
    begun(script, team)
    with CaptureQueriesContext(connection) as asked:
        list(silent_runs(system()))
    (sql,) = [query["sql"] for query in asked if "heartbeat_at" in query["sql"]][:1]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # of a few rows it may read any index: here it has this one alone
            others = "indrelid = 'experiments_run'::regclass AND indexrelid <> 'run_unfinished'::regclass"
            cursor.execute(f"UPDATE pg_index SET indisvalid = false WHERE {others}")  # rolled back
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql}")
        plan = str(cursor.fetchall())
    assert "run_unfinished" in plan


def test_its_page_and_rest_say_so(script, team, later):
    run = begun(script, team)
    later.hours(25)
    fail_silent_runs()
    client = Client()
    client.force_login(user_of(team.scientist), backend="accounts.backends.EmailBackend")
    page = client.get(f"/r/{run.uid.hex}/").content.decode()
    assert "Taken for dead." in page
    assert client.get(f"/api/v1/runs/{run.uid.hex}/").json()["lost_at"] is not None
