"""Measure MLED beside MLflow's own server and beside what the database can do.

python bench/run.py --start --peer-python /path/to/venv/bin/python          both servers, started here, on SQLite
python bench/run.py --start --peer-python ... --postgres                    the same on PostgreSQL
python bench/run.py --mled URL --token T --peer URL [--only log_metric,search] [--quick]
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import limits, reading, report, started, transfer, writing  # noqa: E402
from bench.connection import NotServed, Server  # noqa: E402
from bench.storage import postgres_bytes, sqlite_bytes  # noqa: E402
from bench.writing import QUICK, Measured, Size  # noqa: E402

Work = Callable[[Server, str, Size], Measured]
WORK = ("create_run", "log_metric", "log_batch", "search", "history", "artifact", "files")


@dataclass
class Contender:
    """A server under measurement, and how to ask how large its database is (where that can be known)."""

    server: Server
    values: dict[str, float]
    database_bytes: Callable[[], float] | None = None
    curve_path: str = ""


def work_of(contender: Contender) -> dict[str, Work]:
    def search(server: Server, experiment: str, size: Size) -> Measured:
        with growth(contender, "bytes.run", size.runs):
            reading.fill_runs(server, experiment, size.runs)
        yield from reading.search(server, experiment, size)

    def history(server: Server, experiment: str, size: Size) -> Measured:
        with growth(contender, "bytes.point", size.points * len(writing.CURVES)):
            run = reading.fill_curve(server, experiment, size.points)
        yield from reading.history(server, run, size, curve_path=contender.curve_path)

    return {
        "create_run": writing.create_run,
        "log_metric": writing.log_metric,
        "log_batch": writing.log_batch,
        "search": search,
        "history": history,
        "artifact": transfer.artifact,
        "files": transfer.files,
    }


@contextlib.contextmanager
def growth(contender: Contender, figure: str, count: int) -> Iterator[None]:
    """Record by how many bytes the database grows for each of so many things written meanwhile."""
    before = contender.database_bytes() if contender.database_bytes else 0.0
    yield
    if contender.database_bytes:
        contender.values[figure] = (contender.database_bytes() - before) / count


def measure(contender: Contender, name: str, size: Size) -> None:
    """One kind of work on one server, in an experiment of its own."""
    connection = contender.server.connect()
    created = connection.post("experiments/create", name=f"bench {name} {time.time_ns()}")
    connection.close()
    say(f"{contender.server.name}: {name} …")
    try:
        for figure, value in work_of(contender)[name](contender.server, created["experiment_id"], size):
            contender.values[figure] = value
            say(f"    {figure} = {report.number(value)}")
    except NotServed as reason:
        say(f"    not served: {reason}")


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


@contextlib.contextmanager
def given(asked: argparse.Namespace) -> Iterator[list[Contender]]:
    """Servers that run already."""
    there = [("MLED", asked.mled, asked.token), ("MLflow", asked.peer, asked.peer_token)]
    yield [Contender(Server(name, url, token), {}) for name, url, token in there if url]


@contextlib.contextmanager
def started_here(asked: argparse.Namespace, place: Path, postgres_url: str) -> Iterator[list[Contender]]:
    """Fresh servers on fresh databases. Only one is up while it is started and weighed, both while they work."""

    def database(name: str) -> str:
        if not postgres_url:
            return ""
        import psycopg

        with psycopg.connect(postgres_url, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
        return postgres_url.rsplit("/", 1)[0] + f"/{name}"

    def size_of(url: str, path: Path) -> Callable[[], float]:
        return (lambda: postgres_bytes(url)) if url else (lambda: sqlite_bytes(path))

    with contextlib.ExitStack() as stack:
        contenders = []
        say("MLED: starting …")
        url = database("mled_bench")
        ours = stack.enter_context(started.running(started.mled(place / "mled", url)))
        path = started.make_member(ours, "bench")
        contenders.append(Contender(ours.server(path), ours.costs, size_of(url, ours.home), asked.mled_curve))
        if asked.peer_python:
            say("MLflow: starting …")
            url = database("peer_bench")
            peer = stack.enter_context(started.running(started.peer(place / "peer", asked.peer_python, url)))
            contenders.append(Contender(peer.server(), peer.costs, size_of(url, peer.home)))
        yield contenders


@contextlib.contextmanager
def postgres(asked: argparse.Namespace) -> Iterator[str]:
    """The URL that was given, or a durable server of this run's own, or nothing for SQLite."""
    if asked.postgres is None:
        yield ""
    elif asked.postgres:
        yield asked.postgres
    else:
        from tests.services import postgres as own

        own.SETTINGS |= {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
        with own.running_postgres() as url:
            yield url


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mled", default="", help="tracking URI of a running MLED: http://host:port/mlflow/project")
    parser.add_argument("--token", default="", help="a token for it")
    parser.add_argument("--mled-curve", default="", help="its own route for thinned curves, with {run_id} and {key}")
    parser.add_argument("--peer", default="", help="tracking URI of a running MLflow server")
    parser.add_argument("--peer-token", default="")
    parser.add_argument("--start", action="store_true", help="start the servers here, on new databases")
    parser.add_argument("--peer-python", type=Path, help="python of a virtual environment with the full mlflow package")
    parser.add_argument("--postgres", nargs="?", const="", help="use PostgreSQL: at this URL, or started here")
    parser.add_argument("--only", default="", help="kinds of work, by comma: " + ", ".join(WORK))
    parser.add_argument("--quick", action="store_true", help="two seconds each on little data: for a first look only")
    parser.add_argument("--save", action="store_true", help="keep the numbers as JSON in bench/results/")
    asked = parser.parse_args(arguments)
    if not asked.start and not (asked.mled or asked.peer):
        parser.error("say --start, or where the servers are: --mled URL --peer URL")
    return asked


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    size = QUICK if asked.quick else Size()
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mled-bench-")))
        postgres_url = stack.enter_context(postgres(asked))
        servers = started_here(asked, place, postgres_url) if asked.start else given(asked)
        contenders = stack.enter_context(servers)
        chosen = [name for name in asked.only.split(",") if name] or list(WORK)
        for name in chosen:
            for contender in contenders:
                measure(contender, name, size)
        say("The limit of the database and the disk …")
        bare = limits.postgres_limits(postgres_url, place, size) if postgres_url else limits.sqlite_limits(place, size)
        values = {contender.server.name: contender.values for contender in contenders}
    ours, peers = values.get("MLED", {}), values.get("MLflow", {})
    print(report.table(ours, peers, bare))
    if asked.save:
        kept = report.keep(ROOT / "bench/results", "postgresql" if postgres_url else "sqlite", size, ours, peers, bare)
        say(f"Kept in {kept.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, subprocess.SubprocessError) as failure:
        say(f"bench: {failure}")
        sys.exit(1)
