"""Points that go straight while others write, lock and seal, on a database that commits."""

import threading
from functools import partial
from typing import Any

import pytest

from accounts.actions.members import remove_member
from accounts.models import Membership
from audit.ledger.acting import acting
from audit.ledger.verify import verify_ledger
from experiments.actions.runs import lock_run, update_run
from experiments.actions.seals import seal_run
from experiments.models import Run
from experiments.queries.runs import metric_history, series_of
from experiments.values import RunStatus
from kernel.actor import operator, system
from tests.factories import Team, a_run, a_team, a_token, again
from tests.mlflow_api.speaking import Mlflow, error_of
from tests.together import WITHIN, errors, together, values

WRITERS = 6


@pytest.fixture
def team(committed_db: None) -> Team:
    return a_team()


@pytest.fixture
def run(team: Team) -> Run:
    return a_run(team.scientist)


@pytest.fixture
def secret(team: Team, run: Run) -> str:
    """A token of which this process knows everything already, as its run was heard of just now."""
    secret = a_token(team.scientist)[1]
    for step in (-2, -1):
        assert logged(client_of(secret, team), run, ["warm"], step).status_code == 200
    return secret


def client_of(secret: str, team: Team) -> Mlflow:
    return Mlflow(secret, f"/mlflow/{team.project.slug}")


def logged(client: Mlflow, run: Run, keys: list[str], step: int) -> Any:
    points = [{"key": key, "value": step, "timestamp": step + 10, "step": step} for key in keys]
    return client.send("POST", "2.0/mlflow/runs/log-batch", {"run_id": run.uid.hex, "metrics": points})


def test_batches_of_the_same_keys_in_other_orders_lose_nothing(team: Team, run: Run, secret: str) -> None:
    keys = [f"metric{number}" for number in range(20)]

    def log(writer: int) -> list[int]:
        client, order = client_of(secret, team), keys if writer % 2 else keys[::-1]
        return [logged(client, run, order, writer * 5 + part).status_code for part in range(5)]

    assert values(together(*(partial(log, writer) for writer in range(WRITERS)))) == [[200] * 5] * WRITERS
    for series in series_of(team.manager, run, keys):
        assert (series.first_step, series.last_step, series.max_value) == (0, WRITERS * 5 - 1, WRITERS * 5 - 1)
        found = metric_history(team.manager, run, series.key).points.steps
        assert sorted(found.tolist()) == list(range(WRITERS * 5))


def test_a_run_that_is_sealed_meanwhile_is_reopened_or_its_seal_covers_all(team: Team, run: Run, secret: str) -> None:
    update_run(team.scientist, run, status=RunStatus.FINISHED)

    def log(writer: int) -> list[int]:
        client = client_of(secret, team)
        return [logged(client, run, ["loss"], writer * 5 + part).status_code for part in range(5)]

    def seal() -> None:
        for _ in range(3):
            seal_run(system(), Run.objects.get(pk=run.pk))

    outcomes = together(seal, *(partial(log, writer) for writer in range(WRITERS)))
    assert errors(outcomes) == []
    assert values(outcomes)[1:] == [[200] * 5] * WRITERS
    assert len(metric_history(team.manager, run, "loss").points) == WRITERS * 5
    assert verify_ledger().problems == []


def test_points_that_wait_for_a_lock_are_refused_once_it_stands(team: Team, run: Run, secret: str) -> None:
    held, sending = threading.Event(), threading.Event()

    def lock() -> None:
        with acting(again(team.scientist), "experiments.lock_run", project_id=team.project.pk):
            lock_run(again(team.scientist), Run.objects.get(pk=run.pk))
            held.set()
            sending.wait(WITHIN)  # and whenever it comes from here on, it is refused

    def log() -> Any:
        held.wait(WITHIN)
        sending.set()
        return error_of(logged(client_of(secret, team), run, ["late"], 1))

    outcomes = together(lock, log)
    assert errors(outcomes) == []
    assert values(outcomes)[1] == (403, "PERMISSION_DENIED")
    assert series_of(team.manager, run, ["late"]) == []


def test_a_membership_that_ends_meanwhile_ends_the_writing(team: Team, run: Run, secret: str) -> None:
    gone = threading.Event()

    def remove() -> None:
        remove_member(operator(), Membership.objects.get(user_id=team.scientist.user_id, project=team.project))
        gone.set()

    def log() -> tuple[list[int], list[int]]:
        client, before, after = client_of(secret, team), [], []
        for step in range(2_000):
            was_gone = gone.is_set()
            (after if was_gone else before).append(logged(client, run, ["loss"], step).status_code)
            if len(after) == 3:
                break
        return before, after

    outcomes = together(remove, log)
    assert errors(outcomes) == []
    before, after = values(outcomes)[1]
    assert after == [404] * 3
    assert set(before) <= {200, 404}
