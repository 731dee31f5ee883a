"""Many clients at once, each a process with a connection of its own; bounded in time and in count."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any

from bench.connection import Connection, Server

FORK = multiprocessing.get_context("fork")
Call = Callable[[int], object]
# Given a connection and the client's number, gives the function that makes the client's n-th call.
Client = Callable[[Connection, int], Call]


@dataclass(frozen=True)
class Load:
    """What the calls of all clients took. seconds: from the first call to the last answer; client_seconds: what the
    clients themselves took of the processors meanwhile, which a fast server has to share with them."""

    latencies: Sequence[float]
    seconds: float
    client_seconds: float

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def client_us(self) -> float:
        """Microseconds of processor that a client spends on a call of its own."""
        return self.client_seconds / len(self.latencies) * 1e6

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000


def run_load(server: Server, client: Client, *, clients: int = 1, seconds: float, at_most: int = 1_000_000) -> Load:
    """Let each client call for so many seconds, or so many times. The first calls of each warm up and do not count."""
    start = FORK.Event()
    children = []
    for number in range(clients):
        mine, theirs = FORK.Pipe()
        process = FORK.Process(target=_client, args=(server, client, number, start, seconds, at_most, theirs))
        process.start()
        theirs.close()
        children.append((process, mine))
    try:
        for _, pipe in children:
            _received(pipe)
        start.set()
        results = [_received(pipe) for _, pipe in children]
    finally:
        for process, _ in children:
            process.join(timeout=5)
            if process.is_alive():
                process.kill()
    begun, ended = min(result[0] for result in results), max(result[1] for result in results)
    latencies = [took for result in results for took in result[2]]
    return Load(latencies, ended - begun, sum(result[3] for result in results))


def _received(pipe: Pipe) -> Any:
    try:
        got = pipe.recv()
    except EOFError:
        raise RuntimeError("A client process ended without an answer.") from None
    if isinstance(got, Exception):
        raise got
    return got


def _client(server: Server, client: Client, number: int, start: Any, seconds: float, at_most: int, pipe: Pipe) -> None:
    try:
        connection = server.connect()
        call = client(connection, number)
        for warm_up in range(min(5, at_most)):
            call(-1 - warm_up)
        pipe.send("ready")
        start.wait(60)
        pipe.send(_calls(call, seconds, at_most))
        connection.close()
    except Exception as error:  # every failure of a client ends the measurement, in the parent
        pipe.send(type(error)(str(error)) if type(error).__init__ is Exception.__init__ else RuntimeError(repr(error)))


def _calls(call: Call, seconds: float, at_most: int) -> tuple[float, float, list[float], float]:
    latencies: list[float] = []
    spent = time.process_time()
    begun = ended = time.perf_counter()
    while ended - begun < seconds and len(latencies) < at_most:
        before = ended
        call(len(latencies))
        ended = time.perf_counter()
        latencies.append(ended - before)
    return begun, ended, latencies, time.process_time() - spent


def timed(act: Callable[[], object]) -> float:
    """Seconds that one act takes."""
    before = time.perf_counter()
    act()
    return time.perf_counter() - before
