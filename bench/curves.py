"""What the length of a series costs: histories, pages, samples and further batches, from 1,000 points to a million.

python bench/curves.py                            SQLite, a server started here
python bench/curves.py --postgres                 PostgreSQL as well
python bench/curves.py --postgres --save bench/results/curve-growth.json

One run for each size, logged in batches of 1,000 points. Histories and samples are asked for twice: of the segments as
they were logged (as far as the worker left them so), and after `manage.py compact_metrics`. Milliseconds until the last
byte is there, medians of rounds that visit all sizes; the client does not read the JSON. `bench/chart.py` draws what is
saved.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import reading, report, started  # noqa: E402
from bench.connection import Connection, Server  # noqa: E402
from bench.load import timed  # noqa: E402
from bench.writing import batch_body  # noqa: E402

SIZES = (1_000, 10_000, 100_000, 1_000_000)
MERGED = ("whole history", "sample of 320")
ROUNDS = 9
SAMPLED = "ajax-api/2.0/mlflow/metrics/get-history-bulk-interval"
WHOLE = "api/2.0/mlflow/metrics/get-history"
Call = Callable[[], object]
Measured = dict[str, dict[int, float]]


def asked(connection: Connection, path: str, points: int, **params: object) -> Call:
    """A read that has to give so many points."""
    address = f"{path}?{urllib.parse.urlencode({**params, 'metric_key': 'loss'})}"

    def call() -> None:
        found = connection.request("GET", address).count(b'"value":')
        if found != points:
            raise RuntimeError(f"{address} gave {found:,} points, not {points:,}")

    return call


def reads(connection: Connection, run: str, size: int) -> Iterator[tuple[str, Call]]:
    """What is asked of a run with so many points, at steps 0, 1, 2, …"""
    part = max(size // 100, 100)
    first = size // 2
    window = {"start_step": first, "end_step": first + part - 1, "max_results": 320}
    yield "whole history", asked(connection, WHOLE, size, run_id=run)
    yield "page of 1,000", asked(connection, WHOLE, min(size, 1_000), run_id=run, max_results=1_000)
    yield "sample of 320", asked(connection, SAMPLED, 320, run_ids=run, max_results=320)
    yield "sample of a hundredth", asked(connection, SAMPLED, min(320, part), run_ids=run, **window)


def batches(connection: Connection, run: str, size: int) -> Call:
    """The next thousand points behind those that are there, each time."""
    behind = iter(range(size, 2**62, 1_000))
    return lambda: connection.post_raw("runs/log-batch", batch_body(run, next(behind), 1_000, ["loss"]))


def measure(works: dict[int, list[tuple[str, Call]]], ending: str = "") -> Measured:
    """Medians of rounds through all sizes; long answers are asked for three times only."""
    times: dict[tuple[str, int], list[float]] = {}
    for number in range(ROUNDS):
        for size, some in works.items():
            for name, call in some:
                if name != "whole history" or size < SIZES[-1] or number < 3:
                    times.setdefault((name + ending, size), []).append(1000 * timed(call))
    found: Measured = {}
    for (name, size), each in times.items():
        found.setdefault(name, {})[size] = round(median(each), 2)
    return found


def grown(server: Server, manage: Callable[[str], object]) -> Measured:
    """All works at all sizes on one server."""
    connection = server.connect()
    experiment = connection.post("experiments/create", name="curves")["experiment_id"]
    runs = {size: reading.fill_curve(server, experiment, size, curves=1) for size in SIZES}
    asking = {size: list(reads(connection, run, size)) for size, run in runs.items()}
    measured = measure(asking)
    manage("compact_metrics")
    again = {size: [one for one in some if one[0] in MERGED] for size, some in asking.items()}
    measured |= measure(again, ", merged")
    further = {size: [("log-batch of 1,000", batches(connection, run, size))] for size, run in runs.items()}
    return measured | measure(further)


def on(database: str, url: str) -> Measured:
    """The same on a server of its own."""
    with tempfile.TemporaryDirectory() as place:
        mled = started.mled(Path(place) / "mled", url)

        def manage(command: str) -> None:
            subprocess.run([sys.executable, "manage.py", command], cwd=ROOT, env=mled.environment, check=True)

        mled.start("start")
        try:
            measured = grown(mled.server(started.make_member(mled, "bench")), manage)
        finally:
            mled.stop()
    print(table(database, measured), flush=True)
    return measured


def table(database: str, measured: Measured) -> str:
    """Markdown: a line for each work."""
    lines = [f"| {database}, ms | " + " | ".join(f"{size:,}" for size in SIZES) + " |", "|---" * (1 + len(SIZES)) + "|"]
    lines += [f"| {work} | " + " | ".join(f"{at[size]:,.1f}" for size in SIZES) + " |" for work, at in measured.items()]
    return "\n".join(lines)


def postgres() -> contextlib.AbstractContextManager[str]:
    import tests.services.postgres as own

    own.SETTINGS |= {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    return own.running_postgres()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--save", type=Path, help="where to keep the figures, for bench/chart.py")
    options = parser.parse_args()
    measured = {"SQLite": on("SQLite", "")}
    if options.postgres:
        with postgres() as url:
            measured["PostgreSQL"] = on("PostgreSQL", url)
    if options.save:
        machine = report.machine()
        words = f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}"
        kept = {"title": "One series", "unit": "points a series", "machine": words, "measured": measured}
        options.save.write_text(json.dumps(kept, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
