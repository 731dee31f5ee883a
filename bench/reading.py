"""Reads: searches, pages, whole histories and sampled curves, on data that is written first."""

import json
import random
import time
import urllib.parse

from bench.connection import Connection, Server, new_run
from bench.load import Call, Client, run_load, timed
from bench.writing import CURVES, Measured, Size, batch_body

MODELS = ["resnet", "vit", "mlp", "gru"]
FILTER = "metrics.accuracy > 0.7 AND params.model = 'vit'"
ORDER = ["metrics.loss ASC"]


def fill_runs(server: Server, experiment: str, runs: int, *, clients: int = 4) -> None:
    """Runs with 10 params, 5 tags and 5 metrics each, the same on every server."""

    def client(connection: Connection, number: int) -> Call:
        def call(n: int) -> None:
            if n >= 0:
                run = new_run(connection, experiment, run_name=f"trial {number}-{n}")
                connection.post_raw("runs/log-batch", json.dumps(run_content(run, number * 1_000_000 + n)).encode())

        return call

    run_load(server, client, clients=clients, seconds=1800, at_most=runs // clients)


def run_content(run_id: str, seed: int) -> dict[str, object]:
    numbers = random.Random(seed)
    params = {"model": MODELS[seed % len(MODELS)], "lr": f"{10 ** numbers.uniform(-5, -1):.6g}"}
    params |= {f"option_{n}": str(numbers.randrange(100)) for n in range(8)}
    metrics = {"loss": numbers.random(), "accuracy": numbers.random()}
    metrics |= {f"score_{n}": numbers.random() for n in range(3)}
    return {
        "run_id": run_id,
        "params": [{"key": key, "value": value} for key, value in params.items()],
        "tags": [{"key": f"tag_{n}", "value": f"value {numbers.randrange(10)}"} for n in range(5)],
        "metrics": [
            {"key": key, "value": value, "timestamp": 1_700_000_000_000, "step": 1} for key, value in metrics.items()
        ],
    }


def search(server: Server, experiment: str, size: Size) -> Measured:
    def asking(**question: object) -> bytes:
        return json.dumps({"experiment_ids": [experiment], "max_results": 100, **question}).encode()

    def client_of(body: bytes) -> Client:
        return lambda connection, number: lambda n: connection.post_raw("runs/search", body)

    plain = run_load(server, client_of(asking()), seconds=size.seconds)
    yield "search.plain.p50", plain.percentile_ms(50)
    yield "search.plain.p95", plain.percentile_ms(95)

    filtered = client_of(asking(filter=FILTER, order_by=ORDER))
    yield "search.filter.p50", run_load(server, filtered, seconds=size.seconds).percentile_ms(50)
    yield "search.filter.c8", run_load(server, filtered, clients=8, seconds=size.seconds).per_second

    connection = server.connect()
    page = {"max_results": min(100, size.runs // 11)}
    page_10 = asking(**page, page_token=_tokens(connection, asking(**page), 9)[-1])
    yield "search.page10.p50", run_load(server, client_of(page_10), seconds=size.seconds).percentile_ms(50)
    yield "search.all", timed(lambda: _tokens(connection, asking(max_results=1000), 10_000))


def _tokens(connection: Connection, body: bytes, pages: int) -> list[str]:
    """Read so many pages one after another, or all there are. Returns their tokens."""
    tokens: list[str] = []
    while len(tokens) < pages:
        asked = json.loads(body) | ({"page_token": tokens[-1]} if tokens else {})
        token = json.loads(connection.post_raw("runs/search", json.dumps(asked).encode())).get("next_page_token")
        if not token:
            break
        tokens.append(token)
    return tokens


def fill_curve(server: Server, experiment: str, points: int, *, curves: int = len(CURVES)) -> str:
    """A run with so many curves of so many points each. Returns its id."""
    connection = server.connect()
    run = new_run(connection, experiment)
    per_batch = 1000 // curves
    for first in range(0, points, per_batch):
        body = batch_body(run, first, min(per_batch, points - first), CURVES[:curves])
        connection.post_raw("runs/log-batch", body)
    return run


def whole_history(server: Server, run: str, points: int) -> tuple[float, float]:
    """Seconds until the whole of a curve has arrived, and until the client has read it as JSON, too."""
    connection = server.connect()
    asked = urllib.parse.urlencode({"run_id": run, "metric_key": "loss"})
    before = time.perf_counter()
    content = connection.request("GET", f"api/2.0/mlflow/metrics/get-history?{asked}")
    arrived = time.perf_counter() - before
    found = json.loads(content)["metrics"]
    read = time.perf_counter() - before
    if len(found) != points:
        raise RuntimeError(f"{len(found)} points came back of {points}")
    return arrived, read


def sampled_curve(server: Server, run: str, size: Size) -> float:
    """Milliseconds until a curve thinned to 320 points has arrived, the median. Raises NotServed."""
    asked = urllib.parse.urlencode({"run_ids": run, "metric_key": "loss", "max_results": 320})
    path = f"ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{asked}"
    return run_load(server, lambda own, _: lambda n: own.request("GET", path), seconds=size.seconds).percentile_ms(50)
