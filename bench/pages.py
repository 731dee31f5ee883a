"""How long pages take: at the server and in Chromium, with 10,000 and 100,000 runs in a project.

python bench/pages.py                                 both sizes on SQLite
python bench/pages.py --runs 10000 --postgres         a PostgreSQL started here, or at --postgres URL
python bench/pages.py --data /tmp/pages --only table  keep and reuse the data; a part of the pages
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import report, started  # noqa: E402
from bench.looked_at import in_chromium  # noqa: E402
from bench.visited import Answer, Visitor, addresses  # noqa: E402

SIZES = (10_000, 100_000)
REPEATS = 7
FIRST_ROWS_MS = 500  # of 10,000 runs, at the server
HEADER = ["page", "p50 ms", "worst ms", "kB", "target", "reached"]


@dataclass
class Measured:
    """What one page cost. times: milliseconds of each call but the first, which warms up."""

    page: str
    times: list[float] = field(default_factory=list)
    kilobytes: float = 0.0
    at_most: float | None = None

    @property
    def line(self) -> list[str]:
        middle = median(self.times)
        reached = "" if self.at_most is None else "yes" if middle <= self.at_most else "no"
        target = "" if self.at_most is None else f"under {self.at_most:g} ms"
        return [self.page, f"{middle:,.0f}", f"{max(self.times):,.0f}", f"{self.kilobytes:,.0f}", target, reached]


@contextlib.contextmanager
def filled(home: Path, runs: int, database_url: str) -> Iterator[str]:
    """A running server with so many runs in it; gives its address."""
    home.mkdir(parents=True, exist_ok=True)
    server = started.Started("MLED", [], {}, "", home, home.parent / "pages.log")
    port = started.free_port()
    server.url = f"http://127.0.0.1:{port}"
    server.environment = started.clean_environment() | {
        "MLED_DATA": str(home), "MLED_PORT": str(port), "MLED_HOST": "127.0.0.1", "MLED_SIGN_INS_A_MINUTE": "1000",
    }  # fmt: skip
    if database_url:
        server.environment["DATABASE_URL"] = database_url
    fill = [sys.executable, "bench/fill.py", "--runs", str(runs), "--points", "100000"]
    subprocess.run(fill, cwd=ROOT, env=server.environment, check=True)
    server.command = [sys.executable, "manage.py", "up"]
    server.start("start")
    try:
        yield server.url
    finally:
        server.stop()


def measure(url: str, only: list[str], runs: int) -> list[Measured]:
    """Every page, from the server's side of the wire: until the last byte is there."""
    visitor = Visitor(url)
    found = []
    for page, address in addresses(visitor).items():
        if only and not any(word in page for word in only):
            continue
        answers = [visitor.get(address) for _ in range(REPEATS + 1)][1:]
        limit = FIRST_ROWS_MS if page == "table: first rows" and runs <= 10_000 else None
        found.append(Measured(page, [one.ms for one in answers], _kilobytes(answers), limit))
        say(f"    {found[-1].page}: {median(found[-1].times):,.0f} ms")
    return found


def _kilobytes(answers: list[Answer]) -> float:
    return len(answers[-1].body) / 1000


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def table(measured: list[Measured]) -> str:
    """Markdown, with the columns aligned for the terminal."""
    rows = [one.line for one in measured]
    widths = [max(len(row[column]) for row in [HEADER, *rows]) for column in range(len(HEADER))]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [HEADER, rule, *rows]
    )


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
    parser.add_argument("--runs", type=int, action="append", help="runs in the project; more than once for several")
    parser.add_argument("--postgres", nargs="?", const="", help="use PostgreSQL: at this URL, or started here")
    parser.add_argument("--data", type=Path, help="where the data lies and stays (default: a directory that goes)")
    parser.add_argument("--only", default="", help="words of the pages to measure, by comma; no browser then")
    parser.add_argument("--save", action="store_true", help="keep the numbers as JSON in bench/results/")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    only = [word for word in asked.only.split(",") if word]
    kept: dict[str, list[dict[str, object]]] = {}
    with contextlib.ExitStack() as stack:
        place = asked.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mled-pages-")))
        database_url = stack.enter_context(postgres(asked))
        for runs in sorted(asked.runs or SIZES):
            say(f"{runs:,} runs: filling …")
            home = place / f"{'postgresql' if database_url else 'sqlite'}-{runs}"
            with filled(home, runs, named(database_url, runs)) as url:
                say("the pages …")
                measured = measure(url, only, runs)
                seen = [] if only else [Measured(*one) for one in in_chromium(url)]
            print(f"\n## {runs:,} runs, {'PostgreSQL' if database_url else 'SQLite'}\n\n{table(measured + seen)}")
            kept[str(runs)] = [vars(one) for one in measured + seen]
    if asked.save:
        _keep("postgresql" if database_url else "sqlite", kept)
    return 0


def named(database_url: str, runs: int) -> str:
    """A database for each size, made where it is missing."""
    if not database_url:
        return ""
    import psycopg

    name = f"mled_pages_{runs}"
    with psycopg.connect(database_url, autocommit=True) as server:
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            server.execute(f"CREATE DATABASE {name}")
    return urllib.parse.urlsplit(database_url)._replace(path=f"/{name}").geturl()


def _keep(database: str, kept: dict[str, list[dict[str, object]]]) -> None:
    path = ROOT / "bench/results" / f"{time.strftime('%Y-%m-%d-%H%M%S', time.gmtime())}-pages-{database}.json"
    path.write_text(json.dumps({"machine": report.machine(), "database": database, "pages": kept}, indent=2) + "\n")
    say(f"Kept in {path.relative_to(ROOT)}")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, subprocess.SubprocessError) as failure:
        say(f"bench: {failure}")
        sys.exit(1)
