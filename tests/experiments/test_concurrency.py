"""Many writers at the same moment, on a database that commits."""

import threading
import time
from functools import partial

import pytest
from django.db import connection

from audit.ledger.acting import acting
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.experiments import create_experiment, delete_experiment, set_metric_direction
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.runs import lock_run, set_tags, update_run
from experiments.actions.seals import seal_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.metrics.holding import hold_run
from experiments.models import Experiment, MetricDirection, Run
from experiments.queries.runs import inputs_of, metric_history, params_of, series_of, tags_of
from experiments.values import RunStatus
from kernel.actor import Actor, system
from kernel.errors import AlreadyExists, Conflict, Invalid, Locked, Unavailable
from tests.factories import Team, a_batch, a_run, a_team, again, an_experiment, curve, events, points
from tests.together import WITHIN, errors, together, values

WRITERS = 8


@pytest.fixture
def team(committed_db) -> Team:
    return a_team()


@pytest.fixture
def ada(team) -> Actor:
    return team.scientist


@pytest.fixture
def run(ada) -> Run:
    return a_run(ada)


def mine(run: Run) -> Run:
    """The run as a request of its own reads it."""
    return Run.objects.get(pk=run.pk)


def test_batches_of_points_on_one_run_lose_nothing(ada, run):
    def log(writer: int) -> None:
        for part in range(5):
            at = (writer * 5 + part) * 10
            log_batch(again(ada), mine(run), batch=Batch(metrics=points("loss", range(at, at + 10), step=at)))

    assert errors(together(*(partial(log, writer) for writer in range(WRITERS)))) == []
    assert sorted(metric_history(ada, run, "loss").points.steps) == list(range(WRITERS * 50))
    (series,) = series_of(ada, run)
    assert (series.last_step, series.first_step, series.min_value, series.max_value) == (399, 0, 0.0, 399.0)


def test_writers_of_the_same_keys_in_other_orders_do_not_wait_for_each_other(ada, run):
    keys = [f"metric{number}" for number in range(20)]

    def log(writer: int) -> None:
        order = keys if writer % 2 else keys[::-1]
        for step in range(5):
            log_batch(
                again(ada), mine(run), batch=Batch([MetricPoint(key, float(writer), writer, step) for key in order])
            )

    assert errors(together(*(partial(log, writer) for writer in range(WRITERS)))) == []
    assert {one.key: len(metric_history(ada, run, one.key).points) for one in series_of(ada, run)} == dict.fromkeys(
        keys, WRITERS * 5
    )


def test_params_tags_and_points_at_once_all_arrive(ada, run):
    def log(writer: int) -> None:
        for part in range(4):
            at = writer * 4 + part
            given = a_batch(params={f"p{at}": "1"}, tags={f"t{at}": "1"}) if at % 2 else a_batch()
            log_batch(again(ada), mine(run), batch=Batch(points("loss", [at], step=at), given.params, given.tags))

    assert errors(together(*(partial(log, writer) for writer in range(WRITERS)))) == []
    odd = [at for at in range(WRITERS * 4) if at % 2]
    assert set(params_of(ada, run)) == {f"p{at}" for at in odd}
    assert {f"t{at}" for at in odd} <= set(tags_of(ada, run))
    assert len(metric_history(ada, run, "loss").points) == WRITERS * 4
    assert verify_ledger().problems == []


def test_one_value_of_a_param_from_many_writers_is_set_once(ada, run):
    acts = [lambda: log_batch(again(ada), mine(run), batch=a_batch(params={"lr": "0.1"})) for _ in range(WRITERS)]
    assert errors(together(*acts)) == []
    assert params_of(ada, run) == {"lr": "0.1"}
    assert len(events(verb="experiments.log_batch")) == 1


def test_of_many_values_of_a_param_one_wins_and_the_others_are_told(ada, run):
    acts = [
        partial(
            lambda n: log_batch(again(ada), mine(run), batch=a_batch(params={"lr": str(n)}, tags={f"t{n}": "1"})), n
        )
        for n in range(WRITERS)
    ]
    told = errors(together(*acts))
    assert len(told) == WRITERS - 1
    assert all(isinstance(error, Invalid) for error in told)
    winner = params_of(ada, run)["lr"]
    assert {key for key in tags_of(ada, run) if key.startswith("t")} == {f"t{winner}"}


def test_fifty_new_runs_at_once_get_fifty_numbers(ada, team):
    def make(place: Experiment) -> list[int]:
        return [a_run(again(ada), place).number for _ in range(5)]

    places = [an_experiment(ada) for _ in range(5)]
    outcomes = together(*(partial(make, place) for place in places * 2))
    assert errors(outcomes) == []
    numbers = [number for some in values(outcomes) for number in some]
    assert sorted(numbers) == list(range(1, 51))


def test_one_name_for_an_experiment_goes_to_one(ada, team):
    outcomes = together(*[lambda: create_experiment(again(ada), team.project, name="leaves") for _ in range(WRITERS)])
    assert len(values(outcomes)) == 1
    assert all(isinstance(error, AlreadyExists) for error in errors(outcomes))


def test_a_new_dataset_named_by_many_runs_at_once_is_one(ada):
    runs = [a_run(ada) for _ in range(WRITERS)]
    given = [DatasetInput("leaves", "d1")]
    assert errors(together(*(partial(log_inputs, again(ada), one, inputs=given) for one in runs))) == []
    assert len({inputs_of(ada, one)[0].dataset_version_id for one in runs}) == 1


def test_tags_written_by_many_keep_one_value_and_each_old_one(ada, run):
    acts = [partial(set_tags, again(ada), run, tags={"stage": str(number)}) for number in range(WRITERS)]
    assert errors(together(*acts)) == []
    changes = [kept.changed("experiments.runtag")["stage"] for kept in events(verb="experiments.set_tags")]
    olds, news = {old for old, _ in changes}, {new for _, new in changes}
    assert olds - news == {None}
    assert news - olds == {tags_of(ada, run)["stage"]}


def test_the_first_direction_of_a_metric_is_one(ada, team):
    outcomes = together(
        *[partial(set_metric_direction, again(ada), team.project, key="f1", higher_is_better=True) for _ in range(4)]
    )
    assert all(isinstance(error, Conflict) for error in errors(outcomes))
    assert MetricDirection.objects.get(project=team.project, key="f1").higher_is_better


def test_nothing_is_written_to_a_run_once_it_is_locked(ada, run):
    done = threading.Event()

    def write(writer: int) -> int:
        for step in range(200):
            try:
                log_batch(again(ada), mine(run), batch=Batch(points("loss", [1.0], step=writer * 1000 + step)))
            except Locked:
                return step
            if done.is_set():
                raise AssertionError("A write came through after the lock.")
        return 200

    def lock() -> int:
        lock_run(again(ada), run)
        done.set()
        return len(metric_history(ada, run, "loss").points)

    outcomes = together(lock, *(partial(write, writer) for writer in range(4)))
    assert errors(outcomes) == []
    counted, *written = values(outcomes)
    assert counted == sum(written) == len(metric_history(ada, run, "loss").points)


def test_no_run_stays_active_in_an_experiment_that_is_being_deleted(ada):
    place = an_experiment(ada)
    outcomes = together(
        partial(delete_experiment, again(ada), place), *[partial(a_run, again(ada), place) for _ in range(WRITERS)]
    )
    assert all(isinstance(error, Conflict) for error in errors(outcomes))
    assert {run.lifecycle for run in Run.objects.filter(experiment=place)} <= {"deleted"}


def test_an_experiment_is_not_deleted_over_a_run_that_is_being_locked(ada):
    place = an_experiment(ada)
    run = a_run(ada, place)
    under_way = threading.Event()

    def lock() -> None:
        with acting(again(ada), "test.locked_slowly"):
            lock_run(again(ada), run)
            under_way.set()
            time.sleep(0.5)  # the other act waits at the row meanwhile

    def delete() -> None:
        under_way.wait(WITHIN)
        delete_experiment(again(ada), place)

    (error,) = errors(together(lock, delete))
    assert isinstance(error, Locked)
    assert (mine(run).is_locked, mine(run).is_deleted) == (True, False)


def test_writers_who_meet_a_fresh_seal_reopen_it_once_or_are_asked_to_come_again(ada, run):
    update_run(ada, run, status=RunStatus.FINISHED)
    stale = [mine(run) for _ in range(4)]
    for one in stale:
        one.sealed_at = None  # as it was read a moment before the seal
    seal_run(system(), run)
    outcomes = together(*(partial(log_batch, again(ada), one, batch=curve(3)) for one in stale))
    assert all(isinstance(error, Unavailable) for error in errors(outcomes))
    assert values(outcomes)
    assert mine(run).seal == ""
    assert len(events(verb="experiments.log_batch")) == 1


def test_writers_in_each_others_way_are_asked_to_come_again(ada, run):
    """PostgreSQL ends one of two acts that hold what the other needs; on SQLite the second waits in vain."""
    other = a_run(ada)
    both_hold = threading.Barrier(2)

    def act(first: Run, second: Run) -> None:
        with acting(again(ada), "test.crossed"):
            hold_run(first.pk, alone=True)
            both_hold.wait(WITHIN)
            hold_run(second.pk, alone=True)

    def hold() -> None:
        with acting(again(ada), "test.held"):
            hold_run(run.pk, alone=True)
            both_hold.wait(WITHIN)
            both_hold.wait(WITHIN)

    def come_second() -> None:
        both_hold.wait(WITHIN)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 50")
        try:
            set_tags(again(ada), other, tags={"late": "1"})
        finally:
            both_hold.wait(WITHIN)

    acts = (
        (hold, come_second) if connection.vendor == "sqlite" else (partial(act, run, other), partial(act, other, run))
    )
    (error,) = errors(together(*acts))
    assert isinstance(error, Unavailable)
    assert error.status == 503
    assert "late" not in tags_of(ada, other)
