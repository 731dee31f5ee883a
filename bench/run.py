"""Measure MLED beside MLflow's own server and beside what the database can do.

python bench/run.py --start --with-peer                both servers, started here, on SQLite
python bench/run.py --start --with-peer --postgres     the same on PostgreSQL, which is started here as well
python bench/run.py --start --against bench/results/2026-11-22-sqlite.json     beside a result that was kept
python bench/run.py --mled URL --token T --peer URL [--only log_metric,search] [--quick]
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import limits, report, started  # noqa: E402
from bench.connection import NotServed, Server  # noqa: E402
from bench.peer import peer_python  # noqa: E402
from bench.storage import Weight, postgres_weight, sqlite_weight  # noqa: E402
from bench.work import WORK  # noqa: E402
from bench.writing import QUICK, Size  # noqa: E402


@dataclass
class Contender:
    """A server under measurement, what it reached each time, and how to ask how large its database is (where that can
    be known)."""

    server: Server
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    weigh: Callable[[], Weight] | None = None

    @contextlib.contextmanager
    def grows(self, figure: str, count: int) -> Iterator[None]:
        """Record by how many bytes the database grows for each of so many things written meanwhile, without the log of
        acts and earlier states of rows, which a server may not keep at all; those are said beside it."""
        before = self.weigh() if self.weigh else Weight()
        yield
        if self.weigh:
            grown = self.weigh().since(before, count)
            self.values[figure].append(grown.own)
            say(f"    {self.server.name}: {figure} = {grown}")

    def experiment(self, name: str) -> str:
        connection = self.server.connect()
        created = connection.post("experiments/create", name=f"bench {name} {time.time_ns()}")
        connection.close()
        return str(created["experiment_id"])


def measure(contenders: list[Contender], name: str, size: Size, times: int = 1) -> None:
    """One kind of work on each server, in an experiment of its own; by turns, so that both meet the same machine."""
    work = WORK[name]
    ready: list[tuple[Contender, str, Any]] = []
    for contender in contenders:
        say(f"{contender.server.name}: {name} …")
        experiment = contender.experiment(name)
        ready.append((contender, experiment, work.fill(contender.server, experiment, size, contender.grows)))
    for _ in range(times):
        for contender, experiment, filled in ready:
            try:
                for figure, value in work.measure(contender.server, experiment, size, filled):
                    contender.values[figure].append(value)
                    say(f"    {contender.server.name}: {figure} = {report.number(value)}")
            except NotServed as reason:
                say(f"    {contender.server.name}: not served: {reason}")


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


@contextlib.contextmanager
def given(asked: argparse.Namespace) -> Iterator[list[Contender]]:
    """Servers that run already."""
    there = [("MLED", asked.mled, asked.token), ("MLflow", asked.peer, asked.peer_token)]
    yield [Contender(Server(name, url, token)) for name, url, token in there if url]


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

    def contender(server: Server, costs: dict[str, float], url: str, path: Path) -> Contender:
        size = (lambda: postgres_weight(url)) if url else (lambda: sqlite_weight(path))
        return Contender(server, defaultdict(list, {name: [value] for name, value in costs.items()}), size)

    with contextlib.ExitStack() as stack:
        contenders = []
        say("MLED: starting …")
        url = database("mled_bench")
        ours = stack.enter_context(started.running(started.mled(place / "mled", url)))
        path = started.make_member(ours, "bench")
        contenders.append(contender(ours.server(path), ours.costs, url, ours.home))
        if asked.peer_python:
            say("MLflow: starting …")
            url = database("peer_bench")
            peer = stack.enter_context(started.running(started.peer(place / "peer", asked.peer_python, url)))
            contenders.append(contender(peer.server(), peer.costs, url, peer.home))
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
    parser.add_argument("--start", action="store_true", help="start the servers here, on new databases")
    parser.add_argument(
        "--with-peer", action="store_true", help="install MLflow's server on the side, and start it too"
    )
    parser.add_argument("--peer-python", type=Path, help="python of a virtual environment that has mlflow already")
    parser.add_argument("--postgres", nargs="?", const="", help="use PostgreSQL: at this URL, or started here")
    parser.add_argument("--mled", default="", help="tracking URI of a running MLED: http://host:port/mlflow/project")
    parser.add_argument("--token", default="", help="a token for it")
    parser.add_argument("--peer", default="", help="tracking URI of a running MLflow server")
    parser.add_argument("--peer-token", default="")
    parser.add_argument("--against", type=Path, help="a result that was kept: what the ratios are to, without a peer")
    parser.add_argument("--only", default="", help="kinds of work, by comma: " + ", ".join(WORK))
    parser.add_argument("--times", type=int, default=3, help="how often each is measured (3); the median counts")
    parser.add_argument("--quick", action="store_true", help="once, two seconds, little data: for a first look only")
    parser.add_argument("--save", action="store_true", help="keep the numbers as JSON in bench/results/")
    asked = parser.parse_args(arguments)
    if not asked.start and not (asked.mled or asked.peer):
        parser.error("say --start, or where the servers are: --mled URL --peer URL")
    unknown = set(chosen(asked)) - set(WORK)
    if unknown:
        parser.error(f"--only: there is no '{sorted(unknown)[0]}'; there is {', '.join(WORK)}")
    if asked.with_peer and not asked.peer_python:
        asked.peer_python = peer_python()
    return asked


def chosen(asked: argparse.Namespace) -> list[str]:
    return [name for name in asked.only.split(",") if name] or list(WORK)


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    size, times = (QUICK, 1) if asked.quick else (Size(), asked.times)
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mled-bench-")))
        postgres_url = stack.enter_context(postgres(asked))
        servers = started_here(asked, place, postgres_url) if asked.start else given(asked)
        contenders = stack.enter_context(servers)
        for name in chosen(asked):
            measure(contenders, name, size, times)
        say("The limit of the database and the disk …")
        bare = limits.postgres_limits(postgres_url, place, size) if postgres_url else limits.sqlite_limits(place, size)
        values = {contender.server.name: contender.values for contender in contenders}
    ours: report.Measured = values.get("MLED", {})
    peers: report.Measured = report.kept(asked.against) if asked.against else values.get("MLflow", {})
    print(report.table(ours, peers, bare, beside="before" if asked.against else "peer"))
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
