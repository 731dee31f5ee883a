"""Many clients at once: nothing is lost, nothing fails, one winner where there can be only one."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.client.wire import Wire, mled_only, unique

CLIENTS = 8


def all_at_once(wire: Wire, act: Callable[[Wire, int], int]) -> list[int]:
    """Let eight clients act in the same moment, each over a connection of its own. Returns what each got."""
    gate = Barrier(CLIENTS)

    def client(number: int) -> int:
        own = wire.another()
        own.call("GET", "health")
        gate.wait(timeout=30)
        return act(own, number)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(client, range(CLIENTS)))


def status(wire: Wire, path: str, **body: object) -> int:
    return wire.call("POST", f"api/2.0/mlflow/{path}", json=body).status_code


def test_parallel_batches_on_one_run_lose_nothing(wire: Wire, run: str) -> None:
    def log(own: Wire, number: int) -> int:
        worst = 200
        for round in range(5):
            points = [
                {"key": key, "value": number, "step": 100 * round + number, "timestamp": step}
                for key in ("shared", f"own {number}")
                for step in range(20)
            ]
            params = [{"key": f"p{number}-{round}", "value": "1"}]
            worst = max(worst, status(own, "runs/log-batch", run_id=run, metrics=points, params=params))
        return worst

    assert all_at_once(wire, log) == [200] * CLIENTS
    assert len(wire.history(run, "shared")) == CLIENTS * 5 * 20
    assert all(len(wire.history(run, f"own {number}")) == 100 for number in range(CLIENTS))
    assert len(wire.params(run)) == CLIENTS * 5
    assert wire.latest(run)["shared"] == (7, 407, 19)


def test_parallel_single_points_lose_nothing(wire: Wire, run: str) -> None:
    def log(own: Wire, number: int) -> int:
        return max(
            status(own, "runs/log-metric", run_id=run, key="m", value=number, step=step, timestamp=5)
            for step in range(10)
        )

    assert all_at_once(wire, log) == [200] * CLIENTS
    assert len(wire.history(run, "m")) == CLIENTS * 10
    assert wire.latest(run) == {"m": (7, 9, 5)}


def test_of_many_who_create_one_experiment_one_wins(wire: Wire) -> None:
    name = unique("race")
    answers = all_at_once(wire, lambda own, _: status(own, "experiments/create", name=name))
    assert Counter(answers) == {200: 1, 400: CLIENTS - 1}


def test_one_param_with_one_value_succeeds_for_all(wire: Wire, run: str) -> None:
    def log(own: Wire, _: int) -> int:
        return status(own, "runs/log-parameter", run_id=run, key="p", value="same")

    assert all_at_once(wire, log) == [200] * CLIENTS
    assert wire.params(run) == {"p": "same"}


def test_one_param_with_many_values_succeeds_for_exactly_one(wire: Wire, run: str) -> None:
    def log(own: Wire, number: int) -> int:
        return status(own, "runs/log-parameter", run_id=run, key="p", value=str(number))

    answers = all_at_once(wire, log)
    assert Counter(answers) == {200: 1, 400: CLIENTS - 1}
    assert wire.params(run) == {"p": str(answers.index(200))}


@mled_only
def test_one_tag_with_many_values_succeeds_for_all(wire: Wire, run: str) -> None:
    def log(own: Wire, number: int) -> int:
        return status(own, "runs/set-tag", run_id=run, key="t", value=str(number))

    assert all_at_once(wire, log) == [200] * CLIENTS
    assert wire.tags(run)["t"] in {str(number) for number in range(CLIENTS)}


def test_runs_created_at_once_are_all_there(wire: Wire, experiment: str) -> None:
    def create(own: Wire, number: int) -> int:
        return max(status(own, "runs/create", experiment_id=experiment, run_name=f"{number}") for _ in range(3))

    assert all_at_once(wire, create) == [200] * CLIENTS
    found = wire.post("runs/search", experiment_ids=[experiment])["runs"]
    assert len({run["info"]["run_id"] for run in found}) == CLIENTS * 3
