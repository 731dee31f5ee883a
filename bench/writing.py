"""Writes: new runs, single points, batches."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.connection import Connection, Server, new_run
from bench.load import Call, Client, run_load

Measured = Iterator[tuple[str, float]]
CROWD = 50  # clients at once, each with the next batch as soon as the last is answered
CURVES = ["loss", "accuracy", "learning_rate", "gradient_norm"]


@dataclass(frozen=True)
class Size:
    """How long and how much. seconds: per measurement; runs, points: what reads are measured on."""

    seconds: float = 5
    runs: int = 5_000
    points: int = 100_000
    many_points: int = 1_000_000
    files: int = 500
    mebibytes: int = 64


QUICK = Size(seconds=2, runs=1_000, points=20_000, many_points=100_000, files=200)


def batch_body(run_id: str, first_step: int, steps: int, curves: Sequence[str] = CURVES) -> bytes:
    """A log-batch of so many steps of some curves, as a training loop sends it."""
    metrics = [
        {"key": key, "value": 1 / (step + 1.5), "timestamp": 1_700_000_000_000 + step, "step": step}
        for step in range(first_step, first_step + steps)
        for key in curves
    ]
    return json.dumps({"run_id": run_id, "metrics": metrics}).encode()


def create_run(server: Server, experiment: str, size: Size) -> Measured:
    def client(connection: Connection, number: int) -> Call:
        return lambda n: new_run(connection, experiment, run_name=f"created {number} {n}")

    for clients in (1, 8):
        yield f"create_run.c{clients}", run_load(server, client, clients=clients, seconds=size.seconds).per_second


def log_metric(server: Server, experiment: str, size: Size) -> Measured:
    def client(connection: Connection, number: int) -> Call:
        run = new_run(connection, experiment)

        def call(n: int) -> None:
            point = {
                "run_id": run,
                "key": "loss",
                "value": 1 / (n + 7.5),
                "timestamp": 1_700_000_000_000 + n,
                "step": n,
            }
            connection.post_raw("runs/log-metric", json.dumps(point).encode())

        return call

    for clients in (1, 8):
        load = run_load(server, client, clients=clients, seconds=size.seconds)
        yield f"log_metric.c{clients}", load.per_second
        if clients == 1:
            yield "log_metric.client", load.client_us
    yield "log_metric.c8.p99", load.percentile_ms(99)


def log_batch(server: Server, experiment: str, size: Size) -> Measured:
    for points in (100, 1000):
        client = batching_client(experiment, points)
        for clients in (1, 4):
            load = run_load(server, client, clients=clients, seconds=size.seconds)
            yield f"log_batch.{points}.c{clients}", load.per_second * points
    try:
        crowd = run_load(server, batching_client(experiment, 100), clients=CROWD, seconds=size.seconds)
    except RuntimeError as error:  # MLflow on SQLite refuses some of so many: its figure stays empty
        print(f"    {CROWD} clients at once: {str(error)[:160]}", flush=True)
        return
    yield f"log_batch.100.c{CROWD}.p95", crowd.percentile_ms(95)


def batching_client(experiment: str, points: int) -> Client:
    """Batches are encoded before the clock starts as far as that goes; after 50 they are sent to a new run."""
    steps = points // len(CURVES)
    bodies = [batch_body("RUN", n * steps, steps) for n in range(50)]

    def client(connection: Connection, number: int) -> Call:
        run = [new_run(connection, experiment)]

        def call(n: int) -> None:
            if n > 0 and n % len(bodies) == 0:
                run[0] = new_run(connection, experiment)
            body = bodies[n % len(bodies)].replace(b'"RUN"', f'"{run[0]}"'.encode(), 1)
            connection.post_raw("runs/log-batch", body)

        return call

    return client
